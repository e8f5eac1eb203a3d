"""The three pages: `/healthz`, `/readyz`, `/metrics`. Each is made from what is known already, and answers at once."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from intermediary.audit.events import EVENTS
from intermediary.core.breaker import TargetState
from intermediary.core.codes import CATALOGUE
from intermediary.core.states import NachrichtState
from intermediary.daemon.health.metrics import CONTENT_TYPE, family
from intermediary.daemon.health.processes import Processes
from intermediary.daemon.health.sample import Measures, Sampler
from intermediary.settings.models import Settings

_OTHER = "other"
_NO_STORE = {"Cache-Control": "no-store"}


def pages(settings: Settings, processes: Processes, sampler: Sampler) -> Starlette:
    """The application; everything else than GET and HEAD of the three is 404 or 405."""
    figures = Figures(settings, processes, sampler)

    async def healthz(_request: Request) -> Response:
        found = processes.living()
        return JSONResponse(found.as_json(), 200 if found.is_alive else 503, _NO_STORE)

    async def readyz(_request: Request) -> Response:
        found = processes.taking()
        return JSONResponse(found.as_json(), 200 if found.is_ready else 503, _NO_STORE)

    async def metrics(_request: Request) -> Response:
        return PlainTextResponse(figures.text(), 200, _NO_STORE, CONTENT_TYPE)

    app = Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
        ]
    )
    app.router.redirect_slashes = False
    return app


class Figures:
    """All metrics. A figure of the store is left out while the store does not answer; a counter never goes back."""

    def __init__(
        self,
        settings: Settings,
        processes: Processes,
        sampler: Sampler,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channels = tuple(one.name for one in settings.channel)
        self._processes = processes
        self._sampler = sampler
        self._ticks = ticks

    def text(self) -> str:
        """The page."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        build = {"version": version("xta-osci-intermediary"), "python": platform.python_version()}
        yield from family("build_info", "gauge", "Version of the program.", [(build, 1)])
        yield from self._own_processes()
        yield from self._doors()
        yield from self._host()
        yield from self._happened()
        measures = self._sampler.measures
        yield from family(
            "database_reachable", "gauge", "Whether the store answers.", [({}, 0 if measures is None else 1)]
        )
        if measures is not None:
            yield from self._stored(measures)
            yield from _watched(measures)

    def _own_processes(self) -> Iterator[str]:
        living, starts = self._processes.living(), self._processes.starts
        ready = self._processes.taking().is_ready
        yield from family("alive", "gauge", "1 while /healthz is green.", [({}, living.is_alive)])
        yield from family("ready", "gauge", "1 while /readyz is green.", [({}, ready)])
        yield from family(
            "processes", "gauge", "Processes that run and react.", [({"role": r}, n) for r, n in living.running.items()]
        )
        yield from family(
            "process_starts_total",
            "counter",
            "Processes seen starting; more than ordered means restarts.",
            [({"role": role}, count) for role, count in starts.items()],
        )

    def _doors(self) -> Iterator[str]:
        channels = self._processes.taking().channels
        yield from family(
            "channel_taking",
            "gauge",
            "Whether a channel takes.",
            [({"channel": one.channel}, one.is_taking) for one in channels],
        )
        yield from family(
            "channel_obstacle",
            "gauge",
            "Why a channel does not take (from everybody).",
            [({"channel": one.channel, "code": _code(code)}, 1) for one in channels for code in sorted(set(one.codes))],
        )
        yield from family(
            "channel_aside",
            "gauge",
            "Submissions left where they are because they alone could not be taken.",
            [({"channel": one.channel}, one.aside) for one in channels],
        )

    def _host(self) -> Iterator[str]:
        disks = {disk.folder: disk for one in self._processes.bulletins() for disk in one.disks}
        for name, meaning, attribute in (
            ("disk_free_bytes", "Room left.", "free_bytes"),
            ("disk_reserve_bytes", "Below this nothing is taken.", "reserve_bytes"),
        ):
            samples = [({"folder": folder}, getattr(disk, attribute)) for folder, disk in sorted(disks.items())]
            yield from family(name, "gauge", meaning, samples)
        off = [one.clock_off_seconds for one in self._processes.bulletins() if one.role == "supervisor"]
        yield from family(
            "clock_off_seconds", "gauge", "Wall clock minus time of the installation.", [({}, one) for one in off[:1]]
        )

    def _happened(self) -> Iterator[str]:
        totals = self._sampler.totals
        if totals.upto is None:
            return
        taken = {name: totals.taken[name] for name in self._channels}
        taken[_OTHER] = sum(totals.taken.values()) - sum(taken.values())
        yield from family(
            "taken_total",
            "counter",
            "Submissions taken.",
            [({"channel": name}, count) for name, count in taken.items()],
        )
        for state in (NachrichtState.COMPLETED, NachrichtState.REJECTED):
            count = totals.answered[state.value]
            yield from family(f"{state.value}_total", "counter", f"Nachrichten {state.value}.", [({}, count)])
        yield from family(
            "events_total",
            "counter",
            "Sealed audit events.",
            [({"event": name}, totals.events[name]) for name in EVENTS],
        )

    def _stored(self, measures: Measures) -> Iterator[str]:
        counts: dict[tuple[str, str], int] = {}
        for (state, code), count in measures.open.items():
            key = (state.value, _code(code) if code else "")
            counts[key] = counts.get(key, 0) + count
        yield from family(
            "sample_age_seconds", "gauge", "Age of the figures below.", [({}, self._ticks() - measures.at)]
        )
        yield from family("sample_seconds", "gauge", "How long it took to make them.", [({}, measures.seconds)])
        yield from family(
            "nachrichten_open",
            "gauge",
            "Nachrichten that are not done, by state and code; parked ones wait for a person.",
            [({"state": state, "code": code}, count) for (state, code), count in sorted(counts.items())],
        )
        yield from family(
            "oldest_seconds",
            "gauge",
            "Age of the oldest Nachricht in each open state.",
            [
                ({"state": state.value}, max(0.0, (measures.now - moment).total_seconds()))
                for state, moment in sorted(measures.oldest.items())
            ],
        )
        yield from family(
            "deadline_at_risk", "gauge", "Open with 90 % of their deadline used up.", [({}, measures.at_risk)]
        )
        tail, since = measures.tail, measures.tail.since
        yield from family("unsealed_events", "gauge", "Audit events under no signed head yet.", [({}, tail.events)])
        age = max(0.0, (measures.now - since).total_seconds()) if since is not None else 0.0
        yield from family("unsealed_seconds", "gauge", "Age of the first of them.", [({}, age)])


