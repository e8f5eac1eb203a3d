"""Everything of one Mandant in a folder: facts, proofs and, if asked for, contents (docs/reference/mandant-export.md)."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from intermediary.audit import standalone
from intermediary.audit.chain import moment
from intermediary.audit.second_place import copy_missing
from intermediary.core.faults import Fault, Transient
from intermediary.operations.approvals import Approvals, Consent, Wish
from intermediary.operations.dossier import dossier
from intermediary.operations.look import detail
from intermediary.operations.mandant import counted, demand_known
from intermediary.operations.person import Request
from intermediary.operations.rotate import public_keys
from intermediary.operations.written import Folder
from intermediary.wiring import Installation, installation_id

FORMAT, VERSION = "intermediary-mandant", 1

Watch = Callable[[Iterable[str]], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Exported:
    """How many Nachrichten and payloads were written, and how many payloads could not be opened.

    `late` came in after the second person was asked, and are left out.
    """

    nachrichten: int
    payloads: int
    unreadable: int
    late: int = 0


def export_mandant(
    installation: Installation,
    mandant: str,
    folder: Path,
    request: Request,
    *,
    with_payload: bool,
    approvals: Approvals,
    watch: Watch = iter,
) -> Exported:
    """Write everything of a Mandant into a new folder; every reading of content is in the audit trail before it happens.

    With payload it is a `reveal`, which may need a second person: then it is of what was there when they were asked. Raises
    FileExistsError, and `NotPossible` for a name nobody knows. A payload that cannot be opened is named in the export and
    does not end it.
    """
    demand_known(installation, mandant)
    found = [(one.id, one.received_at) for one in installation.store.find(mandant=mandant)]
    written = Folder(folder)  # what cannot be written uses up no approval
    try:
        ids, consent = _consent(approvals, mandant, found, request, with_payload=with_payload)
    except BaseException:
        folder.rmdir()
        raise
    for nachricht_id in ids:
        approvals.tell(nachricht_id, consent, request)
    _announce(installation, mandant, ids, request, with_payload=with_payload)
    payloads = unreadable = 0
    with written.lines("nachrichten.jsonl") as write:
        for nachricht_id in watch(ids):
            told = detail(installation.store, nachricht_id)
            if with_payload and told["payload"] == "present":
                told |= _content(installation, nachricht_id, written)
                payloads, unreadable = payloads + ("payloadFile" in told), unreadable + ("payloadCode" in told)
            proof = dossier(installation, nachricht_id, installation.now())
            written.text(f"dossiers/{_place(nachricht_id)}.json", _json(proof))
            write(json.dumps(told, ensure_ascii=False, default=str))
    done = Exported(len(ids), payloads, unreadable, late=len(found) - len(ids))
    _close(installation, mandant, written, done, with_payload=with_payload)
    return done


def _consent(
    approvals: Approvals, mandant: str, found: list[tuple[str, datetime]], request: Request, *, with_payload: bool
) -> tuple[list[str], Consent]:
    """What is written, and leave to do so."""
    ids = [one for one, _at in found]
    if not with_payload:
        return ids, Consent("reveal")
    until = _until(approvals, found, request)
    ids = [one for one, at in found if moment(at) <= until]
    asked = {"mandant": mandant, "until": until, "nachrichten": counted(ids)}
    lines = (f"alle Inhalte von {mandant} bis {until} werden ausgeleitet: {len(ids)} Nachrichten",)
    return ids, approvals.demand(Wish("reveal", asked, count=len(ids), lines=lines), request)


def _until(approvals: Approvals, found: list[tuple[str, datetime]], request: Request) -> str:
    """The receipt of the newest Nachricht that is meant: there is, or there was when a second person was asked."""
    approved = approvals.asked(request).get("until") if approvals.needs("reveal") else None
    return str(approved or max((moment(at) for _id, at in found), default=""))


def _announce(
    installation: Installation, mandant: str, ids: list[str], request: Request, *, with_payload: bool
) -> None:
    """What is about to be read, and a head over it, so that every dossier is proven to its end."""
    store, now = installation.store, installation.now()
    fields = {"mandant": mandant, "nachrichten": len(ids), "payload": with_payload, "reason": request.reason}
    store.record_of_installation("mandant.exported", now=now, actor=request.actor, fields=fields)
    for nachricht_id in ids if with_payload else ():
        read = {"reason": request.reason, "what": "mandant export"}
        store.record(nachricht_id, "person.read", now=now, actor=request.actor, fields=read)
    store.seal_heads(installation.signing.sign, now)
    with suppress(Transient):  # a daemon, or `audit verify`, says that the place is away
        copy_missing(installation.settings.audit.heads_folder, store.heads)


def _content(installation: Installation, nachricht_id: str, written: Folder) -> dict[str, Any]:
    """The received bytes as a file, and what came beside them; or the code why not."""
    name = f"payload/{_place(nachricht_id)}"
    try:
        headers = installation.store.headers(nachricht_id)
        with installation.store.body(nachricht_id).open() as stream:
            written.stream(name, stream)
    except Fault as fault:
        return {"payloadCode": fault.code}
    beside = {"replyTo": headers.reply_to, "correlationId": headers.correlation_id, "vorgang": headers.vorgang}
    return {"payloadFile": name, **beside}


def _close(installation: Installation, mandant: str, written: Folder, done: Exported, *, with_payload: bool) -> None:
    """What a verifier needs, what this is, and the hash of every file."""
    heads = "".join(f"{head.line()}\n" for head in installation.store.heads())
    written.text("heads.jsonl", heads)
    written.text("keys.pem", b"".join(public_keys(installation)).decode())
    written.text("verify.py", inspect.getsource(standalone))
    told = {
        "format": FORMAT,
        "version": VERSION,
        "installation": str(installation_id(installation.settings.installation.name)),
        "mandant": mandant,
        "madeAt": moment(installation.now()),
        "nachrichten": done.nachrichten,
        "withPayload": with_payload,
        "payloads": done.payloads,
        "unreadable": done.unreadable,
    }
    written.text("manifest.json", _json(told))
    written.sums("SHA256SUMS")


def _place(nachricht_id: str) -> str:
    return f"{nachricht_id[:2]}/{nachricht_id}"


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
