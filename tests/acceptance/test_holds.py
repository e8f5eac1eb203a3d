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
