"""Mängelmeldung to xdomea 3.1.0 `Abgabe.Abgabe.0401`; everything that is mapped stands in `mapping.xslt`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from intermediary.mapping.api import XsltMapping, load_shape, load_stylesheet

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """What a municipality decides about its e-file; the stylesheet finds each as `k:einstellung`."""

    aktenplan: str = field(metadata={"help": "Kennzeichen der Aktenplaneinheit, zum Beispiel 656-00."})
    empfaenger: str = field(metadata={"help": "Name der Stelle mit der eAkte, zum Beispiel Tiefbauamt."})

    def __post_init__(self) -> None:
        for name in ("aktenplan", "empfaenger"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} is empty")


MAPPING = XsltMapping(
    name="maengelmelder",
    version=1,
    input_root="{urn:intermediary:eingang:maengelmelder:1}meldung",
    standard="xdomea 3.1.0",
    message="Abgabe.Abgabe.0401",
    stylesheet=load_stylesheet(HERE / "mapping.xslt"),
    shape=load_shape(HERE / "shape.toml"),
    settings_type=Einstellungen,
    ids=("/Vorgang",),
)
