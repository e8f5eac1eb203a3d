"""What the linter finds: where, which kind of impurity, and what to do instead."""

from __future__ import annotations

from dataclasses import dataclass

INSTEAD = {
    "clock": "den Zeitpunkt aus kontext.received_at nehmen (local(kontext.received_at))",
    "network": "ein Mapping ruft nichts ab; was es braucht, kommt mit dem Antrag, als Tabelle oder als Einstellung",
    "files": "Tabellen beim Laden lesen: load_codes(HERE / ...), HERE = Path(__file__).parent; Anlagen kommen als Part",
    "chance": "Kennungen ableiten: derived(kontext, pfad) oder kontext.id_for(pfad)",
    "environment": "als Einstellung der Route lesen: read_settings(...)",
    "threads": "nacheinander rechnen; der Worker verteilt die Nachrichten",
    "state": "Werte als Argument übergeben; Tabellen als tuple, frozenset oder MappingProxyType",
    "dynamic": "Namen ausschreiben, damit man lesen kann, was läuft",
    "foreign": "nur intermediary.core, intermediary.mapping.api, das eigene Paket und reine Standardmodule benutzen",
    "output": "nichts ausgeben; Befunde mit Findings melden",
    "order": "vor dem Durchlaufen ordnen: sorted(...)",
    "zone": "Zeiten mit local(...), write_date(...) und write_moment(...) schreiben, Tage mit date(...) lesen",
    "source": "Quelltext (.py) mitliefern; was nicht lesbar ist, ist nicht geprüft",
}


@dataclass(frozen=True, slots=True)
class Impurity:
    """One finding. `kind` is a key of `INSTEAD`; `what` names the word in the code, never a value from a message."""

    file: str
    line: int
    kind: str
    what: str

    @property
    def instead(self) -> str:
        """What to do, in German."""
        return INSTEAD[self.kind]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind}: {self.what}"
