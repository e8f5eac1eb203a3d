"""What is opened once per process: settings, store and keys."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from intermediary.audit.sealer import Head
from intermediary.audit.second_place import read_heads
from intermediary.core.clock import Judgement, Reading, judge
from intermediary.core.faults import Misconfigured, Transient
from intermediary.keys.signing import SigningKeyFile, create_signing_key
from intermediary.keys.wrap import KekFiles, MandantKeys
from intermediary.settings.load import load
from intermediary.settings.models import Settings
from intermediary.store import open_store
from intermediary.store.copy import Place, copy_store
from intermediary.store.demands import demands_of
from intermediary.store.fair import Share
from intermediary.store.look import Look, is_begun, look_into_store
from intermediary.store.look import look_at_targets as look_at_targets_of
from intermediary.store.owners import is_alive
from intermediary.store.pour import Watch
from intermediary.store.pulse import feel_store
from intermediary.store.server import Server, look_at_server
from intermediary.store.store import Store
from intermediary.store.targets import Standing
from intermediary.wiring.time import HostClocks, Timekeeper, utc_now

SIGNING_KEY = "audit.key"

_INSTALLATIONS = uuid.UUID("5b1a3c0e-8c6f-5d3a-9a3e-6f0c2d7e4b11")


@dataclass(frozen=True, slots=True)
class Installation:
    """What is opened once per process. Close it by `store.close()`.

    `now` is the time of the installation (docs/decisions/0009): everything that is due, leased or remembered is told in it.
    """

    settings: Settings
    store: Store
    signing: SigningKeyFile
    time: Timekeeper

    def now(self) -> datetime:
        """The present moment by the time of the installation."""
        return self.time.clock.now()


def open_installation(config: Path, *, begins: bool = True, needs_keys: bool = True) -> Installation:
    """Read the settings and open store, keys and clock; raises `ConfigurationError`, `Misconfigured`, naming the place.

    Unless it `begins` one, `Misconfigured("store.absent")` where no store is, and nothing is created.
    Unless it `needs_keys`, a KEK that does not open or fit is told where it is needed: who only looks needs none.
    """
    settings = load(config)
    data = settings.installation.data
    _demand_not_lost(settings)
    if not begins and not is_begun(data=data, url=store_url(settings)):
        raise Misconfigured("store.absent", where=str(settings.store.url_file or data))
    store = open_store(
        data=data,
        installation=installation_id(settings.installation.name),
        keys=mandant_keys(settings, must_open=needs_keys),
        lease=timedelta(seconds=settings.store.lease_seconds),
        url=store_url(settings),
        shares={m.name: Share(weight=m.share, most_at_once=m.most_at_once) for m in settings.mandant},
    )
    try:
        keeper = Timekeeper(store.pulse)
        keeper.look()
        store.approvals.remembered.add(demands_of(settings.approvals.required, settings.approvals.same_person))
        return Installation(settings=settings, store=store, signing=signing_key(data / SIGNING_KEY), time=keeper)
    except BaseException:
        store.close()
        raise


def look_into_installation(settings: Settings) -> Look | None:
    """What is in the store, without any effect; None when there is none yet. Raises like `look_into_store`."""
    return look_into_store(
        data=settings.installation.data,
        installation=installation_id(settings.installation.name),
        keys=mandant_keys(settings),
        url=store_url(settings),
    )


def look_at_targets(settings: Settings) -> Standing | None:
    """How all targets stand, without any effect; None when there is no store yet, or one of an older program."""
    return look_at_targets_of(data=settings.installation.data, url=store_url(settings))


def judge_time(settings: Settings) -> Judgement | None:
    """Whether the clock of this host would be believed, without any effect; None when there is no store yet.

    `Transient` when the store does not answer.
    """
    clocks = HostClocks()
    asked = clocks.boot()
    beat = feel_store(settings.installation.data, store_url(settings), clocks.boot_id())
    if beat is None:
        return None
    boot, wall = clocks.boot(), clocks.wall()
    half = (boot - asked) / 2
    return judge(Reading(boot, wall, None if beat.server is None else beat.server + half, half), beat.memory)


def look_at_database(settings: Settings) -> Server | None:
    """What the database server is like; None for the file under `installation.data`. Raises like `look_at_server`."""
    url = store_url(settings)
    return look_at_server(url, utc_now) if url else None


def copy_rows(source: Settings, target: Settings, *, watch: Watch) -> dict[str, int]:
    """Copy the rows of a store to where other settings have it (`copy_store`)."""
    now = utc_now()
    is_shared = bool(store_url(source))
    return copy_store(
        store_place(source),
        store_place(target),
        installation=installation_id(source.installation.name),
        is_alive=lambda owner: is_alive(owner, is_shared=is_shared),
        watch=watch,
        now=now,
    )


def store_place(settings: Settings) -> Place:
    """Where the store of these settings is, and what opens its keys."""
    return Place(data=settings.installation.data, url=store_url(settings), keys=mandant_keys(settings))


def installation_id(name: str) -> uuid.UUID:
    """The id that all Nachricht ids and idempotency keys of an installation are derived from: stable over a restore."""
    return uuid.uuid5(_INSTALLATIONS, name)


def spool_folder(settings: Settings) -> Path:
    """Where large bodies and their opened parts are while they are worked on, encrypted and without a name."""
    return settings.installation.spool or settings.installation.data / "spool"


def secret(path: Path) -> str:
    """The one line in a file of secrets (a URL with its password); `Misconfigured("key.unavailable")` without it."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("key.unavailable", where=str(path)) from error


def mandant_keys(settings: Settings, *, must_open: bool = True) -> MandantKeys:
    """The KEKs of all Mandanten; raises like `MandantKeys`."""
    files = {m.name: KekFiles(current=m.kek_file, previous=m.previous_kek_files) for m in settings.mandant}
    return MandantKeys(files, must_open=must_open)


def store_url(settings: Settings) -> str:
    """The URL of the database, with its password; empty for the file under `installation.data`.

    `Misconfigured("store.url.invalid")` when the file that is named cannot be read or is empty: that must never mean
    another database than the one that was meant.
    """
    file = settings.store.url_file
    if file is None:
        return ""
    try:
        url = secret(file)
    except Misconfigured as fault:
        raise Misconfigured("store.url.invalid", where=str(file)) from fault
    if not url:
        raise Misconfigured("store.url.invalid", where=str(file))
    return url


def _demand_not_lost(settings: Settings) -> None:
    """Heads at the second place prove that there was a key: where it is gone nothing is begun anew, by nobody."""
    key = settings.installation.data / SIGNING_KEY
    if key.exists():
        return
    heads: tuple[Head, ...] = ()
    with suppress(Transient):  # whoever writes there says that the place is away
        heads = read_heads(settings.audit.heads_folder)
    if heads:
        raise Misconfigured("audit.key.lost", where=str(key))


def signing_key(path: Path) -> SigningKeyFile:
    """The installation's key for audit heads; made at the first start, by whoever comes first."""
    with suppress(FileExistsError):
        create_signing_key(path)
    return SigningKeyFile(path)