def _watched(measures: Measures) -> Iterator[str]:
    incidents: dict[tuple[str, str], int] = {}
    for one in measures.incidents:
        known = CATALOGUE.get(one.code)
        key = (_code(one.code), known.healer.value if known else "developer")
        incidents[key] = incidents.get(key, 0) + 1
    yield from family(
        "incidents_open",
        "gauge",
        "Open incidents by code and who heals them.",
        [({"code": code, "healer": healer}, count) for (code, healer), count in sorted(incidents.items())],
    )
    yield from family("incidents", "gauge", "Open incidents.", [({}, len(measures.incidents))])
    yield from family(
        "configuration_refused", "gauge", "1 while the files are refused that lie there.", [({}, measures.is_refused)]
    )
    yield from family(
        "alerts_unsent",
        "gauge",
        "Alerts that were tried and have not arrived.",
        [({"way": way}, count) for way, count in sorted(measures.unsent.items())],
    )
    yield from family(
        "target_resting",
        "gauge",
        "Targets that rest after failures.",
        [
            ({"target": name}, record.health.state is not TargetState.WORKS)
            for name, record in sorted(measures.targets.records.items())
        ],
    )
    yield from family(
        "target_paused",
        "gauge",
        "What a person has paused.",
        [({"scope": one.scope}, 1) for one in measures.targets.pauses if one.holds(measures.now)],
    )
    yield from family(
        "target_waiting",
        "gauge",
        "Zustellungen that are held back until their target is free.",
        [({"target": name}, count) for name, count in sorted(measures.targets.waiting.items())],
    )
    yield from family(
        "certificate_days_left",
        "gauge",
        "Days until the newest certificate of a purpose ends.",
        [({"purpose": one.purpose, "owner": one.owner}, one.days_left(measures.now)) for one in measures.endings],
    )


def _code(code: str) -> str:
    return code if code in CATALOGUE else _OTHER
