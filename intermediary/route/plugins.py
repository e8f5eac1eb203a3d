"""Finds mappings and connectors by their entry points, and loads those that a route (or a pin) names.

Installed is not enabled: nothing is imported before `get` asks for it by name. `check_plugins` asks for everything the
routes name and collects what is wrong; `daemon` refuses to start on its findings and `lint` prints them.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar, cast

from intermediary.core.calls import takes
from intermediary.core.faults import Misconfigured
from intermediary.core.plugs import connector_flaw, is_frozen
from intermediary.core.ports import ConnectorFactory, Mapping
from intermediary.core.roots import reads, roots_of
from intermediary.core.tables import did_you_mean
from intermediary.core.values import Befund
from intermediary.route.fingerprint import code_sha256
from intermediary.route.table import RoutingTable

MAPPINGS = "intermediary.mappings"
CONNECTORS = "intermediary.connectors"
OUR_DISTRIBUTION = "xta-osci-intermediary"

P = TypeVar("P")
EntryPoints = Callable[[str], Iterable[EntryPoint]]


def installed(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group in this environment."""
    return tuple(entry_points(group=group))


@dataclass(frozen=True, slots=True)
class _Loaded(Generic[P]):
    plugin: P
    sha256: str
    folder: Path


class _Shelf(Generic[P]):
    """The plug-ins of one kind, by name; loaded once, when first asked for. Safe for the threads of a worker."""

    def __init__(self, group: str, find: EntryPoints) -> None:
        self._known: dict[str, list[EntryPoint]] = {}
        for entry in find(group):
            self._known.setdefault(entry.name, []).append(entry)
        self._loaded: dict[str, _Loaded[P]] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """The names of everything installed, sorted."""
        return tuple(sorted(self._known))

    def get(self, name: str) -> P:
        """The plug-in of this name; raises `Misconfigured` when it cannot be had, with a hint in its finding."""
        return self._load(name).plugin

    def code_sha256(self, name: str) -> str:
        """The hash of the plug-in's code as it was loaded; raises like `get`."""
        return self._load(name).sha256

    def folder(self, name: str) -> Path:
        """The folder of the plug-in's package, where its data lies; raises like `get`."""
        return self._load(name).folder

    def _load(self, name: str) -> _Loaded[P]:
        if name in self._loaded:
            return self._loaded[name]
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = self._open(self._entry(name))
            return self._loaded[name]

    def _entry(self, name: str) -> EntryPoint:
        entries = self._known.get(name, [])
        if not entries:
            raise self._unknown(name)
        if len(entries) > 1:
            owners = " and ".join(sorted(_owner(entry) for entry in entries))
            raise _refusal("plugin.duplicate", name, f"both {owners} use this name: uninstall one")
        return entries[0]

    def _open(self, entry: EntryPoint) -> _Loaded[P]:
        try:
            plugin = entry.load()
            package = _package_of(entry)
            sha256 = code_sha256(package)
        except Exception as failure:  # a third party's module may raise anything while it is imported
            hint = f"loading {entry.value} raised {type(failure).__name__}"
            raise _refusal("plugin.invalid", entry.name, hint) from failure
        flaw = self._flaw(plugin, entry.name)
        if flaw:
            raise _refusal("plugin.invalid", entry.name, f"{entry.value} {flaw}")
        return _Loaded(cast(P, plugin), sha256, Path(package.__file__ or "").parent)

    def _unknown(self, name: str) -> Misconfigured:
        return _refusal("plugin.unknown", name, did_you_mean(name, self._known))

    def _flaw(self, plugin: object, name: str) -> str:
        raise NotImplementedError


