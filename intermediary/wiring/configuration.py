"""What may change while the daemon runs: routes, keyrings, schemas; made anew when a file has changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import structlog

from intermediary.connect.lane.connector import LaneConnector
from intermediary.connect.places import Places
from intermediary.connect.settings import Isolated, open_connector
from intermediary.core.faults import Fault, Misconfigured
from intermediary.core.ports import Connector
from intermediary.core.targets import TargetRef, target_name
from intermediary.deliver import OpenTarget
from intermediary.keys.partners import Partners
from intermediary.keys.partners import named_files as certificate_files
from intermediary.keys.ring import Keyring, named_files
from intermediary.keys.spool import Spool
from intermediary.pipeline import Werkbank
from intermediary.route.files import read_all, watched
from intermediary.route.plugins import Mappings
from intermediary.route.table import Route, RoutingTable, Target, parse_routes
from intermediary.route.targets import target_refs
from intermediary.settings.models import Mandant, Settings
from intermediary.unseal.circumstances import Circles
from intermediary.unseal.mandant import Mandantenschluessel
from intermediary.unseal.policy import profile
from intermediary.validate.catalogue import Catalogue
from intermediary.wiring.installation import spool_folder
from intermediary.wiring.plugins import connectors

log = structlog.get_logger(__name__)


class Configuration:
    """The changeable part of the configuration, one generation at a time; safe for all threads of a process.

    A generation that does not load leaves the one before in force, logs why and says so as `refused`: a typing error in the
    routes file must not stop what runs. `threads` are those of the process that deliver.
    """

    def __init__(self, settings: Settings, *, threads: int = 1) -> None:
        self._settings = settings
        self._threads = threads
        self._lock = threading.Lock()
        self._spool = Spool(spool_folder(settings))
        self._mappings = Mappings()
        self._connectors = connectors(settings)
        self._key_files = self._named_files()
        self._fingerprint = self._look()
        self._generation = 0
        self._refused: Fault | None = None
        self._places: dict[str, Places] = {}
        self._in_force = self._load()

    @property
    def generation(self) -> int:
        """Counts how often the configuration was made anew."""
        return self._generation

    @property
    def refused(self) -> Fault | None:
        """Why the files as they are now are not in force; None once a configuration is accepted again."""
        return self._refused

    def bank(self) -> Werkbank:
        """The current generation; looks at the files' stamps first, which takes microseconds.

        Whoever asks while it is made anew waits for it: what a person changed is in force for all that is taken up after it.
        """
        return self._current()[0]

    def _current(self) -> tuple[Werkbank, Mapping[str, TargetRef]]:
        """Bank and targets of one generation."""
        if self._look() != self._fingerprint:
            with self._lock:
                seen = self._look()
                if seen != self._fingerprint:
                    self._renew(seen)
        return self._in_force

    def target(self, mandant: str, route: str, name: str) -> OpenTarget:
        """Open a target of a route: build its connector from the route's settings."""
        planned, found, ref = self._planned(mandant, route, name)
        connector = self._built(found, where=f"route {route}, target {name}")
        schedule = self._settings.delivery.schedule
        if found.deadline_hours is not None:
            schedule = replace(schedule, deadline=timedelta(hours=found.deadline_hours))
        return OpenTarget(
            connector=connector,
            schedule=schedule,
            takes_tests=planned.stage == "test",
            ref=ref,
            places=self._places_at(ref.id, self._most_at(connector)),
        )

    def own_connector(self, target: str) -> Connector | None:
        """The connector of a target (`mandant/route/target`), built for one use; None for a vendor's, which needs a lane."""
        mandant, route, name = target.split("/")
        _, found, _ = self._planned(mandant, route, name)
        if isinstance(self._connectors.get(found.connector), Isolated):
            return None
        return self._built(found, where=f"route {route}, target {name}")

    def _planned(self, mandant: str, route: str, name: str) -> tuple[Route, Target, TargetRef]:
        bank, refs = self._current()
        planned = bank.table.by_name(mandant, route)
        found = _target_of(planned, name)
        if planned is None or found is None:
            raise Misconfigured("target.misconfigured", where=f"route {route}, target {name}")
        return planned, found, refs[target_name(mandant, route, name)]

    def _built(self, target: Target, where: str) -> Connector:
        factory = self._connectors.get(target.connector)
        return open_connector(factory, target.settings, base=self._settings.installation.routes.parent, where=where)

    def _most_at(self, connector: Connector) -> int:
        """How many threads a target may have: of a vendor's connector, which may hang as long as it can, never all."""
        most = connector.manifest.concurrency
        return min(most, max(1, self._threads - 1)) if isinstance(connector, LaneConnector) else most

    def _places_at(self, target: str, most: int) -> Places:
        """The same for all threads, whoever opens the target."""
        with self._lock:
            places = self._places.setdefault(target, Places(most))
        places.allow(most)
        return places

    def targets(self) -> tuple[TargetRef, ...]:
        """Every target of the current generation."""
        return tuple(dict.fromkeys(self._current()[1].values()))

    def _renew(self, seen: tuple[object, ...]) -> None:
        try:
            named = self._named_files()
            if named != self._key_files:
                self._key_files = named
                seen = self._look()
            self._in_force = self._load()
        except Fault as fault:
            self._refused = fault
            log.error("configuration.refused", code=fault.code, where=fault.where)
        except Exception as failure:  # whatever a file may hold, it must not end what runs with the one before
            self._refused = Fault("bug.unexpected", where=type(failure).__name__)
            log.error("configuration.refused", failure=type(failure).__name__)
        else:
            self._refused = None
            self._generation += 1
            log.info("configuration.renewed", generation=self._generation)
        self._fingerprint = seen  # last: until then the others wait at the lock

    def _load(self) -> tuple[Werkbank, Mapping[str, TargetRef]]:
        settings = self._settings
        table = read_routes(settings.installation.routes)
        bank = Werkbank(
            schluessel={m.name: read_schluessel(m) for m in settings.mandant},
            catalogue=read_catalogue(settings, table, self._mappings),
            table=table,
            mappings=self._mappings,
            spool=self._spool,
            circles=read_circles(settings),
            files=read_all(table, settings.installation.routes.parent),
        )
        return bank, target_refs(table, settings.delivery.rules)

    def _look(self) -> tuple[object, ...]:
        settings = self._settings
        watched = [settings.installation.routes, settings.schemas.folder, *(m.keyring for m in settings.mandant)]
        partners = settings.installation.partners
        return tuple(_stamp(path) for path in (*watched, *([partners] if partners else []), *self._key_files))

    def _named_files(self) -> tuple[Path, ...]:
        """What keyrings, partner directory and routes refer to: a file renewed under its old name is a new configuration."""
        partners = self._settings.installation.partners
        found = [path for m in self._settings.mandant for path in named_files(m.keyring)]
        found += certificate_files(partners) if partners else ()
        return (*found, *_route_files(self._settings.installation.routes))


