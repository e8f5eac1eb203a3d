"""What a store with millions of Nachrichten costs beside an empty one: intake, claim, search; both asked in turn."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median

from sqlalchemy import create_engine, make_url

from bench.multiply import multiply
from bench.throughput import seal_letters, use_reader
from intermediary.cli.quiet import quiet_logs
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import OSCI_MIME
from intermediary.pipeline import judge
from intermediary.store.owners import own_name
from intermediary.store.records import NachrichtRecord
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, make_site
from intermediary.testing.postgres import PrivatePostgres
from intermediary.wiring import Configuration, all_answers, bench, open_installation, utc_now
from intermediary.worker import Worker, sendung_of

_MILLION = 1_000_000
_PATTERNS = 20
_PROBES = 300
_LOOKS = 20
_PAGE = 50
_WARM_UP = 3_000
"""Before it is measured each store takes so many: the upper pages of its indexes are in memory, as they are in a store that
has grown by itself.
"""

_MEMORY = ("shared_buffers=2GB",)
_SERVER = ("max_wal_size = '2GB'", "autovacuum = off")
"""Autovacuum would go through all that was made in one go while we measure; a store that grew by itself has none of that to
catch up with. What it learns on its way both stores are told by `ANALYZE`; no program tells SQLite, so neither do we.
"""

_MOST = {"take": 1.1, "claim": 1.1}
_MOST_SEARCH_MS = 300


def measure(postgresql_millions: int = 10, sqlite_millions: int = 1) -> None:
    """Both engines; 0 leaves one out."""
    for engine, millions in (("sqlite", sqlite_millions), ("postgresql", postgresql_millions)):
        if millions:
            with tempfile.TemporaryDirectory(prefix="intermediary-bench.") as folder:
                _measure(Path(folder), engine, millions * _MILLION)


def _measure(folder: Path, engine: str, rows: int) -> None:
    quiet_logs()
    with PrivatePostgres(settings=_MEMORY) if engine == "postgresql" else nullcontext() as server:
        if server is not None:
            for setting in _SERVER:
                server.execute(f"ALTER SYSTEM SET {setting}")
            server.execute("SELECT pg_reload_conf()")
        empty, full = (_Desk(folder / name, server) for name in ("empty", "full"))
        started = time.perf_counter()
        multiply(create_engine(full.url), rows)
        if server is not None:
            server.execute("ANALYZE", database=str(empty.url.database))
        print(f"{engine}: {rows:,} stored Nachrichten, made in {time.perf_counter() - started:.0f} s; medians in ms")
        for desk in (empty, full):
            for _ in range(_WARM_UP):
                desk.take()
        for name, probe in _PROBED.items():
            times = _PROBES if name in _MOST else _LOOKS
            rounds = [(probe(empty), probe(full)) for _ in range(times)]
            few, many = (median(column) for column in zip(*rounds, strict=True))
            ratio = median(one / other for other, one in rounds)
            limit = f"at most {_MOST[name]}" if name in _MOST else f"at most {_MOST_SEARCH_MS} ms"
            print(f"  {name:26} empty {few:8.3f}   full {many:8.3f}   ratio {ratio:5.2f}   ({limit})")
        for desk in (empty, full):
            desk.close()


class _Desk:
    """One process at work on an installation of its own."""

    def __init__(self, folder: Path, server: PrivatePostgres | None) -> None:
        site = make_site(folder, now=utc_now(), settings=golden_settings())
        use_reader(site)
        url = server.database() if server is not None else f"sqlite:///{site.folder / 'data' / 'store.db'}"
        if server is not None:
            site.use_database(url)
        self.url = make_url(url).set(drivername="postgresql+psycopg" if server is not None else "sqlite")
        self._installation = open_installation(site.config)
        self._configuration = Configuration(self._installation.settings)
        self._store = self._installation.store
        self._sealed = seal_letters(site)
        self._sent = 0
        for _ in range(_PATTERNS):
            self.take()
        answers = all_answers(self._installation.settings, self._configuration)
        Worker(bench(self._installation, self._configuration, answers), owner=own_name()).drain()
        self._pattern = next(iter(self._store.find(limit=1)))
        judgement = judge(sendung_of(self._pattern, self._store.body(self._pattern.id)), self._configuration.bank())
        self._aktenzeichen = judgement.ausgabe.business_keys["aktenzeichen"]
        self._leika = str(judgement.facts["leika"])

    def take(self) -> float:
        """Milliseconds of one intake."""
        self._sent += 1
        eingang = Eingang(
            mandant=MANDANT,
            channel="eingang",
            message_id=f"urn:bench:{self._sent}",
            content_type=OSCI_MIME,
            received_at=utc_now(),
            body=MemoryContent(self._sealed[self._sent % len(self._sealed)]),
        )
        return _ms(lambda: self._store.take([eingang]))

    def claim(self) -> float:
        """Milliseconds of one claim of what `take` has left; it is kept."""
        return _ms(lambda: self._store.claim(own_name(), utc_now(), limit=1))

    def search(self) -> float:
        """Milliseconds until everything with one Aktenzeichen is found."""
        return _ms(lambda: self._demand(list(self._store.find(search_key=self._aktenzeichen, limit=_PAGE))))

    def search_leika(self) -> float:
        """Milliseconds until the newest with a LeikaId are found; all Nachrichten have the same one."""
        return _ms(lambda: self._demand(list(self._store.find(search_key=self._leika, limit=_PAGE))))

    def newest(self) -> float:
        """Milliseconds until the newest of one route are found."""
        return _ms(lambda: self._demand(list(self._store.find(route=self._pattern.route, limit=_PAGE))))

    def show(self) -> float:
        """Milliseconds until one Nachricht is shown with its Zustellungen and events."""
        one = self._pattern.id
        return _ms(lambda: (self._store.get(one), self._store.zustellungen(one), self._store.events(one)))

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    def _demand(self, found: list[NachrichtRecord]) -> None:
        if not found:
            raise AssertionError("what is there was not found")


_PROBED: dict[str, Callable[[_Desk], float]] = {
    "take": _Desk.take,
    "claim": _Desk.claim,
    "search Aktenzeichen": _Desk.search,
    "search LeikaId, 50 newest": _Desk.search_leika,
    "list a route, 50 newest": _Desk.newest,
    "show one": _Desk.show,
}


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)
