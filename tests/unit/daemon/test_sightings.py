"""What the daemon finds wrong, and how long it waits before somebody is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from intermediary.core.bulletin import Bulletin, ChannelBulletin, Obstacle
from intermediary.core.faults import Fault, Misconfigured
from intermediary.core.incidents import AT_ONCE, Sighting
from intermediary.core.values import Befund
from intermediary.daemon.places import Places
from intermediary.daemon.sightings import (
    from_bulletins,
    from_endings,
    from_failing,
    from_jobs,
    from_refused,
    from_tail,
    from_troubles,
)
from intermediary.daemon.telling import place
from intermediary.settings.watching import Incidents
from intermediary.store.gauges import Tail, Trouble
from intermediary.store.job_records import JobRecord, JobState
from intermediary.store.target_rows import Pause
from intermediary.store.targets import Standing
from intermediary.wiring.endings import Ending

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
RULES = Incidents()
SOON, LATE = timedelta(seconds=RULES.operator_seconds), timedelta(seconds=RULES.transient_seconds)


def _trouble(code: str, *, parked: bool = False, target: str = "", route: str = "bauantrag") -> Trouble:
    return Trouble(code, parked, "musterstadt", route, "eingang", target, 7)


def _bulletin(*obstacles: Obstacle, channels: tuple[ChannelBulletin, ...] = ()) -> Bulletin:
    return Bulletin("ingress", "h:b:s:1:1:1", NOW, 1.0, obstacles=obstacles, channels=channels)


def _of(found: Any) -> list[tuple[str, str, timedelta]]:
    return [(one.code, one.place, one.patience) for one in found]


def test_patience_is_as_long_as_the_healer_needs() -> None:
    """Parked at once, the operator's soon, time's late; what rests after failures soon; what is wanted never."""
    troubles = [
        _trouble("bug.unexpected", parked=True),
        _trouble("route.missing", route=""),
        _trouble("target.unreachable", target="eakte"),
        _trouble("target.resting", target="eakte"),
        _trouble("receipt.unreachable"),
        _trouble("target.paused", target="akte"),
        _trouble("order.waits", target="eakte"),
    ]
    paused = Standing(pauses=(Pause("musterstadt/bauantrag/akte", "Umzug", "chef", NOW, None),))

    assert [
        ("bug.unexpected", "route musterstadt/bauantrag", AT_ONCE),
        ("route.missing", "channel eingang", SOON),
        ("target.unreachable", "target musterstadt/bauantrag/eakte", LATE),
        ("target.resting", "target musterstadt/bauantrag/eakte", SOON),
        ("receipt.unreachable", "channel eingang", LATE),
    ] == _of(from_troubles(troubles, Places.of((), paused, NOW), RULES))


def test_a_sealer_that_stands_still() -> None:
    """The tail is trouble only when it is old."""
    young, old = NOW - timedelta(seconds=119), NOW - timedelta(seconds=120)

    assert [] == list(from_tail(Tail(1, young), RULES, NOW)) == list(from_tail(Tail(0, None), RULES, NOW))
    assert [Sighting("audit.unsealed", "audit")] == list(from_tail(Tail(1, old), RULES, NOW))


def test_a_certificate_is_one_incident_that_grows_worse() -> None:
    """30, 14 and 3 days before the end and after it, each told anew, and what was told before does not stay beside it."""

    def seen(days: float) -> list[Sighting]:
        return list(from_endings([Ending("reader", "musterstadt", NOW + timedelta(days=days))], NOW))

    names = [("certificate.ending", f"certificate reader musterstadt {days}") for days in (30, 14, 3)]
    names.append(("certificate.ended", "certificate reader musterstadt"))
    assert [] == seen(30.5)
    for number, days in enumerate((29, 13, 1, -5)):
        [one] = seen(days)
        assert names[number] == (one.code, one.place)
        assert (tuple(reversed(names[:number])), True) == (one.formerly, one.is_news)
        assert frozenset({"musterstadt"}) == one.mandanten
    [partner] = from_endings([Ending("tls", "eingang", NOW)], NOW)
    assert frozenset() == partner.mandanten


def test_what_a_host_says() -> None:
    """Obstacles of host and Mandant, and a door that is closed for its own reason; one closed by an obstacle only once."""
    full = Obstacle("intake.disk.reserve", where="/data")
    quota = Obstacle("intake.mandant.full", where="musterstadt", mandant="musterstadt")
    doors = (
        ChannelBulletin("rabbit", "opening", "AMQPConnectionError"),
        ChannelBulletin("osci", "taking", "intake.decrypt.alarm"),
        ChannelBulletin("eingang", "holding", "store.unavailable", obstacles=(full,)),
        ChannelBulletin("fine", "taking"),
    )
    found = _of(from_bulletins([_bulletin(full, quota, channels=doors)], "host-a", RULES))

    assert [
        ("intake.disk.reserve", "host host-a", SOON),
        ("intake.mandant.full", "mandant musterstadt", SOON),
        ("intake.door.closed", "channel rabbit", LATE),
    ] == found[:3]
    assert ["channel osci"] == [where for _, where, _ in found[3:]]


def test_chores_that_fail() -> None:
    """A fault by its code, everything else is the developers'."""
    failing = {"copy_heads": "audit.second-place", "seal_store": "KeyError"}

    assert [
        ("audit.second-place", "chore copy_heads host-a", SOON),
        ("bug.unexpected", "chore seal_store host-a", SOON),
    ] == _of(from_failing(failing, "host-a", RULES))