class Mappings(_Shelf[Mapping]):
    """The installed mappings by name and version (`bauantrag@2`); several versions stand side by side.

    `get` raises `Misconfigured` with `mapping.version.missing` when only other versions are installed, otherwise
    `plugin.unknown`, `plugin.duplicate` or `plugin.invalid`.
    """

    def __init__(self, find: EntryPoints = installed) -> None:
        super().__init__(MAPPINGS, find)

    def reading(self, name: str, root: str) -> Mapping:
        """`get`; raises `Misconfigured("route.root.mismatch")` too, when the mapping does not read payloads of this root."""
        mapping = self.get(name)
        if not reads(mapping, root):
            raise _refusal("route.root.mismatch", name, f"reads {' or '.join(roots_of(mapping))}")
        return mapping

    def _unknown(self, name: str) -> Misconfigured:
        family = name.partition("@")[0]
        versions = [known for known in self.names() if known.partition("@")[0] == family]
        if versions:
            return _refusal("mapping.version.missing", name, f"installed: {', '.join(versions)}")
        return super()._unknown(name)

    def _flaw(self, plugin: object, name: str) -> str:
        if isinstance(plugin, type):
            return "is a class: name an instance"
        for attribute, kind in (("name", str), ("version", int), ("input_root", str), ("standard", str)):
            if not isinstance(getattr(plugin, attribute, None), kind):
                return f"has no {attribute} ({kind.__name__})"
        further: object = getattr(plugin, "further_roots", ())
        if not isinstance(further, tuple) or not all(isinstance(one, str) for one in further):
            return "has further_roots that are no tuple of str"
        settings = getattr(plugin, "settings_type", None)
        if settings is not None and not is_frozen(settings):
            return "has a settings_type that is no frozen dataclass"
        mapping = cast(Mapping, plugin)
        if f"{mapping.name}@{mapping.version}" != name:
            return f"calls itself {mapping.name}@{mapping.version}"
        return "" if takes(plugin, "map", 2) else "has no map(antrag, kontext)"


class Connectors(_Shelf[ConnectorFactory]):
    """The installed connectors by name; `get` gives the factory that builds an instance per target.

    Raises `Misconfigured` with `plugin.unknown`, `plugin.duplicate` or `plugin.invalid`. With `isolate` a connector of
    another distribution than ours is not loaded here, but opened by it.
    """

    def __init__(
        self, find: EntryPoints = installed, *, isolate: Callable[[EntryPoint], ConnectorFactory] | None = None
    ) -> None:
        super().__init__(CONNECTORS, find)
        self._isolate = isolate
        self._refused: dict[str, Misconfigured] = {}

    def _flaw(self, plugin: object, name: str) -> str:
        return connector_flaw(plugin, name)

    def _open(self, entry: EntryPoint) -> _Loaded[ConnectorFactory]:
        if self._isolate is None or not is_foreign(entry):
            return super()._open(entry)
        if entry.name not in self._refused:
            try:
                return _Loaded(self._isolate(entry), "", Path())
            except Misconfigured as refusal:  # what is installed does not change, and to find out can take long
                self._refused[entry.name] = refusal
        raise self._refused[entry.name]


def is_foreign(entry: EntryPoint) -> bool:
    """Whether a plug-in comes from another distribution than the intermediary's own."""
    return entry.dist is None or entry.dist.name.lower().replace("_", "-") != OUR_DISTRIBUTION


def check_plugins(table: RoutingTable, mappings: Mappings, connectors: Connectors) -> tuple[Befund, ...]:
    """Load everything the routes name; one finding per name that cannot be had, with the path in the routes file."""
    return tuple(_check(table, mappings, connectors))


def _check(table: RoutingTable, mappings: Mappings, connectors: Connectors) -> Iterator[Befund]:
    for route in table.routes:
        path = f"route[{route.name}]"
        try:
            mapping = mappings.get(route.mapping)
        except Misconfigured as refusal:
            yield from _at(f"{path}.mapping", refusal)
        else:
            if route.when.root is not None and not reads(mapping, route.when.root):
                hint = f"mapping {route.mapping} reads {' or '.join(roots_of(mapping))}"
                yield Befund(code="route.root.mismatch", path=f"{path}.when.root", hint=hint)
        for target in route.targets:
            try:
                connectors.get(target.connector)
            except Misconfigured as refusal:
                yield from _at(f"{path}.target[{target.name}].connector", refusal)


def _at(path: str, refusal: Misconfigured) -> Iterator[Befund]:
    for finding in refusal.findings:
        yield dataclasses.replace(finding, path=path)


def _refusal(code: str, name: str, hint: str) -> Misconfigured:
    return Misconfigured(code, where=f"plug-in {name}", findings=(Befund(code=code, path=name, hint=hint),))


def _package_of(entry: EntryPoint) -> ModuleType:
    """The package whose files make up the plug-in: the one its module lies in, or the module if it stands alone."""
    module = importlib.import_module(entry.module)
    return sys.modules[module.__package__] if module.__package__ else module


def _owner(entry: EntryPoint) -> str:
    """What an operator can uninstall: the distribution, and which of its objects has the name."""
    return f"{entry.dist.name} ({entry.value})" if entry.dist is not None else entry.value
