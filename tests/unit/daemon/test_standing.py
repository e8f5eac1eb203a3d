"""Alive and ready, judged from what processes say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from intermediary.core.bulletin import Bulletin, ChannelBulletin, Obstacle
from intermediary.core.codes import CATALOGUE
from intermediary.daemon.health.metrics import family
from intermediary.daemon.health.standing import HUNG_SECONDS, MISSING_SECONDS, living, taking

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ORDERED = {"ingress": 1, "worker": 2}
AWAY = Obstacle("store.unavailable", where="database", stops_work=True)
FULL = Obstacle("intake.mandant.full", where="musterstadt", mandant="musterstadt")


def _ingress(*channels: ChannelBulletin) -> list[Bulletin]:
    return [Bulletin("ingress", "h:b:s:1:1:1", NOW, 1.0, channels=channels)]


@pytest.mark.parametrize(
    ("missing", "after", "is_alive"),
    [
        ({}, 0.0, True),
        ({"worker": 0.0}, MISSING_SECONDS - 1, True),
        ({"worker": 0.0}, MISSING_SECONDS, False),
        ({"supervisor": 0.0}, MISSING_SECONDS, True),
        ({"supervisor": 0.0}, HUNG_SECONDS, False),
    ],
)
def test_alive(missing: dict[str, float], after: float, is_alive: bool) -> None:
    """A process that starts anew is no death; a supervisor may be silent while a database hangs."""
    found = living(ORDERED, _ingress(), missing, after)

    assert is_alive is found.is_alive
    assert is_alive is not bool(found.as_json()["reasons"])
    assert {"ingress": 1, "worker": 0} == found.running


def test_ready_while_anything_can_be_taken() -> None:
    """One channel is enough; each that does not take says why in German."""
    said = _ingress(
        ChannelBulletin("offen", "taking"),
        ChannelBulletin("rabbit", "opening", "AMQPConnectionError"),
        ChannelBulletin("voll", "taking", obstacles=(FULL,)),
    )
    found = taking(ORDERED, said, ["offen", "rabbit", "voll", "neu"])
    reasons = {one.channel: one.reasons for one in found.channels}

    assert found.is_ready
    assert {"offen": True, "rabbit": False, "voll": True, "neu": False} == {
        one.channel: one.is_taking for one in found.channels
    }
    assert () == reasons["offen"]
    assert "Gegenstelle" in reasons["rabbit"][0]
    assert reasons["voll"][0].startswith("Mandant musterstadt: ")
    assert "child.died" in reasons["neu"][0]


def test_not_ready_when_nothing_can_be_taken() -> None:
    """The store is away, or the doors' process is: red, with the meaning of the code; a worker alone is never asked."""
    away = taking(ORDERED, _ingress(ChannelBulletin("offen", "taking", obstacles=(AWAY,))), ["offen"])
    gone = taking(ORDERED, [], ["offen"])
    alone = taking({"worker": 1}, [], ["offen"])

    assert (False, False, True) == (away.is_ready, gone.is_ready, alone.is_ready)
    assert CATALOGUE["store.unavailable"].meaning in away.channels[0].reasons[0]
    assert "note" in alone.as_json()


def test_labels_cannot_break_a_line() -> None:
    """Quotes, backslashes and line feeds are escaped; a metric without a sample is left out."""
    [_, _, line] = family("x", "gauge", "X.", [({"folder": 'a"b\\c\nd'}, 1.5)])

    assert 'intermediary_x{folder="a\\"b\\\\c\\nd"} 1.500\n' == line
    assert [] == list(family("x", "gauge", "X.", []))