def test_a_job_that_has_stopped_itself_names_its_mandant() -> None:
    """Where its selection has one; a job of all names none."""

    def paused(selection: dict[str, str]) -> JobRecord:
        return JobRecord(
            "j", "replay", selection, {}, "a", "r", JobState.PAUSED, "job.errors", timedelta(0), 20, 9, 1, 0, 7, NOW, NOW,
            None, NOW, "",
        )  # fmt: skip

    found = [one.mandanten for one in from_jobs([paused({"mandant": "musterstadt"}), paused({})])]
    assert [frozenset({"musterstadt"}), frozenset()] == found


def test_places_in_german() -> None:
    """Every kind of place is said as an operator says it."""
    said = {
        "target stadt/bau/eakte": "Ziel stadt/bau/eakte",
        "route stadt/bau": "Route stadt/bau",
        "channel k": "Kanal k",
        "certificate tls eingang 14": "TLS des Kanals eingang (weniger als 14 Tage)",
        "certificate reader musterstadt": "Leserschlüssel von musterstadt",
        "audit": "Protokoll",
    }

    assert said == {text: place(text) for text in said}


def test_a_configuration_that_is_not_taken() -> None:
    """The place is the file and its first mistake, what stands there is not told; a defect of ours is the developers'."""
    broken = (Befund("config.syntax", line=3, hint="geheim"),)
    slips = (
        Befund("config.type.wrong", path="route[a].target[b].deadline_hours", hint="0.025"),
        Befund("config.syntax"),
    )
    refusals: list[Fault | None] = [
        Misconfigured("route.table.invalid", where="/etc/i/routes.toml", findings=slips),
        Misconfigured("route.table.invalid", where="routes.toml", findings=broken),
        Misconfigured("key.unavailable", where="keyring.toml: key[1]"),
        Fault("bug.unexpected", where="ValueError"),
        None,
    ]

    assert [
        (
            "route.table.invalid",
            "configuration h /etc/i/routes.toml: route[a].target[b].deadline_hours (config.type.wrong)",
            SOON,
        ),
        ("route.table.invalid", "configuration h routes.toml: line 3 (config.syntax)", SOON),
        ("key.unavailable", "configuration h keyring.toml: key[1]", SOON),
        ("bug.unexpected", "configuration h ValueError", SOON),
    ] == _of(one for refused in refusals for one in from_refused(refused, "h", RULES))
    assert "die vorige gilt weiter" in place("configuration h routes.toml: line 3 (config.syntax)")
