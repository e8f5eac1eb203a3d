"""What became of something, in the words of a transport report; pure, from how it stands durably (digest §6)."""

from __future__ import annotations

from datetime import UTC, datetime

from intermediary.core.codes import CATALOGUE
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.store.records import NachrichtRecord, ZustellungRecord
from intermediary.unseal.xta.values import CodeValue
from intermediary.xta.server.house import Standing
from intermediary.xta.wire.report import GREEN, OPEN, RED, YELLOW, Record

LIST = "urn:xta-osci-intermediary:codeliste:record.type"
VERSION = "1"

_N = NachrichtState
_Z = ZustellungState
_TAKEN = ("taken", "Dauerhaft angenommen")
_LAID = ("laid", "Liegt im Postfach")
_DONE = frozenset({_N.COMPLETED, _N.REJECTED, _N.ANSWERING})


def standing_of_nachricht(nachricht: NachrichtRecord, *, has_warnings: bool, quittung: bytes) -> Standing:
    """For its author: open while it is under way or waits for a person, green when everything has arrived.

    Yellow: accepted, but something that need not succeed did not. Red: rejected, or given up by a person.
    """
    changed = nachricht.state_since or nachricht.received_at
    infos = (record(nachricht.received_at, *_TAKEN),)
    if nachricht.verdict == "rejected" or nachricht.state is _N.DISCARDED:
        code = nachricht.verdict_code or nachricht.code
        return Standing(RED, changed, errors=(_coded(changed, code),), infos=infos, quittung=quittung)
    if nachricht.verdict == "accepted" and nachricht.state in _DONE:
        arrived = (*infos, record(changed, "accepted", "Alle verlangten Ziele haben übernommen"))
        if has_warnings:
            late = record(changed, "optional", "Ein Ziel, das nicht verlangt ist, hat nicht übernommen")
            return Standing(YELLOW, changed, warnings=(late,), infos=arrived, quittung=quittung)
        return Standing(GREEN, changed, infos=arrived, quittung=quittung)
    code = nachricht.code or nachricht.wait_reason
    waits = (_coded(changed, code),) if code else ()
    return Standing(OPEN, changed, warnings=waits, infos=infos)


def standing_of_zustellung(zustellung: ZustellungRecord) -> Standing:
    """For its reader: open while it lies in the box, green once the reader has closed it, red when it was given up."""
    entered = zustellung.intended_at or zustellung.since
    infos = (record(entered, *_LAID),)
    if zustellung.state is _Z.DELIVERED:
        closed_at = zustellung.proof.get("closed_at", "")
        changed = datetime.fromisoformat(closed_at) if closed_at else entered
        return Standing(GREEN, changed, infos=(*infos, record(changed, "closed", "Vom Leser übernommen")))
    if zustellung.state is _Z.AWAITING:
        return Standing(OPEN, entered, infos=infos)
    if zustellung.state is _Z.REFUSED:
        return Standing(RED, entered, errors=(_coded(entered, zustellung.code),), infos=infos)
    waits = (_coded(entered, zustellung.code),) if zustellung.code else ()
    return Standing(OPEN, entered, warnings=waits, infos=infos)


def record(at: datetime, code: str, reason: str) -> Record:
    """One line of a report."""
    return Record(at.astimezone(UTC).isoformat(timespec="milliseconds"), CodeValue(code, LIST, VERSION), reason)


def _coded(at: datetime, code: str) -> Record:
    """A fault code of ours with its meaning."""
    return record(at, code or "unknown", CATALOGUE[code].meaning if code in CATALOGUE else "")
