"""Packages of other vendors that must be refused: one that takes names already taken, one that is wrong in every way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CODE = """
from dataclasses import dataclass, field
from intermediary.connect.api import Idempotency, Manifest

class Mapping:
    version, input_root, standard = 1, "{urn:x-test}antrag", "x-test 1.0"
    def __init__(self, name):
        self.name = name
    def map(self, antrag, kontext): ...

class OhneMap:
    name, version, input_root, standard = "ohne-map", 1, "{urn:x-test}antrag", "x-test 1.0"

M_KLASSE, OHNE_MAP, M_ANDERS = Mapping, OhneMap(), Mapping("anders")

@dataclass(frozen=True)
class Settings:
    place: str = field(default="", metadata={"help": "a place"})

class Connector:
    def __init__(self, manifest):
        self.manifest = manifest
    def deliver(self, auftrag, steps, now): ...
    def collect(self, key, correlation, now): ...
    def probe(self): ...

class Factory:
    settings_type = Settings
    def __init__(self, name):
        self.manifest = Manifest(name, Idempotency.NATIVE, "a misfit")
    def build(self, settings, base):
        return Connector(self.manifest)

class Failing(Factory):
    def build(self, settings, base):
        raise KeyError("content")

class OhneBuild:
    manifest, settings_type = Manifest("ohne-build", Idempotency.NATIVE, "a misfit"), Settings

C_KLASSE, OHNE_BUILD, C_ANDERS = Factory, OhneBuild(), Factory("anders")
OHNE_LOOKUP, STOLPERT = Factory("ohne-lookup"), Failing("stolpert")
"""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package of one module, with its entry points as name and object."""

    name: str
    mappings: Mapping[str, str]
    connectors: Mapping[str, str]
    code: str

    def install(self, folder: Path) -> Path:
        """Lay it into a folder for the path of an environment, as an installer would."""
        about = folder / f"{self.name}-1.0.dist-info"
        about.mkdir(parents=True)
        (folder / f"{self.name}.py").write_text(self.code, encoding="utf-8")
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {self.name}\nVersion: 1.0\n", encoding="utf-8")
        groups = {"intermediary.mappings": self.mappings, "intermediary.connectors": self.connectors}
        lines = [
            line
            for group, entries in groups.items()
            for line in (f"[{group}]", *(f"{name} = {self.name}:{value}" for name, value in entries.items()))
        ]
        (about / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder


CLASHING = Package(
    name="nebenverfahren",
    mappings={"musterverfahren-hundesteuer@1": "MAPPING"},
    connectors={"musterverfahren-journal": "CONNECTOR"},
    code="MAPPING = CONNECTOR = None\n",
)
MISFIT = Package(
    name="falschverfahren",
    mappings={"als-klasse@1": "M_KLASSE", "ohne-map@1": "OHNE_MAP", "anders-genannt@1": "M_ANDERS", "fehlt@1": "FEHLT"},
    connectors={
        "als-klasse": "C_KLASSE",
        "ohne-build": "OHNE_BUILD",
        "anders-genannt": "C_ANDERS",
        "ohne-lookup": "OHNE_LOOKUP",
        "stolpert": "STOLPERT",
    },
    code=_CODE,
)
FLAWS = {
    "route[als-klasse].mapping": "falschverfahren:M_KLASSE is a class: name an instance",
    "route[ohne-map].mapping": "falschverfahren:OHNE_MAP has no map(antrag, kontext)",
    "route[anders-genannt].mapping": "falschverfahren:M_ANDERS calls itself anders@1",
    "route[fehlt].mapping": "loading falschverfahren:FEHLT raised AttributeError",
    "route[ziele].target[als-klasse].connector": "falschverfahren:C_KLASSE is a class: name an instance",
    "route[ziele].target[ohne-build].connector": "falschverfahren:OHNE_BUILD has no build(settings, base)",
    "route[ziele].target[anders-genannt].connector": "falschverfahren:C_ANDERS calls itself anders",
    "route[ziele].target[ohne-lookup].settings": (
        "connector ohne-lookup builds a connector that has no lookup(key, steps, now)"
    ),
    "route[ziele].target[stolpert].settings": "connector stolpert raised KeyError while it was built",
}
"""What is wrong with each plug-in of `MISFIT`, by its place in the routes that name them all."""

_ROUTE = """
[[route]]
name = "{name}"
mandant = "musterstadt"
stage = "test"
mapping = "{mapping}"
when = {{ service = "{name}" }}
settings = {{ {settings} }}
"""
_TARGET = """
[[route.target]]
name = "{name}"
connector = "{name}"
"""
_ORDNER = _TARGET.format(name="ordner") + 'settings = { drop = "drop", state = "state" }\n'


def misfit_routes(mapping: str, settings: str) -> str:
    """Routes that name everything in `MISFIT`: each mapping with a good connector, the connectors with a good mapping."""
    routes = [
        _ROUTE.format(name=name.partition("@")[0], mapping=name, settings="") + _ORDNER for name in MISFIT.mappings
    ]
    targets = [_TARGET.format(name=name) for name in MISFIT.connectors]
    return "".join([*routes, _ROUTE.format(name="ziele", mapping=mapping, settings=settings), *targets])
