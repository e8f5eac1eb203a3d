"""Plug-ins: found by entry points, loaded when named, refused with a hint when something is wrong."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.route.fingerprint import code_sha256
from intermediary.route.plugins import CONNECTORS, MAPPINGS, Connectors, EntryPoints, Mappings, check_plugins
from intermediary.route.table import parse_routes

MAPPING = """
class Bauantrag:
    name, version, input_root, standard = "bauantrag", {version}, "{{urn:a}}antrag", "xdomea 3.1.0"
    def map(self, antrag, kontext): ...
MAPPING = Bauantrag()
CLASS = Bauantrag
"""
CONNECTOR = """
from dataclasses import dataclass
from intermediary.core.ports import Idempotency, Manifest
@dataclass(frozen=True)
class Settings: ...
class Factory:
    manifest = Manifest("ablage", Idempotency.NATIVE, "a fake")
    settings_type = Settings
    def build(self, settings, base): ...
CONNECTOR = Factory()
CLASS = Factory
NO_SETTINGS = Factory()
NO_SETTINGS.settings_type = dict
NO_MANIFEST = Factory()
NO_MANIFEST.manifest = None
A_WORD = Factory()
A_WORD.manifest = Manifest("ablage", "native", "a fake")
A_STEP, TWICE, NOBODY = Factory(), Factory(), Factory()
A_STEP.manifest = Manifest("ablage", Idempotency.NONE, "a fake", steps=("Case",))
TWICE.manifest = Manifest("ablage", Idempotency.NONE, "a fake", steps=("case", "case"))
NOBODY.manifest = Manifest("ablage", Idempotency.NONE, "a fake", concurrency=0)
"""
Install = Callable[..., EntryPoints]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Writes packages of third parties and answers for their entry points, given as (group, name, value)."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(*entries: tuple[str, str, str], **files: str) -> EntryPoints:
        for module, text in files.items():
            path = tmp_path / "fremd" / f"{module}.py"
            path.parent.mkdir(exist_ok=True)
            path.with_name("__init__.py").touch()
            path.write_text(dedent(text))
        importlib.invalidate_caches()
        return lambda group: [EntryPoint(name, value, group) for of, name, value in entries if of == group]

    yield write
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "fremd":
            del sys.modules[name]


def refused(shelf: Mappings | Connectors, name: str) -> tuple[str, str]:
    with pytest.raises(Misconfigured) as raised:
        shelf.get(name)
    return raised.value.code, raised.value.findings[0].hint


def test_named_mapping_is_loaded(install: Install) -> None:
    """A mapping is had by the name of its entry point, the same object each time, with the hash of its code."""
    find = install((MAPPINGS, "bauantrag@1", "fremd.bau:MAPPING"), bau=MAPPING.format(version=1))
    mappings = Mappings(find)
    mapping = mappings.get("bauantrag@1")

    assert ("bauantrag", 1) == (mapping.name, mapping.version)
    assert mapping is mappings.get("bauantrag@1")
    assert code_sha256(sys.modules["fremd"]) == mappings.code_sha256("bauantrag@1")


def test_installed_is_not_enabled(install: Install) -> None:
    """Nothing that no route names is imported, so its defects harm nobody."""
    find = install(
        (MAPPINGS, "bauantrag@1", "fremd.bau:MAPPING"),
        (MAPPINGS, "kaputt@1", "fremd.kaputt:MAPPING"),
        bau=MAPPING.format(version=1),
        kaputt="raise SystemError('imported')",
    )
    mappings = Mappings(find)
    mappings.get("bauantrag@1")

    assert ("bauantrag@1", "kaputt@1") == mappings.names()
    assert "fremd.kaputt" not in sys.modules
    assert ("plugin.invalid", "loading fremd.kaputt:MAPPING raised SystemError") == refused(mappings, "kaputt@1")


def test_versions_stand_side_by_side(install: Install) -> None:
    """Two versions of a mapping are two plug-ins; one that is missing waits as mapping.version.missing."""
    find = install(
        (MAPPINGS, "bauantrag@1", "fremd.bau_1:MAPPING"),
        (MAPPINGS, "bauantrag@2", "fremd.bau_2:MAPPING"),
        bau_1=MAPPING.format(version=1),
        bau_2=MAPPING.format(version=2),
    )
    mappings = Mappings(find)

    assert (1, 2) == (mappings.get("bauantrag@1").version, mappings.get("bauantrag@2").version)
    assert ("mapping.version.missing", "installed: bauantrag@1, bauantrag@2") == refused(mappings, "bauantrag@3")


def test_unknown_name_has_a_hint(install: Install) -> None:
    """A name nobody offers is refused with the nearest one."""
    find = install((MAPPINGS, "bauantrag@1", "x:Y"), (CONNECTORS, "ordner", "x:Y"))

    assert ("plugin.unknown", 'did you mean "bauantrag@1"?') == refused(Mappings(find), "bauantrg@1")
    assert ("plugin.unknown", 'did you mean "ordner"?') == refused(Connectors(find), "odner")
    assert ("plugin.unknown", "nothing is known here") == refused(Connectors(install()), "ordner")


def test_duplicate_name_is_refused(install: Install) -> None:
    """Two packages with one name are refused, whichever was found first; both are named."""
    find = install((CONNECTORS, "ablage", "fremd.a:CONNECTOR"), (CONNECTORS, "ablage", "fremd.b:CONNECTOR"))

    code, hint = refused(Connectors(find), "ablage")
    assert "plugin.duplicate" == code
    assert "fremd.a:CONNECTOR and fremd.b:CONNECTOR" in hint


@pytest.mark.parametrize(
    ("text", "value", "hint"),
    [
        (MAPPING.format(version=1), "CLASS", "is a class: name an instance"),
        (MAPPING.format(version=2), "MAPPING", "calls itself bauantrag@2"),
        (MAPPING.format(version="'1'"), "MAPPING", "has no version (int)"),
        (MAPPING.format(version=1).replace("standard", "std"), "MAPPING", "has no standard (str)"),
        (MAPPING.format(version=1).replace("def map", "def mapp"), "MAPPING", "has no map(antrag, kontext)"),
        (MAPPING.format(version=1).replace("antrag, kontext", "antrag"), "MAPPING", "has no map(antrag, kontext)"),
        ("MAPPING = 1", "MAPPING", "has no name (str)"),
        (MAPPING.format(version=1) + "Bauantrag.settings_type = dict", "MAPPING",
         "has a settings_type that is no frozen dataclass"),
    ],
)  # fmt: skip
def test_wrong_mapping_is_refused(install: Install, text: str, value: str, hint: str) -> None:
    """What an entry point names must be a mapping of that name and version."""
    find = install((MAPPINGS, "bauantrag@1", f"fremd.bau:{value}"), bau=text)

    assert ("plugin.invalid", f"fremd.bau:{value} {hint}") == refused(Mappings(find), "bauantrag@1")


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("ablage", "CLASS", "is a class: name an instance"),
        ("anders", "CONNECTOR", "calls itself ablage"),
        ("ablage", "NO_SETTINGS", "has no settings_type (frozen dataclass)"),
        ("ablage", "NO_MANIFEST", "has no manifest (Manifest)"),
        ("ablage", "A_WORD", "has a manifest without idempotency (Idempotency)"),
        ("ablage", "A_STEP", 'has a manifest whose steps are no names ("case", "document", …)'),
        ("ablage", "TWICE", "has a manifest that names a step twice"),
        ("ablage", "NOBODY", "has a manifest whose concurrency is no number from 1"),
    ],
)
def test_wrong_connector_is_refused(install: Install, name: str, value: str, hint: str) -> None:
    """What an entry point names must be a connector's factory of that name."""
    find = install((CONNECTORS, name, f"fremd.ablage:{value}"), ablage=CONNECTOR)

    assert ("plugin.invalid", f"fremd.ablage:{value} {hint}") == refused(Connectors(find), name)


