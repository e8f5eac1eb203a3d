"""What the daemon finds wrong, and how long it waits before somebody is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from intermediary.core.bulletin import Bulletin, ChannelBulletin, Obstacle
from intermediary.core.incidents import AT_ONCE, Sighting
from intermediary.daemon.sightings import from_bulletins, from_endings, from_failing, from_tail, from_troubles, place_of
from intermediary.daemon.telling import place
from intermediary.settings.watching import Incidents
from intermediary.store.gauges import Tail, Trouble
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
        _trouble("target.paused", target="eakte"),
        _trouble("order.waits", target="eakte"),
    ]

    assert [
        ("bug.unexpected", "route bauantrag", AT_ONCE),
        ("route.missing", "channel eingang", SOON),
        ("target.unreachable", "target bauantrag/eakte", LATE),
        ("target.resting", "target bauantrag/eakte", SOON),
        ("receipt.unreachable", "channel eingang", LATE),
    ] == _of(from_troubles(troubles, RULES))


def test_a_sealer_that_stands_still() -> None:
    """The tail is trouble only when it is old."""
    young, old = NOW - timedelta(seconds=119), NOW - timedelta(seconds=120)

    assert [] == list(from_tail(Tail(1, young), RULES, NOW)) == list(from_tail(Tail(0, None), RULES, NOW))
    assert [Sighting("audit.unsealed", "audit")] == list(from_tail(Tail(1, old), RULES, NOW))


def test_certificates_are_told_three_times() -> None:
    """30, 14 and 3 days before the end, each an incident of its own."""

    def places(days: float) -> list[str]:
        ending = Ending("reader", "musterstadt", NOW + timedelta(days=days))
        return [one.place.rpartition(" ")[2] for one in from_endings([ending], NOW)]

    assert [[], ["30"], ["30", "14"], ["30", "14", "3"], ["30", "14", "3"]] == [
        places(d) for d in (30.5, 29, 13, 2, -5)
    ]


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


def test_places_in_german() -> None:
    """Every kind of place is said as an operator says it."""
    said = {
        place_of(code="a", route="bau", target="eakte", channel="k"): "Ziel bau/eakte",
        place_of(code="a", route="bau", target="", channel="k"): "Route bau",
        place_of(code="receipt.unreachable", route="bau", target="", channel="k"): "Kanal k",
        "certificate tls eingang 14": "TLS des Kanals eingang (weniger als 14 Tage)",
        "audit": "Protokoll",
    }

    assert said == {text: place(text) for text in said}
