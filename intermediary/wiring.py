"""Builds everything from the settings: the only place where rooms meet.

`open_installation` gives what is made once per process (store, keys); `Configuration` gives what may change while the
daemon runs (routes, keyrings, schemas) and makes it anew when a file has changed; `bench` gives what one worker thread
works with.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from intermediary.connect.settings import open_connector
from intermediary.core.faults import Fault, Misconfigured
from intermediary.deliver import Deliverer, OpenTarget, Timing
from intermediary.ingress.amqp import AmqpAnswers, AmqpDoor, AmqpSettings
from intermediary.ingress.claims import Claims
from intermediary.ingress.doors import Door, DoorRules, Take
from intermediary.ingress.folder import FolderDoor, FolderSettings
from intermediary.ingress.folder_answers import FolderAnswers
from intermediary.ingress.spool import Spool
from intermediary.keys.ring import Keyring, named_files
from intermediary.keys.signing import SigningKey, create_signing_key
from intermediary.keys.wrap import KekFiles, MandantKeys
from intermediary.pipeline import Mandantenschluessel, Werkbank
from intermediary.receipt import Answers, Receipts
from intermediary.route.plugins import Connectors, Mappings
from intermediary.route.table import Route, RoutingTable, Target, parse_routes
from intermediary.settings.load import load
from intermediary.settings.models import Channel, Settings
from intermediary.store import open_store
from intermediary.store.look import Look, look_into_store
from intermediary.store.store import Store
from intermediary.unseal.policy import profile
from intermediary.validate.catalogue import Catalogue
from intermediary.worker import Bench

log = structlog.get_logger(__name__)

SIGNING_KEY = "audit.key"

_INSTALLATIONS = uuid.UUID("5b1a3c0e-8c6f-5d3a-9a3e-6f0c2d7e4b11")


def utc_now() -> datetime:
    """The wall clock; the only place that reads it for the pipeline."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Installation:
    """What is opened once per process. Close it by `store.close()`."""

    settings: Settings
    store: Store
    signing: SigningKey


def open_installation(config: Path) -> Installation:
    """Read the settings and open store and keys; raises `ConfigurationError` or `Misconfigured`, naming the place."""
    settings = load(config)
    data = settings.installation.data
    store = open_store(
        data=data,
        installation=installation_id(settings.installation.name),
        keys=_mandant_keys(settings),
        lease=timedelta(seconds=settings.store.lease_seconds),
    )
    return Installation(settings=settings, store=store, signing=_signing_key(data / SIGNING_KEY))


def look_into_installation(settings: Settings) -> Look | None:
    """What is in the store, without any effect; None when there is none yet. Raises like `look_into_store`."""
    return look_into_store(
        data=settings.installation.data,
        installation=installation_id(settings.installation.name),
        keys=_mandant_keys(settings),
    )


def installation_id(name: str) -> uuid.UUID:
    """The id that all Nachricht ids and idempotency keys of an installation are derived from: stable over a restore."""
    return uuid.uuid5(_INSTALLATIONS, name)


class Configuration:
    """The changeable part of the configuration, one generation at a time; safe for all threads of a process.

    A generation that does not load leaves the one before in force and logs why: a typing error in the routes file must not
    stop what runs.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._mappings = Mappings()
        self._connectors = Connectors()
        self._key_files = self._named_files()
        self._fingerprint = self._look()
        self._generation = 0
        self._bank = self._load()

    @property
    def generation(self) -> int:
        """Counts how often the configuration was made anew."""
        return self._generation

    def bank(self) -> Werkbank:
        """The current generation; looks at the files' stamps first, which takes microseconds."""
        seen = self._look()
        if seen != self._fingerprint:
            with self._lock:
                if seen != self._fingerprint:
                    self._renew(seen)
        return self._bank

    def target(self, mandant: str, route: str, name: str) -> OpenTarget:
        """Open a target of a route: build its connector from the route's settings."""
        planned = self.bank().table.by_name(mandant, route)
        found = _target_of(planned, name)
        if planned is None or found is None:
            raise Misconfigured("target.misconfigured", where=f"route {route}, target {name}")
        factory = self._connectors.get(found.connector)
        base = self._settings.installation.routes.parent
        connector = open_connector(factory, found.settings, base=base, where=f"route {route}, target {name}")
        schedule = self._settings.delivery.schedule
        if found.deadline_hours is not None:
            schedule = replace(schedule, deadline=timedelta(hours=found.deadline_hours))
        return OpenTarget(connector=connector, schedule=schedule, takes_tests=planned.stage == "test")

    def _renew(self, seen: tuple[object, ...]) -> None:
        named = self._named_files()
        if named != self._key_files:
            self._key_files = named
            seen = self._look()
        self._fingerprint = seen
        try:
            self._bank = self._load()
        except Fault as fault:
            log.error("configuration.refused", code=fault.code, where=fault.where)
            return
        except Exception as failure:  # whatever a file may hold, it must not end what runs with the one before
            log.error("configuration.refused", failure=type(failure).__name__)
            return
        self._generation += 1
        log.info("configuration.renewed", generation=self._generation)

    def _load(self) -> Werkbank:
        settings = self._settings
        table = read_routes(settings.installation.routes)
        return Werkbank(
            schluessel={m.name: _schluessel(m.keyring) for m in settings.mandant},
            catalogue=Catalogue.open(settings.schemas.folder, own_schemas(table, self._mappings)),
            table=table,
            mappings=self._mappings,
        )

    def _look(self) -> tuple[object, ...]:
        settings = self._settings
        watched = [settings.installation.routes, settings.schemas.folder, *(m.keyring for m in settings.mandant)]
        return tuple(_stamp(path) for path in (*watched, *self._key_files))

    def _named_files(self) -> tuple[Path, ...]:
        """What the keyrings refer to: a certificate renewed under its old name is a new configuration too."""
        return tuple(path for m in self._settings.mandant for path in named_files(m.keyring))