def test_missing_module_and_name_are_refused(install: Install) -> None:
    """An entry point that leads nowhere is refused without a traceback's contents."""
    find = install((MAPPINGS, "a@1", "fremd.nirgends:X"), (MAPPINGS, "b@1", "fremd.bau:NICHTS"), bau="")

    assert "plugin.invalid" == refused(Mappings(find), "a@1")[0]
    assert ("plugin.invalid", "loading fremd.bau:NICHTS raised AttributeError") == refused(Mappings(find), "b@1")


ROUTES = """
[[route]]
name = "bau"
mandant = "m"
mapping = "{mapping}"
[route.when]
root = "{root}"
[[route.target]]
name = "eakte"
connector = "{connector}"
"""


def test_check_loads_everything_routes_name(install: Install) -> None:
    """Routes whose plug-ins are all there have no findings."""
    find = install(
        (MAPPINGS, "bauantrag@1", "fremd.bau:MAPPING"),
        (CONNECTORS, "ablage", "fremd.ablage:CONNECTOR"),
        bau=MAPPING.format(version=1),
        ablage=CONNECTOR,
    )
    table = parse_routes(ROUTES.format(mapping="bauantrag@1", root="{urn:a}antrag", connector="ablage"))

    assert () == check_plugins(table, Mappings(find), Connectors(find))


