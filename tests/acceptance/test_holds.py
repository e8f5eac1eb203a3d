"""Legal holds as people set and release them: no hold is lost to another one, and only the one that was meant is lifted."""

from __future__ import annotations

import pytest

from tests.acceptance.office import Office
from tests.acceptance.two_persons import approved, by, guard, told


@pytest.fixture
def guarded(own: Office) -> Office:
    """Deletions, exports and releases need a second person here."""
    return guard(own)


@pytest.mark.parametrize("standing", [False, True])
def test_a_second_hold_is_refused_and_named(own: Office, standing: bool) -> None:
    """Another person's or for another reason: refused with the hold that is there, and what keeps it for this reason too."""
    words = ("mandant=musterstadt", "--standing") if standing else (own.ids["done"],)
    first = by(own, "adler", "hold", "set", *words, "--reason", "Klage A")
    again = by(own, "adler", "hold", "set", *words, "--reason", "Klage A")
    other = by(own, "carla", "hold", "set", *words, "--reason", "Klage B")
    machine = by(own, "carla", "hold", "set", *words, "--reason", "Klage B", "--json").rows

    assert (0, 0, 1) == (first.code, again.code, other.code)
    assert "Klage A" in other.out
    assert "adler" in other.out
    assert "Was zu tun ist:" in other.out
    assert [("other", "Klage A")] == [(row["outcome"], row["reason"]) for row in machine]
    assert [("adler", "Klage A")] == [(row["actor"], row["reason"]) for row in own.call("hold", "list", "--json").rows]
    if not standing:
        assert "person.denied" == told(own, own.ids["done"])[-1]


@pytest.mark.parametrize("standing", [False, True])
def test_a_release_is_of_the_hold_that_was_shown(guarded: Office, standing: bool) -> None:
    """Released and set anew for another reason meanwhile: an older approval does not lift it."""
    words = ("mandant=musterstadt", "--standing") if standing else (guarded.ids["done"],)
    by(guarded, "carla", "hold", "set", *words, "--reason", "Klage A")
    wish = ("hold", "release", *words, "--reason", "erledigt")
    first, second = approved(guarded, *wish), approved(guarded, *wish)
    shown = guarded.call("approvals", "show", first).out
    released = by(guarded, "adler", *wish, "--approval", second)
    by(guarded, "carla", "hold", "set", *words, "--reason", "Klage B")

    said = by(guarded, "adler", *wish, "--approval", first)

    assert (0, 2) == (released.code, said.code), released
    assert "Klage A" in shown
    assert "Klage B" in said.err
    assert "Klage B" in guarded.call("hold", "list").out


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("mandant=musterstad",), '"musterstadt"'),
        (("mandant=musterstadt", "route=bewohnerpaken"), '"musterstadt/bewohnerparken"'),
        (("mandant=musterstadt", "route="), "route="),
        (("mandant=",), ""),
    ],
)
def test_a_standing_hold_is_of_something_there_is(own: Office, words: tuple[str, ...], near: str) -> None:
    """A mistyped name would keep nothing, and whoever ordered it would believe the opposite."""
    said = by(own, "carla", "hold", "set", *words, "--standing", "--reason", "Klage A")

    assert 2 == said.code
    assert near in said.err
    assert [] == own.call("hold", "list", "--json").rows


def test_an_empty_route_ends_no_hold_of_the_whole_mandant(own: Office) -> None:
    """A script whose variable is empty does not lift more than it names."""
    by(own, "carla", "hold", "set", "mandant=musterstadt", "--standing", "--reason", "Klage A")
    said = by(own, "carla", "hold", "release", "mandant=musterstadt", "route=", "--standing", "--reason", "weg")

    assert 2 == said.code
    assert 1 == len(own.call("hold", "list", "--json").rows)


def test_a_route_that_only_nachrichten_name_can_be_held(own: Office) -> None:
    """It left the configuration, what came through it is still there."""
    routes = own.folder / "routes.toml"
    routes.write_text(routes.read_text(encoding="utf-8").replace("bewohnerparken", "anderswo"), encoding="utf-8")

    said = by(
        own, "carla", "hold", "set", "mandant=musterstadt", "route=bewohnerparken", "--standing", "--reason", "Klage A"
    )

    assert 0 == said.code, said
