"""How a connector is pointed at a target of the kit: the file `kit.toml` beside it, or another that is named."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from intermediary.core.tables import did_you_mean
from intermediary.testing.kit.folder_target import FolderTarget, SftpTarget
from intermediary.testing.kit.http_target import HttpTarget, Route
from intermediary.testing.kit.target import Target

CONNECTORS = "intermediary.connectors"
PROTOCOLS = ("http", "folder", "sftp", "own")
_OURS = Path(__file__).parent / "targets"


class CannotCheck(ValueError):
    """There is nothing to check; the text says in German what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class Description:
    """What kit.toml says.

    `settings` is the connector's table, with `{url}` and the like. `seconds` is the time one call may take while the target
    is silent: more than the timeouts in `settings`. `removes_doubles`: the http target answers an Idempotency-Key it knows
    without doing anything. `kit` names the vendor's own target (`package.module:KIT`) for the protocol `own`. `large` are
    settings that take the place of those of the same name while a large package is handed over: longer timeouts.
    """

    protocol: str
    settings: Mapping[str, object]
    seconds: int = 10
    removes_doubles: bool = False
    routes: tuple[Route, ...] = ()
    kit: str = ""
    large: Mapping[str, object] = field(default_factory=dict)

    def target(self) -> Target:
        """A new target, not started. Raises `CannotCheck` when a vendor's own is not there."""
        match self.protocol:
            case "http":
                return HttpTarget(self.settings, routes=self.routes, removes_doubles=self.removes_doubles)
            case "folder":
                return FolderTarget(self.settings)
            case "sftp":
                return SftpTarget(self.settings)
        module, _, name = self.kit.partition(":")
        try:
            made = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as flaw:
            raise CannotCheck(f'kit = "{self.kit}": {flaw}') from None
        return cast(Target, made() if isinstance(made, type) else made)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A connector that is to be checked: its entry point, and how it is pointed at a target."""

    entry: EntryPoint = field(repr=False)
    description: Description = field(repr=False)

    @property
    def name(self) -> str:
        return self.entry.name


def candidates(package: str, target: Path | None = None) -> list[Candidate]:
    """The connectors of a package folder (with a pyproject.toml), or the installed one of this name.

    A folder is put on the path of modules of this process. Raises `CannotCheck`.
    """
    is_folder = "/" in package or package in (".", "..") or (Path(package) / "pyproject.toml").is_file()
    entries = _offered(Path(package)) if is_folder else [_installed(package)]
    return [Candidate(entry, read_description(target or _beside(entry))) for entry in entries]


def read_description(path: Path) -> Description:
    """Raises `CannotCheck` when the file is missing, is no TOML, or says something it must not."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise CannotCheck(f"{path}: nicht lesbar; die Datei sagt, wie der Konnektor an das Ziel kommt") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as flaw:
        raise CannotCheck(f"{path}: kein TOML ({flaw})") from None
    known = [one.name for one in fields(Description)]
    for name in table:
        if name not in known:
            raise CannotCheck(f'{path}: "{name}" ist unbekannt: {did_you_mean(name, known)}')
    if table.get("protocol") not in PROTOCOLS or not isinstance(table.get("settings", {}), dict):
        raise CannotCheck(f"{path}: protocol ist eines von {', '.join(PROTOCOLS)}; [settings] ist eine Tabelle")
    if table["protocol"] == "own" and ":" not in table.get("kit", ""):
        raise CannotCheck(f'{path}: kit = "paket.modul:KIT" nennt das eigene Ziel')
    try:
        routes = tuple(Route(**one) for one in table.pop("routes", []))
        return Description(**{"settings": {}, **table}, routes=routes)
    except TypeError as flaw:
        raise CannotCheck(f"{path}: [[routes]] hat path, effect, of, key, answer und status ({flaw})") from None


def _offered(folder: Path) -> list[EntryPoint]:
    project = folder / "pyproject.toml"
    if not project.is_file():
        raise CannotCheck(f"{folder}: keine pyproject.toml; gemeint ist der Ordner, den connector new angelegt hat")
    try:
        table: dict[str, Any] = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
    except tomllib.TOMLDecodeError as flaw:
        raise CannotCheck(f"{project}: kein TOML ({flaw})") from None
    offered = table.get("entry-points", {}).get(CONNECTORS, {})
    if not offered:
        raise CannotCheck(f'{project}: kein Konnektor unter [project.entry-points."{CONNECTORS}"]')
    root = str(folder.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)
    return [EntryPoint(name, value, CONNECTORS) for name, value in offered.items()]


def _installed(name: str) -> EntryPoint:
    known = {entry.name: entry for entry in entry_points(group=CONNECTORS)}
    if name not in known:
        raise CannotCheck(f'kein Konnektor "{name}" ist installiert: {did_you_mean(name, sorted(known))}')
    return known[name]


def _beside(entry: EntryPoint) -> Path:
    """The kit.toml of the connector's own folder; for one of ours, what the kit has for it."""
    ours = _OURS / f"{entry.name}.toml"
    spec = find_spec(entry.module) if "." not in entry.module else find_spec(entry.module.rpartition(".")[0])
    if spec is None or spec.origin is None:
        raise CannotCheck(f"{entry.value}: das Modul ist nicht da")
    beside = Path(spec.origin).parent / "kit.toml"
    if beside.is_file() or not ours.is_file():
        return beside
    return ours
