"""Where an incident is, and what it is called: one target of one Mandant, and what it rests for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from intermediary.core.breaker import Health, TargetState
from intermediary.core.targets import TargetRef
from intermediary.daemon.places import RESTING, Places, Spot
from intermediary.daemon.telling import lines
from intermediary.store.incidents import IncidentRecord
from intermediary.store.target_rows import Pause, TargetRecord
from intermediary.store.targets import Standing

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ONE = TargetRef("stadt/bau/akte", frozenset({"stadt/bau/akte", "stadt/parken/eakte"}))


def _places(code: str = "", state: TargetState = TargetState.RESTS, *pauses: Pause) -> Places:
    records = {ONE.id: TargetRecord(ONE.id, Health(state, NOW, code=code))} if code else {}
    return Places.of([ONE], Standing(records, pauses), NOW)


def _spot(places: Places, code: str, *, mandant: str = "stadt", route: str = "parken", target: str = "eakte") -> Spot:
    found = places.spot(code=code, mandant=mandant, route=route, target=target, channel="eingang")
    assert found is not None
    return found


def test_equal_names_of_two_mandanten_are_two_places() -> None:
    """A route and its targets belong to their Mandant; what was open without it goes on."""
    for mandant in ("stadt", "dorf"):
        target = _spot(Places(NOW), "target.unreachable", mandant=mandant)
        route = _spot(Places(NOW), "bug.unexpected", mandant=mandant, target="")

        assert ("target.unreachable", f"target {mandant}/parken/eakte") == (target.code, target.place)
        assert ("target.unreachable", "target parken/eakte") in target.formerly
        assert Spot("bug.unexpected", f"route {mandant}/parken", (("bug.unexpected", "route parken"),)) == route


def test_one_system_is_one_place_for_what_is_told_of_it() -> None:
    """Two routes to one target: what ails it is told once, by the name that `targets` knows; a the rest at its own."""
    places = _places()

    assert "target stadt/bau/akte" == _spot(places, "target.unreachable").place
    assert "target stadt/bau/akte" == _spot(places, "target.unreachable", route="bau", target="akte").place
    assert "target stadt/parken/eakte" == _spot(places, "output.changed").place


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("target.misconfigured", "target.misconfigured"),
        ("target.full", "target.full"),
        ("delivery.unclear", RESTING),
        ("bug.unexpected", RESTING),
        ("a.vendors.word", RESTING),
    ],
)
@pytest.mark.parametrize("state", [TargetState.RESTS, TargetState.PROBING])
def test_what_waits_for_a_rest_waits_for_its_reason(code: str, expected: str, state: TargetState) -> None:
    """The code says what is wrong with the target, as far as it lasts and concerns the target."""
    found = _spot(_places(code, state), RESTING)

    assert (expected, "target stadt/bau/akte") == (found.code, found.place)
    assert (expected, found.place) not in found.formerly


def test_a_change_of_the_reason_is_the_same_incident() -> None:
    """While it rests its reason may change, for whoever tries it too; what ails it no more is nobody's."""
    full = _places("target.full")

    for code in (RESTING, "target.full"):
        assert ("target.misconfigured", "target stadt/bau/akte") in _spot(full, code).formerly
    assert (("target.http", "target parken/eakte"),) == _spot(full, "target.http").formerly


def test_a_target_that_works_again_takes_what_waited_without_an_incident() -> None:
    """What comes back bit by bit needs nobody."""
    places = _places("target.full", TargetState.WORKS)

    assert places.spot(code=RESTING, mandant="stadt", route="bau", target="akte", channel="k") is None
    assert "target.full" == _spot(places, "target.full").code


@pytest.mark.parametrize(
    ("scope", "until", "state", "expected"),
    [
        ("", 0, TargetState.RESTS, "target.full"),
        ("", 0, TargetState.WORKS, None),
        ("stadt", 1, TargetState.RESTS, "target.paused"),
        ("stadt/parken/eakte", 1, TargetState.WORKS, "target.paused"),
        ("stadt/bau", 0, TargetState.RESTS, "target.full"),
    ],
)
def test_what_waits_since_a_pause_waits_for_what_holds_it_now(
    scope: str, until: int, state: TargetState, expected: str | None
) -> None:
    """After the pause it is asked again only bit by bit: till then its rest is its incident, if it rests."""
    pause = Pause(scope, "Umzug", "chef", NOW - timedelta(hours=2), NOW + timedelta(hours=until))
    places = _places("target.full", state, *([pause] if scope else []))

    found = places.spot(code="target.paused", mandant="stadt", route="parken", target="eakte", channel="k")

    assert expected == (found and found.code)
    assert found is None or "target stadt/bau/akte" == found.place


@pytest.mark.parametrize(
    ("code", "place", "mandanten", "expected"),
    [
        (
            "target.misconfigured",
            "target stadt/bau/akte",
            ("stadt",),
            [
                "Betroffene: intermediary list mandant=stadt code=target.misconfigured",
                "Wartende:   intermediary list mandant=stadt code=target.resting",
                "Ziel:       intermediary targets list stadt/bau/akte",
            ],
        ),
        (
            "output.changed",
            "target stadt/bau/akte",
            ("stadt",),
            ["Betroffene: intermediary list mandant=stadt route=bau code=output.changed"],
        ),
        (
            "route.missing",
            "channel eingang",
            ("stadt",),
            ["Betroffene: intermediary list mandant=stadt code=route.missing"],
        ),
        ("route.missing", "channel eingang", ("dorf", "stadt"), ["Betroffene: intermediary list code=route.missing"]),
        (
            "delivery.deadline.near",
            "target stadt/bau/akte",
            ("stadt",),
            ["Betroffene: intermediary list mandant=stadt route=bau state=planned (die ältesten stehen zuletzt)"],
        ),
        (
            "delivery.deadline.near",
            "channel eingang",
            ("stadt",),
            ["Betroffene: intermediary list mandant=stadt state=received (die ältesten stehen zuletzt)"],
        ),
        ("bug.unexpected", "route bau", ("dorf", "stadt"), ["Betroffene: intermediary list code=bug.unexpected"]),
    ],
)
def test_the_command_lists_whom_it_concerns(
    code: str, place: str, mandanten: tuple[str, ...], expected: list[str]
) -> None:
    """It asks for the Mandant and the route where the incident has but one."""
    one = IncidentRecord("i", code, place, 1, 1, mandanten, NOW, NOW, NOW, None, None, None, "", "")

    assert expected == [line for line in lines(one) if "intermediary" in line]
