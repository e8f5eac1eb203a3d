"""Reads the queue of answers: each is durable in a folder before the broker may forget it.

An answer is a JSON object: `verdict` (`accepted` or `refused`), and if it likes `reason` (a code) and `reference` (an id).
Its `correlation_id` is the `message_id` of what it answers. `KEY.verdict` in the archive is the first answer to a key; one
that says the opposite later, or that nobody can read, goes to `unmatched`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pika import exceptions as trouble
from pika.adapters.blocking_connection import BlockingChannel

from connectors.amqp.broker import fault_asking, opened
from connectors.amqp.settings import AmqpSettings, Answers
from connectors.ordner import folder as folders
from connectors.ordner.rename import rename_new
from intermediary.connect.api import Delivered, Misconfigured, Refused, Unclear

MOST_AT_ONCE = 500
MOST_BYTES = 4 * 1024 * 1024
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}")
_UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of the answer queue, unchecked."""

    correlation_id: str = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The content of `KEY.verdict`; codes and ids of the target, never its free text."""

    refused: bool
    reason: str
    reference: str
    sha256: str

    def outcome(self, proof: dict[str, str]) -> Delivered | Refused:
        """The verdict as the port knows it; `proof` is that of the hand-over."""
        proof = {**proof, "answer_sha256": self.sha256}
        if self.reference:
            proof["reference"] = self.reference
        return Refused(self.reason or _UNSPECIFIED, proof) if self.refused else Delivered(proof)


def drain(settings: AmqpSettings, queue: str, keep: Callable[[list[Reply]], None], *, most: int = MOST_AT_ONCE) -> None:
    """Hand what waits in the queue to `keep`, in bundles; what it has made durable is then acknowledged.

    A crash in between brings a bundle again. Raises `Transient` when the broker cannot be asked now.
    """
    with opened(settings) as channel:
        try:
            for bundle, tag in _bundles(channel, queue, most):
                keep(bundle)
                channel.basic_ack(tag, multiple=True)
        except (trouble.AMQPError, OSError) as error:
            raise fault_asking(error, channel) from error


def read_answers(settings: AmqpSettings, answers: Answers) -> None:
    """Read the queue until it is empty, or enough for now; durable on return."""
    drain(settings, answers.queue, lambda replies: _keep(answers, replies))


def verdict_on(answers: Answers, key: str) -> Verdict | None:
    """The verdict kept under this key; raises `Unclear` when the note is damaged."""
    with folders.opened(answers.archive, "answers.archive") as archive:
        return _noted(archive, key)


def probe_answers(answers: Answers) -> None:
    """The folders are there, writable and not the same; nothing lies in `unmatched`. No effect."""
    with (
        folders.opened(answers.archive, "answers.archive") as archive,
        folders.opened(answers.unmatched, "answers.unmatched") as unmatched,
    ):
        for folder, where in ((archive, "answers.archive"), (unmatched, "answers.unmatched")):
            if not os.access(".", os.R_OK | os.W_OK | os.X_OK, dir_fd=folder, effective_ids=True):
                raise Misconfigured("target.misconfigured", where=f"{where}: not writable")
        if os.path.sameopenfile(archive, unmatched):
            raise Misconfigured("target.misconfigured", where="answers.unmatched: is the archive itself")
        number = sum(not name.startswith(".") for name in os.listdir(unmatched))
    if number:
        raise Misconfigured("target.answer.unmatched", where=f"answers.unmatched: {number}")


def _bundles(channel: BlockingChannel, queue: str, most: int) -> Iterator[tuple[list[Reply], int]]:
    bundle: list[Reply] = []
    last, size = 0, 0
    for _ in range(most):
        found: Any = channel.basic_get(queue)  # the stubs do not know an empty queue
        method, properties, body = found
        if method is None:
            break
        content = body if isinstance(body, bytes) else b""
        bundle.append(Reply(str(getattr(properties, "correlation_id", None) or ""), content))
        last, size = method.delivery_tag or 0, size + len(content)
        if size > MOST_BYTES:
            yield bundle, last
            bundle, size = [], 0
    if bundle:
        yield bundle, last


def _keep(answers: Answers, replies: list[Reply]) -> None:
    with folders.opened(answers.archive, "answers.archive") as archive:
        for reply in replies:
            verdict = _read(reply)
            if verdict is None or not _note(archive, reply.correlation_id, verdict):
                _set_aside(answers.unmatched, reply)
        folders.sync(archive, "answers.archive")


def _set_aside(unmatched: Path, reply: Reply) -> None:
    """Keep it for a person: its correlation id in one line, then its body. The same one again changes nothing."""
    note = json.dumps(reply.correlation_id).encode() + b"\n" + reply.body
    with folders.opened(unmatched, "answers.unmatched") as folder:
        folders.write_whole(folder, f"{hashlib.sha256(note).hexdigest()}.answer", note, where="answers.unmatched")
        folders.sync(folder, "answers.unmatched")


def _read(reply: Reply) -> Verdict | None:
    """The verdict of an answer, or None when there is anything about it that we do not understand."""
    if not _KEY.fullmatch(reply.correlation_id) or len(reply.body) > MOST_BYTES:
        return None
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("verdict") not in ("accepted", "refused"):
        return None
    reason, reference = (_code(said.get(name)) for name in ("reason", "reference"))
    return Verdict(said["verdict"] == "refused", reason, reference, hashlib.sha256(reply.body).hexdigest())


def _code(value: object) -> str:
    """What does not look like a code or an id may be about a citizen and is left out."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def _note(archive: int, key: str, verdict: Verdict) -> bool:
    """Keep the first verdict of a key; False for one that says the opposite later."""
    name = f"{key}.verdict"
    draft = f".{key}.{verdict.sha256}"
    folders.write_whole(archive, draft, json.dumps(asdict(verdict), sort_keys=True).encode(), where="answers.archive")
    with folders.translated("answers.archive"):
        try:
            rename_new(draft, name, source_folder=archive, target_folder=archive)
            return True
        except FileExistsError:
            os.unlink(draft, dir_fd=archive)
    noted = _noted(archive, key)
    return noted is not None and noted.refused == verdict.refused


def _noted(archive: int, key: str) -> Verdict | None:
    note = folders.read_note(archive, f"{key}.verdict", where="answers.archive")
    if note is None:
        return None
    try:
        return Verdict(**json.loads(note))
    except (ValueError, TypeError) as damage:
        raise Unclear("delivery.unclear", where="answers.archive") from damage
