"""Writes the small files of a new mapping: README, settings, `offen`, project, golden case."""

from __future__ import annotations

from intermediary.testing.workbench.asked import Asked
from intermediary.testing.workbench.skeleton.mapping_file import Plan

OFFEN = '''"""Platzhalter für Angaben des Ziels, die noch keine Quelle haben; ist keiner mehr übrig, entfällt die Datei."""

from __future__ import annotations

from typing import Any


def offen(ziel: str) -> Any:
    """Bricht ab und nennt die Stelle; `mapping test` zeigt Datei und Zeile."""
    raise NotImplementedError(f"{ziel} ist noch nicht zugeordnet: diese Zeile ersetzen")
'''

EINSTELLUNGEN = '''"""Einstellungen des Mappings: die Tabelle `[route.settings]` einer Route, die es benutzt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """Noch keine. Eine Einstellung ist ein Feld mit Hilfetext:

    aktenplan: str = field(metadata={"help": "Kennzeichen der Aktenplaneinheit, zum Beispiel 112-06."})
    """
'''

CASE = """why = "Beispiel mit allen Angaben des Formulars, erzeugt aus seinem Schema."
expect = "accepted"
key = "b0000001-0000-4000-8000-000000000001"
received_at = 2026-05-04T08:15:30.250Z

[settings]
"""


def project_file(plan: Plan) -> str:
    """The pyproject.toml of a package outside of ours, with the entry point by which the mapping is found."""
    return f"""[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "{plan.name}"
version = "1.0.0"
description = "Mapping {plan.name}: {plan.standard} {plan.shape.root.name}"
readme = "README.md"
requires-python = ">=3.11"
classifiers = ["Private :: Do Not Upload"]
dependencies = ["xta-osci-intermediary>=0.1"]

[project.entry-points."intermediary.mappings"]
"{plan.name}@1" = "{plan.package}.mapping:MAPPING"

[tool.hatch.build.targets.wheel]
packages = ["{plan.package}"]
"""


def readme(plan: Plan, root: str) -> str:
    """What a reviewer reads first, with a row for every field of the form."""
    rows = "\n".join(f"| {_cell(one)} | offen | |" for one in plan.fields)
    return f"""# Mapping {plan.name}

{plan.title} → {plan.standard} `{plan.shape.root.name}`.

| | |
|---|---|
| Name und Fassung | `{plan.name}@1` |
| Eingang | `{root}` |
| Ausgang | {plan.standard}, `<Kennung>_{plan.shape.root.name}.xml` |

## Felder

| Quelle | Ziel | Regel |
|---|---|---|
{rows}

## Regeln

| Regel | Inhalt |
|---|---|

## Ablehnungen (`mapping.input.refused`)

| Regel | wann | Grundlage |
|---|---|---|
| `ANLAGE-NICHT-VORGESEHEN` | mit dem Antrag kommt eine Anlage | sie ginge sonst verloren |

## Arbeiten an diesem Mapping

    intermediary mapping test .                      # was ist offen, was weicht ab
    intermediary mapping test . --update             # was herauskommt, wird die Erwartung: den Unterschied lesen wie Code
    intermediary mapping lint .                      # ist das Mapping rein
    intermediary mapping report . -o bericht.html    # für das Fachamt
    intermediary mapping shape . --schemas ORDNER --with Pfad/im/Ziel --write     # ein weiteres Element des Ziels

| Datei | Inhalt |
|---|---|
| `{plan.package}/mapping.py` | das Mapping, ein Abschnitt des Ziels je Funktion |
| `{plan.package}/felder.py` | Felder und Gruppen des Formulars |
| `{plan.package}/einstellungen.py` | Einstellungen der Route |
| `{plan.package}/offen.py` | Platzhalter; entfällt, wenn nichts mehr offen ist |
| `{plan.package}/shape.toml` | erzeugt aus `{plan.shape.package}`: Form der Nachricht |
| `{plan.package}/schema/` | Schema des Eingangs |
| `{plan.package}/golden/` | Testfälle: Eingang und geprüfte Ausgabe |
"""


def _cell(one: Asked) -> str:
    groups = "/".join(one.path.split("/")[2:-1])
    place = f"{groups}/{one.name}" if groups else one.name
    label = one.label if one.label != one.name else ""
    return f"`{place}` {label}".replace("|", "\\|").rstrip()