def read_routes(path: Path) -> RoutingTable:
    """The routing table of a file; `Misconfigured` when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("route.table.invalid", where=str(path)) from error
    return parse_routes(text, where=str(path))


def own_schemas(table: RoutingTable, mappings: Mappings) -> tuple[Path, ...]:
    """The input schemas that the mappings of these routes bring along; a mapping that is missing brings none."""
    folders = []
    for name in sorted({route.mapping for route in table.routes}):
        try:
            folders.append(mappings.folder(name) / "schema")
        except Misconfigured:
            continue
    return tuple(folder for folder in folders if folder.is_dir())


def bench(
    installation: Installation,
    configuration: Configuration,
    answers: Mapping[str, Answers | None],
    *,
    now: Callable[[], datetime] = utc_now,
    jitter: Callable[[], float] = random.random,
) -> Bench:
    """What one worker thread works with: its own connectors, and the process's ways back (`all_answers`)."""
    settings = installation.settings
    timing = Timing(schedule=settings.delivery.schedule, recheck=settings.delivery.recheck)
    targets = _OpenTargets(configuration)
    return Bench(
        store=installation.store,
        bank=configuration.bank,
        deliverer=Deliverer(installation.store, target=targets, timing=timing, now=now, jitter=jitter),
        receipts=Receipts(installation.store, answers.get),
        timing=timing,
        now=now,
        jitter=jitter,
    )


class _OpenTargets:
    """The targets one worker thread has opened; forgotten when the configuration changes."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._generation = -1
        self._open: dict[tuple[str, str, str], OpenTarget] = {}

    def __call__(self, mandant: str, route: str, name: str) -> OpenTarget:
        if self._generation != self._configuration.generation:
            self._generation = self._configuration.generation
            self._open.clear()
        key = (mandant, route, name)
        if key not in self._open:
            self._open[key] = self._configuration.target(*key)
        return self._open[key]


def door_rules(channel: Channel) -> DoorRules:
    """What a channel lets in, by its settings."""
    return DoorRules(
        channel=channel.name,
        mandanten=tuple(channel.mandanten),
        max_bytes=channel.max_bytes,
        max_claim_bytes=channel.max_bytes,
        reply_to=frozenset(channel.amqp.reply_to) if channel.amqp else frozenset(),
    )


def spool_folder(settings: Settings) -> Path:
    """Where large bodies wait between arrival and `take`, encrypted and without a name."""
    return settings.installation.data / "spool"


def open_door(channel: Channel, take: Take, *, spool: Spool, now: Callable[[], datetime] = utc_now) -> Door:
    """The door of a channel, ready to be run in a thread of its own."""
    rules = door_rules(channel)
    if channel.folder is not None:
        return FolderDoor(FolderSettings(inbox=channel.folder.inbox), rules, take=take, clock=now, spool=spool)
    if channel.amqp is None:
        raise ValueError("a channel has a door")
    amqp = channel.amqp
    folders = {name: store.folder for name, store in amqp.claims.items()}
    return AmqpDoor(
        AmqpSettings(url=_secret(amqp.url_file), queue=amqp.queue, prefetch=amqp.prefetch),
        rules,
        take=take,
        clock=now,
        spool=spool,
        claims=Claims(folders, spool=spool, max_bytes=rules.max_claim_bytes) if folders else None,
    )


def open_answers(channel: Channel) -> Answers | None:
    """The way back of a channel; None where it has none."""
    answer = channel.answer
    if answer is not None and answer.folder is not None:
        return FolderAnswers(answer.folder)
    if channel.amqp is not None and (answer is not None or channel.amqp.reply_to):
        queue = answer.queue if answer is not None else None
        return AmqpAnswers(_secret(channel.amqp.url_file), queue=queue or "", name=f"{channel.name} answers")
    return None


def all_answers(settings: Settings) -> dict[str, Answers | None]:
    """The ways back of all channels; made once per process and shared by its threads."""
    return {channel.name: open_answers(channel) for channel in settings.channel}


def _mandant_keys(settings: Settings) -> MandantKeys:
    return MandantKeys({m.name: KekFiles(current=m.kek_file, previous=m.previous_kek_files) for m in settings.mandant})


def _signing_key(path: Path) -> SigningKey:
    """The installation's key for audit heads; made at the first start, by whoever comes first."""
    try:
        return create_signing_key(path)
    except FileExistsError:
        return SigningKey(path)


def _schluessel(path: Path) -> Mandantenschluessel:
    ring = Keyring.load(path)
    return Mandantenschluessel(keyring=ring, policy=profile(ring.policy, until=ring.policy_until))


def _target_of(route: Route | None, name: str) -> Target | None:
    return next((target for target in route.targets if target.name == name), None) if route else None


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Misconfigured("key.unavailable", where=str(path)) from error
