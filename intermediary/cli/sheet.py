"""Lays one Nachricht out for people: facts on lines of their own, in German; `show --json` has the same for machines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from intermediary.audit.events import EVENTS
from intermediary.cli.options import WIDTH, wrapped
from intermediary.core.codes import CATALOGUE
from intermediary.core.decide import DEADLINES
from intermediary.operations.look import about_finding, about_remarks

_LABEL = 18
_HASH = re.compile(r"\b([0-9a-f]{16})[0-9a-f]{48}\b")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_TOLD_ELSEWHERE = frozenset({"pins", "plan_sha256", "key", "direction", "content_type"})


def sheet(found: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a Nachricht as `operations.look.detail` gives it."""
    yield f"Nachricht {found['id']}"
    yield ""
    yield from _head(found)
    plan = found["plan"]
    yield from _section("Beurteilung", _judgement(plan.get("facts", {})))
    yield from _section("Ausgabe", _output(plan.get("output", {})))
    yield from _section("Fassungen", _pairs(found["pins"]))
    findings = plan.get("findings", [])
    yield from _section(f"Befunde ({len(findings)})", (line for one in findings for line in _finding(one)))
    yield from _section("Hinweise", about_remarks(plan.get("remarks", {})))
    for zustellung in found["zustellungen"]:
        yield from _section(f"Zustellung an {zustellung['target']}", _zustellung(zustellung))
    zone = datetime.now().astimezone().tzname()
    yield from _section(f"Verlauf (Zeiten in {zone})", (line for one in found["events"] for line in _event(one)))


def moment(text: str | None) -> str:
    """A stored moment as people here write it, in local time; empty for none."""
    return datetime.fromisoformat(text).astimezone().strftime("%d.%m.%Y %H:%M:%S") if text else ""


def _head(found: Mapping[str, Any]) -> Iterator[str]:
    code = CATALOGUE.get(found["code"])
    yield from _lines(
        ("Stand", found["state"]),
        ("Code", f"{found['code']}: {code.meaning}" if code else found["code"]),
        ("Ergebnis", found["verdict"]),
        ("Code dazu", found["verdictCode"] if found["verdictCode"] != found["code"] else ""),
        ("Nächster Versuch", "sobald das Ziel frei ist" if found["code"] in DEADLINES else moment(found["dueAt"])),
        ("Mandant", found["mandant"]),
        ("Kanal", found["channel"]),
        ("Id des Senders", found["messageId"] or "nicht mehr lesbar"),
        ("Eingang", moment(found["receivedAt"])),
        ("Sendung", f"{number(found['length'])} Bytes, {found['contentType']}"),
        ("SHA-256", found["bodySha256"]),
        ("Inhalt", "gelöscht" if found["payload"] == "erased" else ""),
        ("Löschsperre", f"seit {moment(found['heldSince'])}" if found["heldSince"] else ""),
        ("Löschsperre", "durch den Mandanten oder die Route (hold list)" if found["heldWithAll"] else ""),
        ("Richtung", "ausgehend" if found["direction"] == "out" else ""),
        ("Route", found["route"]),
        *_in_vorgang(found["vorgang"]),
        ("Versuche", found["attempts"] or ""),
        ("Revision", found["revision"] or ""),
    )


