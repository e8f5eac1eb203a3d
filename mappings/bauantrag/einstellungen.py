"""Settings of the mapping: the `[route.settings]` table of a route that uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from mappings.bauantrag.codelisten import PRAEFIX


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """Who receives: the Bauaufsichtsbehörde as the Deutsches Verwaltungsdiensteverzeichnis (DVDV) knows it."""

    behoerdenkennung: str = field(
        metadata={"help": "Kennung der Bauaufsichtsbehörde im DVDV mit Präfix, zum Beispiel bab:05315000."}
    )
    behoerdenname: str = field(metadata={"help": "Name der Bauaufsichtsbehörde."})
    schluesselversion: str = field(
        metadata={"help": "Version der Codeliste dvdv.behoerdenschluessel, nach der die Kennung vergeben ist."}
    )
    verantwortlich: str = field(
        default="", metadata={"help": "Name der für dieses Verfahren verantwortlichen Stelle; ohne Angabe der Mandant."}
    )

    def __post_init__(self) -> None:
        for name in ("behoerdenname", "schluesselversion"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} is empty")
        if any(" " in text or not text.isprintable() for text in (self.behoerdenkennung, self.schluesselversion)):
            raise ValueError("behoerdenkennung and schluesselversion have no blanks")
        if not self.kennung:
            raise ValueError("behoerdenkennung has a prefix and a key: bab:05315000")
        if self.praefix not in PRAEFIX.rows:
            raise ValueError(f"the prefix of behoerdenkennung is not in {PRAEFIX.list_uri}_{PRAEFIX.version}")

    @property
    def praefix(self) -> str:
        return self.behoerdenkennung.partition(":")[0]

    @property
    def kennung(self) -> str:
        return self.behoerdenkennung.partition(":")[2]

    def demand_latin(self, is_latin: Callable[[str], bool]) -> None:
        """Raise `Misconfigured` for texts that XBau cannot write; called before anything is built."""
        names = ("behoerdenname", "schluesselversion", "verantwortlich", "behoerdenkennung")
        wrong = [name for name in names if not is_latin(getattr(self, name))]
        if wrong:
            hint = "Zeichen außerhalb von String.Latin sind hier nicht möglich."
            code = "mapping.setting.invalid"
            findings = tuple(Befund(code=code, path=name, hint=hint) for name in wrong)
            raise Misconfigured(code, where=", ".join(wrong), findings=findings)
