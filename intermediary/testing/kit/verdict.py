"""What the kit found out about one guarantee, and the guarantees there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Standing = Literal["holds", "broken", "untried"]


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One promise of a connector: its sentence, and what a vendor does when it does not hold."""

    sentence: str
    remedy: str


GUARANTEES: Mapping[str, Guarantee] = MappingProxyType(
    {
        "whole": Guarantee(
            "Eine Zustellung kommt ganz und einmal an.",
            "Den Inhalt aus content.open() unverändert bis zum Ende übertragen und erst dann Delivered melden.",
        ),
        "probe": Guarantee(
            "probe() prüft Erreichbarkeit und Rechte und verändert nichts.",
            "In probe() nur lesen: keine Testdatei, kein Testvorgang.",
        ),
        "repeat": Guarantee(
            "Derselbe Schlüssel noch einmal hat keine zweite Wirkung und dieselbe Antwort.",
            "Den Schlüssel (auftrag.key) dem Ziel mitgeben, damit es Doppelte erkennt; sonst im Manifest "
            "LOOKUP oder NONE angeben.",
        ),
        "lookup": Guarantee(
            "lookup() sagt die Wahrheit: vorher NotDelivered, nachher die Antwort der Zustellung.",
            "Am Ziel nach auftrag.key suchen, nicht im eigenen Gedächtnis; erst das Vollständige ist zugestellt.",
        ),
        "loss": Guarantee(
            "Nichts geht verloren: Delivered heißt, dass das Ziel alles hat, und nach einer Störung kommt es an.",
            "Nur eine verstandene Antwort des Ziels ist Delivered: Status und Inhalt prüfen, keine Ausnahme schlucken, "
            "5xx ist Unclear.",
        ),
        "once": Guarantee(
            "Nach jeder Störung gibt es am Ende genau eine Wirkung.",
            "Transient nur, wenn sicher nichts ankam; sonst Unclear. Vor dem Wiederholen steps.get() fragen und am Ziel "
            "nach dem Schlüssel suchen.",
        ),
        "faults": Guarantee(
            "Der Konnektor meldet nur die fünf Fehler, und eine Ablehnung als Rejected.",
            "Ausnahmen von Bibliotheken dort übersetzen, wo sie auftreten; eine Ablehnung des Inhalts ist "
            'Rejected("target.refused").',
        ),
        "time": Guarantee(
            "Jeder Aufruf endet von selbst, auch wenn das Ziel schweigt oder tröpfelt.",
            "Zeitgrenzen für Verbindung, Pause und den ganzen Austausch setzen (HttpSettings hat sie) und auf nichts ohne "
            "Grenze warten, auch nicht beim Abschließen.",
        ),
        "kills": Guarantee(
            "Stirbt der Prozess an irgendeiner Stelle, bleibt es bei genau einer Wirkung.",
            "steps.done() gleich nach jeder Wirkung; davor am Ziel nachsehen, ob ein gestorbener Versuch sie schon hatte.",
        ),
        "memory": Guarantee(
            "Ein großes Dokument wird in Stücken übertragen und nie ganz im Speicher gehalten.",
            "content.open() in Stücken lesen und weiterreichen (Body tut das); kein content.read().",
        ),
        "discreet": Guarantee(
            "Inhalt steht nirgends außer am Ziel: nicht im Druck, in Fehlern, Nachweisen, Schritten oder Dateien.",
            "Nichts protokollieren außer Schlüsseln und Codes; in where, proof und facts nur Kennungen und Hashes.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out about one guarantee: what was `tried`, and what was `seen` (all that speaks against it)."""

    name: str
    standing: Standing
    tried: str
    seen: tuple[str, ...]

    @property
    def guarantee(self) -> Guarantee:
        return GUARANTEES[self.name]


def judged(name: str, tried: str, flaws: list[str], *, fine: str) -> Verdict:
    """Broken when there is a flaw; `fine` is what was seen otherwise."""
    return Verdict(name, "broken" if flaws else "holds", tried, tuple(flaws) or (fine,))