def _in_vorgang(order: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Its number, whom it waits for, how many wait for it."""
    if order is None:
        return
    yield "Im Vorgang", f"Nr. {order['number']}" + (f", {order['behind']} warten auf sie" if order["behind"] else "")
    for target, earlier in order["waitsFor"].items():
        yield "Wartet auf", f"{earlier} (Ziel {target})"


def _judgement(facts: Mapping[str, Any]) -> Iterator[str]:
    rest = dict(facts)
    formats = [rest.pop("format", ""), rest.pop("message_type", "")]
    yield from _lines(
        ("Format", ", ".join(filter(None, formats))),
        ("Wurzelelement", rest.pop("root", "")),
        ("Dienst", rest.pop("service", "")),
        ("Leistung", rest.pop("leika", "")),
        ("Kryptoprofil", rest.pop("policy", "")),
        ("Verfahren", ", ".join(re.split(r"[#/]", uri)[-1] for uri in rest.pop("algorithms", []))),
        *(("Signatur", _signature(one)) for one in rest.pop("signatures", [])),
        *(("Inhaltsdaten", _part(one)) for one in rest.pop("contents", [])),
        *(("Anhang", _part(one)) for one in rest.pop("attachments", [])),
        ("Testnachricht", "ja" if rest.pop("test", False) else ""),
    )
    yield from _pairs(rest)


def _signature(fact: Mapping[str, Any]) -> str:
    layer = {"transport": "Transport", "content": "Inhalt"}.get(fact["layer"], fact["layer"])
    words = [
        {True: "unversehrt", False: "VERLETZT", None: "nicht prüfbar"}[fact["intact"]],
        {True: "gültig", False: "nicht gültig", None: "Gültigkeit unbestimmt"}[fact["valid"]],
        {True: "vertraut", False: "nicht vertraut", None: "Vertrauen unbestimmt"}[fact["trusted"]],
    ]
    partner = f", Partner {fact['partner']}" if fact.get("partner") else ""
    reason = f", {fact['reason']}" if fact.get("reason") else ""
    return f"{layer}: {', '.join(words)}{reason} ({re.split(r'[#/]', fact['algorithm'])[-1]}{partner})"


def _part(part: Mapping[str, Any]) -> str:
    return f"{number(part['length'])} Bytes, {_shortened(part['sha256'])}"


def _output(output: Mapping[str, Any]) -> Iterator[str]:
    rest = dict(output)
    yield from _lines(
        ("Nachricht", " ".join(filter(None, (rest.pop("standard", ""), rest.pop("message", ""))))),
        ("Länge", number(rest.pop("nachricht_length", "")) + " Bytes" if output else ""),
        ("Paket", f"{number(rest.pop('package_length', ''))} Bytes" if output else ""),
        ("SHA-256", rest.pop("package_sha256", "")),
        ("Dokumente", str(rest.pop("dokumente", ""))),
        ("Herkunft", f"{rest.pop('leaves')} Werte belegt" if "leaves" in rest else ""),
        ("Nicht gelesen", f"{rest.pop('unread')} Angaben des Antrags" if rest.get("unread") else ""),
    )
    rest.pop("unread", None)
    yield from _pairs(rest)


def _zustellung(zustellung: Mapping[str, Any]) -> Iterator[str]:
    code = CATALOGUE.get(zustellung["code"])
    yield from _lines(
        (
            "Stand",
            zustellung["state"] + ("" if zustellung["required"] or zustellung["redelivers"] else " (freiwillig)"),
        ),
        ("Code", f"{zustellung['code']}: {code.meaning}" if code else zustellung["code"]),
        ("Wartet auf", zustellung["waitsFor"] if zustellung["code"] in DEADLINES else ""),
        ("Schlüssel", zustellung["key"]),
        ("Versuche", zustellung["attempts"] or ""),
        ("Zuletzt begonnen", moment(zustellung["intendedAt"])),
        ("Nächster Blick", "" if zustellung["code"] in DEADLINES else moment(zustellung["dueAt"])),
        ("Postfach", zustellung["postBox"]),
        ("Abgeholt", (moment(zustellung["fetchedAt"]) or "noch nicht") if zustellung["postBox"] else ""),
        ("Zu bestätigen bis", moment(zustellung["confirmedUntil"])),
        ("Ausgabe SHA-256", zustellung["outputSha256"]),
        ("Erneut statt", zustellung["redelivers"]),
        ("Begründung", zustellung["reason"]),
    )
    yield from _pairs({f"Nachweis {name}": value for name, value in zustellung["proof"].items()})
    yield from _lines(*(("Schritt", _step(one)) for one in zustellung["steps"]))


def _step(step: Mapping[str, Any]) -> str:
    facts = ", ".join(f"{name} {_shortened(value)}" for name, value in step["facts"].items())
    return f"{step['step']} am {moment(step['doneAt'])}" + (f" ({facts})" if facts else "")


def _event(event: Mapping[str, Any]) -> Iterator[str]:
    actor = f"  durch {event['actor']}" if event["actor"] not in ("", "system") else ""
    yield f"{event['seq']:3}  {moment(event['at'])}  {event['event']}{actor}"
    kind = EVENTS.get(event["event"])
    if kind is not None:
        yield from wrapped(kind.meaning, indent=5)
    fields = _flat({name: value for name, value in event["fields"].items() if name not in _TOLD_ELSEWHERE})
    yield from wrapped(", ".join(f"{name} {_shortened(value)}" for name, value in fields), indent=5)


def _finding(finding: Mapping[str, Any]) -> Iterator[str]:
    where, what = about_finding(finding)
    yield where
    yield from wrapped(what.strip(), indent=2)
    if finding.get("rule") and finding["rule"] not in what:
        yield f"  {finding['rule']}"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield title
        yield from (f"  {line}" for line in found)


def _pairs(values: Mapping[str, Any]) -> Iterator[str]:
    return _lines(*_flat(values))


def _lines(*pairs: tuple[str, Any]) -> Iterator[str]:
    for name, value in pairs:
        if value in ("", None):
            continue
        if len(name) < _LABEL and len(str(value)) <= WIDTH - _LABEL:
            yield f"{name:{_LABEL}}{value}"
        else:
            first, *rest = textwrap.wrap(f"{name}: {value}", WIDTH, break_long_words=False, break_on_hyphens=False)
            yield from (first, *(f"    {line}" for line in rest))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name} ")
        elif isinstance(value, list):
            texts = [
                " ".join(f"{n} {v}" for n, v in _flat(one)) if isinstance(one, Mapping) else str(one) for one in value
            ]
            yield from [(f"{prefix}{name}", "; ".join(texts))] if texts else []
        elif isinstance(value, bool):
            yield f"{prefix}{name}", "ja" if value else "nein"
        elif value not in ("", None):
            yield f"{prefix}{name}", str(value)


def _shortened(text: str) -> str:
    return _MOMENT.sub(lambda found: moment(found[0]), _HASH.sub(r"\1…", text))


def number(value: int | str) -> str:
    """A number with points between its thousands."""
    return f"{value:,}".replace(",", ".") if isinstance(value, int) else str(value)