def read_routes(path: Path) -> RoutingTable:
    """The routing table of a file; `Misconfigured` when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("route.table.invalid", where=str(path)) from error
    return parse_routes(text, where=str(path))


def _route_files(routes: Path) -> tuple[Path, ...]:
    try:
        return watched(read_routes(routes), routes.parent)
    except Misconfigured:
        return ()  # loading says what is wrong


def read_partners(settings: Settings) -> Partners:
    """The partner directory, empty where none is configured; `Misconfigured` when it cannot be read."""
    path = settings.installation.partners
    return Partners.load(path) if path else Partners()


def read_circles(settings: Settings) -> Circles:
    """Who may hand in through which channel; `Misconfigured` when a partner that a channel names is not listed."""
    partners = read_partners(settings)
    return Circles(partners, {one.name: partners.named(one.partner) for one in settings.channel if one.partner})


def read_catalogue(settings: Settings, table: RoutingTable, mappings: Mappings) -> Catalogue:
    """The schemas and code lists that documents are checked against; `Misconfigured` when a package is not as it was."""
    own = own_schemas(table, mappings)
    return Catalogue.open(settings.schemas.folder, own, demanded_lists=frozenset(settings.schemas.demanded_lists))


def own_schemas(table: RoutingTable, mappings: Mappings) -> tuple[Path, ...]:
    """The input schemas that the mappings of these routes bring along; a mapping that is missing brings none."""
    folders = []
    for name in sorted({route.mapping for route in table.routes}):
        try:
            folders.append(mappings.folder(name) / "schema")
        except Misconfigured:
            continue
    return tuple(folder for folder in folders if folder.is_dir())


def read_schluessel(mandant: Mandant) -> Mandantenschluessel:
    """The keyring of a Mandant and the policy it names; `Misconfigured` when it cannot be read."""
    ring = Keyring.load(mandant.keyring)
    return Mandantenschluessel(name=mandant.name, keyring=ring, policy=profile(ring.policy, until=ring.policy_until))


def _target_of(route: Route | None, name: str) -> Target | None:
    return next((target for target in route.targets if target.name == name), None) if route else None


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