def test_check_collects_all_findings(install: Install) -> None:
    """Every name that cannot be had is found at its path, in one go."""
    find = install(
        (MAPPINGS, "bauantrag@1", "fremd.bau:MAPPING"),
        (CONNECTORS, "ablage", "fremd.ablage:CONNECTOR"),
        bau=MAPPING.format(version=1),
        ablage=CONNECTOR,
    )
    text = ROUTES.format(mapping="bauantrag@2", root="{urn:a}antrag", connector="ablge")
    other = ROUTES.format(mapping="bauantrag@1", root="{urn:b}antrag", connector="ablage").replace('"bau"', '"b"')
    found = check_plugins(parse_routes(text + other), Mappings(find), Connectors(find))

    assert [
        ("mapping.version.missing", "route[bau].mapping"),
        ("plugin.unknown", "route[bau].target[eakte].connector"),
        ("route.root.mismatch", "route[b].when.root"),
    ] == [(finding.code, finding.path) for finding in found]


def test_hash_covers_code_and_data_and_nothing_else(install: Install, tmp_path: Path) -> None:
    """The hash changes with code and data files, not with documentation, golden cases or compiled files."""
    install(bau="A = 1")
    package = importlib.import_module("fremd")
    folder = tmp_path / "fremd"
    first = code_sha256(package)
    for name in ("README.md", "golden/01-a/expected.xml", "__pycache__/x.pyc", ".hidden/x"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / "bau.py").touch()
    unchanged = code_sha256(package)
    (folder / "codes.csv").write_text("1;eins")
    with_data = code_sha256(package)
    (folder / "codes.csv").rename(folder / "liste.csv")
    renamed = code_sha256(package)
    (folder / "bau.py").write_text("A = 2")

    assert first == unchanged
    assert 4 == len({first, with_data, renamed, code_sha256(package)})


def test_module_without_package_is_hashed_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in of one file has the hash of that file."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "einzelne_datei.py").write_text("A = 1")
    importlib.invalidate_caches()
    module = importlib.import_module("einzelne_datei")
    first = code_sha256(module)
    (tmp_path / "andere_datei.py").write_text("B = 1")

    assert first == code_sha256(module)
    (tmp_path / "einzelne_datei.py").write_text("A = 2")
    assert first != code_sha256(module)


def test_our_own_connector_is_found() -> None:
    """The connector of this project is declared by the same entry points as anybody else's."""
    assert "ordner" == Connectors().get("ordner").manifest.name


def test_a_connector_of_a_vendor_is_not_loaded_here(install: Install) -> None:
    """It is opened by whoever isolates it; what cannot be used there is found out once."""
    find = install((CONNECTORS, "ablage", "fremd.ablage:CONNECTOR"), ablage=CONNECTOR)
    asked: list[str] = []
    isolated = object()

    def isolate(entry: EntryPoint) -> object:
        asked.append(entry.name)
        return isolated

    def refuse(entry: EntryPoint) -> object:
        asked.append(entry.name)
        raise Misconfigured("plugin.invalid")

    assert isolated is Connectors(find, isolate=isolate).get("ablage")  # type: ignore[arg-type]
    shelf = Connectors(find, isolate=refuse)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(Misconfigured):
            shelf.get("ablage")

    assert ["ablage", "ablage"] == asked
    assert "fremd.ablage" not in sys.modules


def test_ours_are_loaded_here() -> None:
    """They come with the same distribution as this program."""

    def isolate(entry: EntryPoint) -> object:
        raise AssertionError(entry.name)

    assert "ordner" == Connectors(isolate=isolate).get("ordner").manifest.name  # type: ignore[arg-type,return-value]
