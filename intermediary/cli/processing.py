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
    yield "Aus der Konfiguration erzeugt (`intermediary report verarbeitung`). Zweck, Rechtsgrundlage, Verantwortliche und"
    yield "Rechte der Betroffenen ergänzt der Verantwortliche; was hier steht, ist, was das Programm tut."
    yield from _common(facts)
    for mandant in facts["mandanten"]:
        yield from _mandant(mandant)


def _common(facts: Mapping[str, Any]) -> Iterator[str]:
    storage, memory = facts["storage"], facts["memory"]
    yield from ("", "## Für alle Mandanten", "", "| Gegenstand | Angabe |", "|---|---|")
    yield f"| Speicherort | {storage['database']}; verschlüsselte Inhalte unter `{storage['data']}` |"
    yield f"| Zwischenablage großer Teile | `{storage['spool']}`, verschlüsselt mit flüchtigem Schlüssel, ohne Dateinamen |"
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
    second = ", ".join(f"`{one}`" for one in facts["secondPerson"]) or "für nichts verlangt"
    yield f"| Zweite Person (Vier-Augen) | {second} |"


def _mandant(mandant: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## Mandant {mandant['name']}", "")
    yield f"Schlüssel des Mandanten: `{mandant['encryption']['kek']}`; Schlüsselbund: `{mandant['encryption']['keyring']}`."
    yield from ("", "| Eingang | Art | Partner | Antwort an den Sender |", "|---|---|---|---|")
    for one in mandant["channels"]:
        kind = _CHANNELS.get(one["type"], one["type"])
        yield f"| {one['name']} | {kind} | {one['partner'] or '–'} | {one['answer'] or 'keine'} |"
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
        places = "; ".join(f"`{place}`" for place in one["places"])
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
