"""How what passes through the connector port is written as JSON and read again; what is read is checked like an enemy's.

Documents are named by their place (the package is 0) and opened by whoever holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, Idempotency, Manifest, NotDelivered, Refused
from intermediary.core.targets import POST_BOX
from intermediary.core.values import Befund, Content, Dokument, Zustellauftrag

Json = dict[str, Any]

_KINDS: Mapping[str, type[Fault]] = {kind.__name__: kind for kind in (Misconfigured, Rejected, Unclear)}
_MOST_PROOF = 100
_LONGEST = 4096
_MOST_FINDINGS = 1000
_LONGEST_REST = 366 * 86400.0
_FINDING = {field.name for field in fields(Befund)}


def contents_of(auftrag: Zustellauftrag) -> list[Content]:
    """Everything that can be opened, in the order of the places `write_auftrag` gives."""
    files = [one.content for one in (auftrag.package, *auftrag.dokumente)]
    return [*files, auftrag.nachricht] if auftrag.nachricht is not None else files


def write_auftrag(auftrag: Zustellauftrag) -> Json:
    """A Zustellauftrag without the bytes of its documents."""
    files = [_dokument(place, one) for place, one in enumerate((auftrag.package, *auftrag.dokumente))]
    plain = ("nachricht_id", "target", "key", "attempt", "mandant", "is_test", "standard", "message")
    bare = auftrag.nachricht
    return {
        **{name: getattr(auftrag, name) for name in plain},
        "business_keys": dict(auftrag.business_keys),
        "files": files,
        "nachricht": None if bare is None else [len(files), bare.length, bare.sha256],
    }


def read_auftrag(found: Json, content: Callable[[int, int, str], Content]) -> Zustellauftrag:
    """The same again; `content(place, length, sha256)` stands for what the other end opens."""
    rest = dict(found)
    package, *dokumente = [
        Dokument(one["file_name"], one["media_type"], content(one["place"], one["length"], one["sha256"]))
        for one in rest.pop("files")
    ]
    bare = rest.pop("nachricht")
    nachricht = None if bare is None else content(*bare)
    return Zustellauftrag(package=package, dokumente=tuple(dokumente), nachricht=nachricht, **rest)


def _dokument(place: int, dokument: Dokument) -> Json:
    content = dokument.content
    about = {"file_name": dokument.file_name, "media_type": dokument.media_type}
    return {**about, "place": place, "length": content.length, "sha256": content.sha256}


def write_outcome(outcome: object) -> Json:
    """What a call came to; TypeError or ValueError for what no connector may return: texts are short and printable."""
    match outcome:
        case None:
            return {"kind": "none"}
        case Delivered():
            return {"kind": "delivered", "proof": _texts(outcome.proof)}
        case Refused():
            return {"kind": "refused", "reason": _text(outcome.reason), "proof": _texts(outcome.proof)}
        case Awaiting():
            return {
                "kind": "awaiting",
                "until": outcome.until.isoformat(),
                "correlation": _texts(outcome.correlation),
            }
        case NotDelivered():
            return {"kind": "not-delivered"}
        case Fault():
            return {"kind": "fault", **write_fault(outcome)}
        case _:
            raise TypeError("no outcome")


def read_outcome(
    found: Json, *, is_vendors: bool = True
) -> Delivered | Refused | Awaiting | NotDelivered | Fault | None:
    """The same again; ValueError, LookupError, TypeError, AttributeError or OverflowError for what is none.

    A vendor's connector cannot say that something lies in a box of ours.
    """
    match found["kind"]:
        case "none":
            return None
        case "delivered":
            return Delivered(_texts(found["proof"]))
        case "refused":
            return Refused(_text(found["reason"]), _texts(found["proof"]))
        case "awaiting":
            until = datetime.fromisoformat(_text(found["until"]))
            if until.tzinfo is None:
                raise ValueError("times carry a time zone")
            until = until.astimezone(UTC)  # what has no place in the calendar there is none
            correlation = _texts(found["correlation"])
            if is_vendors and POST_BOX in correlation:
                raise ValueError("a vendor fills no box of ours")
            return Awaiting(until, correlation)
        case "not-delivered":
            return NotDelivered()
        case "fault":
            return read_fault(found)
        case _:
            raise ValueError("no outcome")


def write_fault(fault: Fault) -> Json:
    """A fault by its class, code, place and findings."""
    kind = next((name for name in ("Transient", *_KINDS) if name in {one.__name__ for one in type(fault).__mro__}), "")
    asked = fault.retry_after if isinstance(fault, Transient) else None
    return {
        "fault": kind or "Unclear",
        "code": fault.code,
        "where": _shown(fault.where),
        "retry_after": None if asked is None else asked.total_seconds(),
        "findings": [_said(one) for one in fault.findings[:_MOST_FINDINGS]],
    }


def read_fault(found: Json) -> Fault:
    """The same again; a code that the catalogue does not have raises LookupError, as in a `Fault`."""
    code, where = _text(found["code"]), _text(found["where"])
    if code not in CATALOGUE:
        raise ValueError("no code")
    if found["fault"] == "Transient":
        asked = found["retry_after"]
        return Transient(code, where=where, retry_after=None if asked is None else _rest(asked))
    findings = tuple(_finding(one) for one in found["findings"][:_MOST_FINDINGS])
    return _KINDS[found["fault"]](code, where=where, findings=findings)


def write_manifest(manifest: Manifest) -> Json:
    """A manifest."""
    return asdict(manifest)


def read_manifest(found: Json) -> Manifest:
    """The same again."""
    return Manifest(
        **{**found, "idempotency": Idempotency(found["idempotency"]), "steps": tuple(map(_text, found["steps"]))}
    )


def _said(finding: Befund) -> Json:
    return {name: _shown(value) if isinstance(value, str) else value for name, value in asdict(finding).items()}


def _shown(text: object) -> str:
    return "".join(one if one.isprintable() else "?" for one in str(text)[:_LONGEST])


def _finding(found: Json) -> Befund:
    known = {name: value for name, value in found.items() if name in _FINDING}
    line = known.pop("line", None)
    if line is not None and type(line) is not int:
        raise ValueError("no line")
    return Befund(**{name: _text(value) for name, value in known.items()}, line=line)


def _rest(asked: object) -> timedelta:
    seconds = float(asked) if isinstance(asked, int | float) else -1.0
    if not 0 <= seconds <= _LONGEST_REST:
        raise ValueError("no rest")
    return timedelta(seconds=seconds)


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    if len(found) > _MOST_PROOF:
        raise ValueError("too many")
    return {_text(name): _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise ValueError("no short text")
    return value
