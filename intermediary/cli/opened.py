"""What `open` tells about one file: as a JSON object (DESIGN §5) and as text for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from intermediary.cli.complain import printable
from intermediary.core.codes import CATALOGUE
from intermediary.core.values import Befund, Opened, Part, SignatureFact

_TRUST = {True: "vertrauenswürdig", False: "nicht vertrauenswürdig", None: "Vertrauen nicht bestimmt"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one file: what is known of it and, if it was refused, the code and where."""

    file: str
    opened: Opened | None = field(repr=False)
    code: str = ""
    where: str = ""
    osci_code: str | None = None
    findings: tuple[Befund, ...] = ()
    extracted: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_accepted(self) -> bool:
        return not self.code


def as_json(verdict: Verdict) -> str:
    """One line of JSON; characters that could steer a terminal are escaped (threat T17)."""
    opened = verdict.opened
    findings = [asdict(finding) for finding in (*(opened.findings if opened else ()), *verdict.findings)]
    record: dict[str, Any] = {
        "file": verdict.file,
        "format": "" if opened is None else opened.format,
        "messageType": _or_none(opened and opened.message_type),
        "messageId": _or_none(opened and opened.message_id),
        "subject": _or_none(opened and opened.subject),
        "contents": [_content(part, verdict) for part in opened.contents] if opened else [],
        "attachments": [_attachment(part, verdict) for part in opened.attachments] if opened else [],
        "signatures": [_signature(fact) for fact in opened.signatures] if opened else [],
        "algorithms": list(opened.algorithms) if opened else [],
        "policy": _or_none(opened and opened.policy),
        "facts": dict(opened.facts) if opened else {},
        "outcome": "accepted" if verdict.is_accepted else "rejected",
        "code": _or_none(verdict.code),
        "where": _or_none(verdict.where),
        "osciCode": verdict.osci_code,
        "step": None,
        "findings": findings,
    }
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in json.dumps(record, ensure_ascii=False))


def as_text(verdict: Verdict) -> str:
    """Several lines in German, for an operator."""
    return "\n".join(printable(line) for line in _lines(verdict)) + "\n"


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.file}: {'angenommen' if verdict.is_accepted else 'abgewiesen'}"
    if not verdict.is_accepted:
        yield from _refusal(verdict)
    opened = verdict.opened
    if opened is None:
        return
    for title, value in (
        ("Nachricht", opened.message_type),
        ("Id", opened.message_id),
        ("Betreff", opened.subject),
        ("Dienst", opened.facts.get("service", "")),
        ("Leser", opened.facts.get("reader", "")),
        ("Kryptoprofil", opened.policy),
    ):
        if value:
            yield f"  {title + ':':14} {value}"
    for part in opened.contents:
        yield f"  {'Inhalt:':14} {part.place}, {_size(part)}{_written(part, verdict)}"
    for part in opened.attachments:
        sealed = "verschlüsselt" if part.encrypted else "offen"
        yield f"  {'Anhang:':14} {part.name}, {_size(part)}, {sealed}{_written(part, verdict)}"
    if not opened.signatures and verdict.is_accepted:
        yield f"  {'Signatur:':14} keine"
    for fact in opened.signatures:
        yield f"  {'Signatur:':14} {_layer(fact)}, {_judgement(fact)}: {fact.signer}"
    yield from (_finding(finding) for finding in opened.findings)


def _finding(finding: Befund) -> str:
    rule = f" [{finding.rule}]" if finding.rule else ""
    return f"  {'Befund:':14} {finding.path}: {_meaning(finding.code)}{rule}"


def _refusal(verdict: Verdict) -> Iterator[str]:
    code = CATALOGUE[verdict.code]
    place = f" ({verdict.where})" if verdict.where else ""
    osci = f", OSCI-Code {verdict.osci_code}" if verdict.osci_code else ""
    yield f"  {'Grund:':14} {code.meaning} [{verdict.code}{place}{osci}]"
    yield f"  {'Abhilfe:':14} {code.remedy}"
    yield from (_finding(finding) for finding in verdict.findings)


def _judgement(fact: SignatureFact) -> str:
    if fact.intact is None:
        return "nicht bestimmbar (Transformation nicht unterstützt)"
    if not fact.intact:
        return "UNGÜLTIG"
    words = ["gültig" if fact.valid else "unversehrt, aber nicht gültig"]
    if not fact.complete:
        words.append("deckt nicht alles ab")
    if fact.weak:
        words.append("schwaches Verfahren")
    words.append(_TRUST[fact.trusted])
    if fact.reason:
        words.append(fact.reason)
    if fact.partner:
        words.append(f"Partner {fact.partner}")
    return ", ".join(words)


def _layer(fact: SignatureFact) -> str:
    return "Transport" if fact.layer == "transport" else f"Inhalt {fact.place}"


def _meaning(code: str) -> str:
    return CATALOGUE[code].meaning if code in CATALOGUE else code


def _size(part: Part) -> str:
    return f"{part.content.length} Bytes, sha256 {part.content.sha256[:16]}…"


def _written(part: Part, verdict: Verdict) -> str:
    name = verdict.extracted.get(key_of(part))
    return f" → {name}" if name else ""


def _content(part: Part, verdict: Verdict) -> dict[str, Any]:
    found = {"refId": part.name, "length": part.content.length, "sha256": part.content.sha256, "path": part.place}
    return found | _extracted(part, verdict)


def _attachment(part: Part, verdict: Verdict) -> dict[str, Any]:
    found: dict[str, Any] = {"refId": part.name, "length": part.content.length, "sha256": part.content.sha256}
    return found | {"encrypted": part.encrypted, "mediaType": part.media_type} | _extracted(part, verdict)


def _extracted(part: Part, verdict: Verdict) -> dict[str, str]:
    name = verdict.extracted.get(key_of(part))
    return {"extracted": name} if name else {}


def _signature(fact: SignatureFact) -> dict[str, Any]:
    return {
        "layer": fact.layer,
        "path": fact.place,
        "signer": fact.signer,
        "algorithm": fact.algorithm,
        "intact": fact.intact,
        "valid": fact.valid,
        "complete": fact.complete,
        "trusted": fact.trusted,
        "reason": _or_none(fact.reason),
        "partner": _or_none(fact.partner),
        "revocation": list(fact.revocation),
        "weak": fact.weak,
        "covers": list(fact.covers),
    }


def key_of(part: Part) -> str:
    """What tells a part from all others of its message."""
    return f"{part.kind} {part.place} {part.name}"


def _or_none(value: str | Opened | None) -> str | None:
    return value if isinstance(value, str) and value else None
