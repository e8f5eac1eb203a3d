"""Hands xdomea packages to an e-file's import folder and learns from its answers what became of them.

The hand-over is that of the connector `ordner`, from whose pieces this one is built: exactly once, by one rename. What
comes back are xdomea messages in a folder: 0403 (received) keeps a Zustellung awaiting, 0402 (imported or not) ends it.
They are matched by ProzessID (`register.py`), filed (`filing.py`), read as hostile XML (`message.py`) and judged once
(`judge.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from connectors.eakte_ordner.filing import Boxes, file_answers, filed
from connectors.eakte_ordner.judge import Verdict, is_answered, judged, read_verdict, write_verdict
from connectors.eakte_ordner.probe import probe_answers
from connectors.eakte_ordner.register import demand_key, enrol, has_left, keys_of, prozess_id_of
from connectors.ordner.connector import Ordner, OrdnerSettings
from connectors.ordner.folder import opened, sync
from connectors.ordner.handover import Place
from connectors.ordner.lock import alone
from connectors.ordner.memory import read_sealed
from connectors.ordner.probe import probe_handover
from intermediary.connect.api import (
    Awaiting,
    Delivered,
    Idempotency,
    Manifest,
    NotDelivered,
    Refused,
    Steps,
    Transient,
    Unclear,
    Zustellauftrag,
)

MANIFEST = Manifest(
    name="eakte_ordner",
    idempotency=Idempotency.LOOKUP,
    summary="puts xdomea packages into an e-file's import folder; its 0402 is the verdict, its 0403 a receipt",
)

_MOST_ANSWERS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Answers:
    """Where the e-file answers, and where its answers go from there; three folders on one mount."""

    folder: Path = field(metadata={"help": "folder with the e-file's answers: xdomea 0402 and 0403, XML or ZIP"})
    archive: Path = field(metadata={"help": "private folder for answers that belong to a Zustellung; the proof"})
    unmatched: Path = field(metadata={"help": "folder for answers that nobody could read or match; should be empty"})
    deadline_hours: int = field(
        default=72, metadata={"help": "hours until a missing import confirmation is looked into"}
    )


@dataclass(frozen=True, slots=True)
class EakteOrdnerSettings:
    """The settings of one e-file; its folders must exist."""

    drop: Path = field(metadata={"help": "import folder that the e-file empties; packages appear in it complete"})
    state: Path = field(metadata={"help": "private folder on the same mount: what is underway, and the memory of keys"})
    answers: Answers = field(metadata={"help": "the way back"})
    checksum: bool = field(default=False, metadata={"help": "put NAME.sha256 into the drop before each package"})


class EakteOrdner:
    """The connector of one e-file; several processes may use the same folders."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, settings: EakteOrdnerSettings) -> None:
        self._settings = settings
        self._ordner = Ordner(OrdnerSettings(settings.drop, settings.state, settings.checksum))

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Awaiting:
        demand_key(auftrag.key)
        self._enrol(prozess_id_of(auftrag.package.file_name), auftrag.key, now)
        self._ordner.deliver(auftrag, steps, now)
        return self._awaiting(auftrag.key)

    def lookup(self, key: str, steps: Steps, now: datetime) -> Awaiting | NotDelivered:
        if isinstance(self._ordner.lookup(key, steps, now), NotDelivered):
            return NotDelivered()
        awaiting = self._awaiting(key)
        with self._boxes() as boxes:
            if read_verdict(boxes.place.state, key) is None:
                _judged(boxes, key, prozess_id_of(awaiting.correlation["file_name"]))  # unclear stays unclear
        return awaiting

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        demand_key(key)
        prozess_id = prozess_id_of(correlation["file_name"])
        with self._boxes() as boxes, alone(boxes.place.state, key):
            verdict = read_verdict(boxes.place.state, key)
            if verdict is None:
                _file_unless_somebody_does(boxes, now)
                verdict = _judged(boxes, key, prozess_id)
                if verdict is None:
                    return None
                write_verdict(boxes.place.state, key, verdict)
            sync(boxes.place.state, "state")
        return verdict.outcome(dict(correlation))

    def probe(self) -> None:
        settings, answers = self._settings, self._settings.answers
        probe_handover(settings.state, settings.drop)
        probe_answers(answers.folder, answers.archive, answers.unmatched, beside=(settings.state, settings.drop))

    def _enrol(self, prozess_id: str, key: str, now: datetime) -> None:
        """Note the key before its package can be seen. What a redelivery finds answered belongs to those before it."""
        with self._boxes() as boxes, alone(boxes.place.state, f"{prozess_id}.prozess"):
            others = set(keys_of(boxes.place.state, prozess_id)) - {key}
            if others and not has_left(boxes.place, key):
                with _filing(boxes):
                    file_answers(boxes, now)
            enrol(boxes.place.state, prozess_id, key)

    def _awaiting(self, key: str) -> Awaiting:
        with opened(self._settings.state, "state") as state:
            sealed = read_sealed(state, key)
        if sealed is None:
            raise Unclear("delivery.unclear", where="state")
        return Awaiting(sealed.sealed_at + timedelta(hours=self._settings.answers.deadline_hours), sealed.proof())

    @contextmanager
    def _boxes(self) -> Iterator[Boxes]:
        answers = self._settings.answers
        with ExitStack() as stack:
            yield Boxes(
                place=Place(
                    state=stack.enter_context(opened(self._settings.state, "state")),
                    drop=stack.enter_context(opened(self._settings.drop, "drop")),
                ),
                answers=stack.enter_context(opened(answers.folder, "answers.folder")),
                archive=stack.enter_context(opened(answers.archive, "answers.archive")),
                unmatched=stack.enter_context(opened(answers.unmatched, "answers.unmatched")),
            )


def _filing(boxes: Boxes) -> AbstractContextManager[None]:
    return alone(boxes.place.state, "answers")


def _file_unless_somebody_does(boxes: Boxes, now: datetime) -> None:
    try:
        with _filing(boxes):
            file_answers(boxes, now, most=_MOST_ANSWERS_AT_ONCE)
    except Transient as fault:
        if fault.code != "target.busy":
            raise


def _judged(boxes: Boxes, key: str, prozess_id: str) -> Verdict | None:
    """The verdict for this key; `Unclear` when the answer may as well be meant for one before it."""
    verdict = judged(filed(boxes.archive, key))
    if verdict is None:
        return None
    keys = keys_of(boxes.place.state, prozess_id)
    before = keys[: keys.index(key)] if key in keys else ()
    for other in before:
        if has_left(boxes.place, other) and not is_answered(filed(boxes.archive, other)):
            raise Unclear("delivery.unclear", where="answers.archive")
    return verdict


class _Factory:
    """Builds one connector per target."""

    manifest: Manifest = MANIFEST
    settings_type: type = EakteOrdnerSettings

    def build(self, settings: EakteOrdnerSettings, base: Path) -> EakteOrdner:
        return EakteOrdner(settings)


CONNECTOR = _Factory()
