"""Lays the facts of `operations.processing` out as German Markdown, for a record of processing (DSGVO Art. 30)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_CHANNELS = {
    "folder": "Ordner",
    "amqp": "Warteschlange (AMQP)",
    "osci_passive": "OSCI, von einem Intermediär zugestellt",
    "osci_fetch": "OSCI, aus Postfächern abgeholt",
    "xta_fetch": "XTA 2, aus Postfächern abgeholt",
    "xta_passive": "XTA 2, an unseren Server gesendet",
}
_SERVICES = {
    "scan": "Virenprüfung: erhält jeden Teil im Klartext; `tcp` ist nicht verschlüsselt",
    "alerts": "Empfänger von Meldungen über Störungen (ohne Inhalte)",
    "callbacks": "Rückmeldungen der Empfänger kommen an",
    "health": "Zustand und Messwerte (ohne Inhalte) sind abzurufen",
}
_ANSWERS = {
    "reply-to": "Warteschlange, die die Nachricht nennt",
    "folder": "Ordner",
    "amqp": "Warteschlange",
    "osci": "OSCI-Postfach",
    "xta": "XTA 2, an den Autor",
}
_STATES = {
    "completed": "zugestellt und quittiert",
    "rejected": "abgelehnt",
    "discarded": "von einer Person verworfen",
    "parked": "wartet auf eine Entscheidung",
}


def page(facts: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the page."""
    yield f"# Verarbeitung personenbezogener Daten: {facts['installation']}"
    yield ""
    yield "Aus Konfiguration und Speicher erzeugt (`intermediary report verarbeitung`). Zweck, Rechtsgrundlage"
    yield "und Rechte der Betroffenen ergänzt der Verantwortliche; was hier steht, ist, was das Programm tut."
    yield from _common(facts)
    for mandant in facts["mandanten"]:
        yield from _mandant(mandant)


def _common(facts: Mapping[str, Any]) -> Iterator[str]:
    storage, memory = facts["storage"], facts["memory"]
    yield from ("", "## Für alle Mandanten", "", "| Gegenstand | Angabe |", "|---|---|")
    server = f" ({storage['server']})" if storage["server"] else ""
    yield f"| Speicherort | {storage['database']}{server}; verschlüsselte Inhalte unter `{storage['data']}` |"
    yield (
        f"| Zwischenablage großer Teile | `{storage['spool']}`, verschlüsselt mit flüchtigem Schlüssel, ohne Dateinamen; "
        "solange eine Sicherung geprüft oder wiederhergestellt wird, auch deren Zeilen und verschlüsselte Datenschlüssel |"
    )
    yield f"| Protokollköpfe (ohne Inhalte) | {', '.join(f'`{one}`' for one in storage['auditHeads'])} |"
    yield (
        "| Verschlüsselung | Inhalt und Kopfdaten je Nachricht mit eigenem Schlüssel (AES-256-GCM), dieser unter dem "
        "Schlüssel des Mandanten; Löschen des einen macht den Inhalt unlesbar, auch in Sicherungen |"
    )
    yield f"| Sicherungen der Datenschlüssel | höchstens {memory['keyBackupDays']} Tage |"
    yield f"| Nachrichten-IDs der Sender (Prüfwerte) | {memory['messageIdDays']} Tage |"
    yield f"| Suchbegriffe: LeikaId, Geschäftszeichen (Prüfwerte) | {memory['searchKeyDays']} Tage |"
    yield (
        f"| Protokoll | mindestens {memory['auditYears']} Jahre; Kennungen, Zeiten, Prüfsummen, Zustellnachweise, Konten "
        "und Begründungen handelnder Beschäftigter; keine Inhalte |"
    )
    yield "| Einsicht | Konten, die Konfiguration und Schlüssel lesen dürfen; Inhalte nur mit Begründung, im Protokoll |"
    yield f"| Zweite Person (Vier-Augen) | {_second_person(facts)} |"
    yield from _services(facts["services"])


def _second_person(facts: Mapping[str, Any]) -> str:
    second = ", ".join(f"`{one}`" for one in facts["secondPerson"])
    if facts["secondPersonIsWhole"]:
        return second or "für nichts verlangt"
    return (
        f"laut Konfiguration {second or 'für nichts'}; was der Speicher darüber hinaus verlangt, ist nicht bekannt: er ist "
        "von hier nicht zu lesen"
    )


def _services(services: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, what in _SERVICES.items():
        if services[name]:
            yield f"| {what} | {_places(services[name])} |"
    if not services["scan"]:
        yield "| Virenprüfung | keine |"


def _places(places: Sequence[str]) -> str:
    return "; ".join(f"`{place}`" for place in places)


def _mandant(mandant: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## Mandant {mandant['name']}", "")
    keys = mandant["encryption"]
    former = f" (frühere: {', '.join(f'`{one}`' for one in keys['previousKeks'])})" if keys["previousKeks"] else ""
    yield f"Schlüssel des Mandanten: `{keys['kek']}`{former}; Schlüsselbund: `{keys['keyring']}`."
    yield from ("", "| Eingang | Art | Ort | Partner | Antwort an den Sender |", "|---|---|---|---|---|")
    for one in mandant["channels"]:
        kind = _CHANNELS.get(one["type"], one["type"])
        ways = ", ".join(_ANSWERS[way] for way in one["answer"].split(", ") if way) or "keine"
        answer = f"{ways}: {_places(one['answerPlaces'])}" if one["answerPlaces"] else ways
        yield f"| {one['name']} | {kind} | {_places(one['places'])} | {one['partner'] or '–'} | {answer} |"
    for route in mandant["routes"]:
        yield from _route(route)
    yield from ("", "### Ohne Route", "", "Was abgelehnt wird oder wartet, bevor eine Route feststeht:", "")
    yield from _kept(mandant["keptWithoutRoute"])


def _route(route: Mapping[str, Any]) -> Iterator[str]:
    test = " (nur Testnachrichten)" if route["stage"] == "test" else ""
    yield from ("", f"### Route {route['name']}{test}", "", "| Gegenstand | Angabe |", "|---|---|")
    conditions = (
        ", ".join(f"{name} `{value}`" for name, value in route["when"].items()) or "jede Nachricht des Mandanten"
    )
    yield f"| Welche Nachrichten | {conditions} |"
    source = f" (`{route['input']}`)" if route["input"] else ""
    yield f"| Kategorien von Daten | Antragsdaten{source}, Anlagen, Angaben zum Transport |"
    yield f"| Umsetzung | `{route['mapping']}` nach {route['standard'] or 'unbekannt: nicht installiert'} |"
    yield f"| Verlangte Signaturen | {', '.join(route['require']) or 'keine'} |"
    for one in route["recipients"]:
        places = _places(one["places"])
        kind = "" if one["required"] else ", freiwillig"
        yield f"| Empfänger {one['name']} | `{one['connector']}`{kind}{f': {places}' if places else ''} |"
    yield ""
    yield from _kept(route["kept"])


def _kept(kept: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from ("| Der Inhalt einer Nachricht, die … ist | wird gelöscht nach |", "|---|---|")
    for one in kept:
        default = " (Vorgabe)" if one["default"] else ""
        term = f"{one['days']} Tagen{default}"
        if not one["erased"]:
            term = f"nicht von selbst; nach {term} Meldung an den Betrieb"
        yield f"| {_STATES[one['state']]} | {term} |"
