"""The daemon's chore: with the clock put forward, what was delivered is erased by itself, a piece at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from intermediary.core.faults import Misconfigured, Transient
from intermediary.daemon.retention import REST, Eraser
from intermediary.operations.act import Decide
from intermediary.operations.person import Request
from intermediary.store.retention import Cleared, Retention
from intermediary.testing.demo_site import MANDANT, SERVICE_WITHOUT_ROUTE
from intermediary.testing.samples import sample_letter
from tests.acceptance.canaries import search_tree
from tests.acceptance.rig import Rig


def _eraser(rig: Rig, *, may_erase=lambda: True, tick=lambda: 0.0) -> Eraser:
    return Eraser(rig.store, rig.installation.settings, now=rig.clock, may_erase=may_erase, tick=tick)


def _erased(rig: Rig, ids: list[str]) -> list[bool]:
    return [rig.get(one).payload == "erased" for one in ids]


def test_the_chore_erases_at_the_term(rig: Rig) -> None:
    """From door to erasure through the real rooms: a day before nothing, at the term everything, and it stays verifiable."""
    letters = [sample_letter(number, now=rig.clock()) for number in range(1, 4)]
    ids = [rig.submit(letter, f"portal/{number}") for number, letter in enumerate(letters)]
    rig.work()
    rig.fetch()
    eraser = _eraser(rig)
    eraser.erase_due()
    rig.clock.advance(timedelta(days=29))
    eraser.erase_due()

    assert [False] * 3 == _erased(rig, ids)
    assert rig.store.body(ids[0]).read()

    rig.clock.advance(timedelta(days=1))
    eraser.erase_due()

    assert [True] * 3 == _erased(rig, ids)
    with pytest.raises(Misconfigured, match=r"payload\.erased"):
        rig.store.body(ids[0])
    data = rig.installation.settings.installation.data
    assert [] == [path for path in (data / "blobs").glob("??/*") if path.is_file()]
    assert [] == list(search_tree([data], {"sender": "portal/1", "other": "portal/2"}))


def test_a_pass_goes_on_where_it_ended(rig: Rig) -> None:
    """When a piece has taken its time the next call goes on; between two passes there is a rest."""
    ids = [rig.submit(sample_letter(number, now=rig.clock()), f"portal/{number}") for number in range(1, 3)]
    rig.work()
    rig.clock.advance(timedelta(days=31))
    seconds = iter(range(1000))
    eraser = _eraser(rig, tick=lambda: float(next(seconds)))
    calls = 0
    while not all(_erased(rig, ids)):
        eraser.erase_due()
        calls += 1
        assert calls < 10
    for _ in range(10):
        eraser.erase_due()
    late = rig.submit(sample_letter(3, now=rig.clock()), "portal/3")
    rig.work()
    rig.clock.advance(REST / 2)
    eraser.erase_due()
    rig.clock.advance(timedelta(days=31))
    for _ in range(10):
        eraser.erase_due()

    assert [True] == _erased(rig, [late])


def test_a_doubted_clock_erases_nothing(rig: Rig) -> None:
    """A jump of a year ahead is no year; once the time is certain again the chore goes on."""
    nachricht_id = rig.submit(sample_letter(1, now=rig.clock()), "portal/1")
    rig.work()
    rig.clock.advance(timedelta(days=365))
    is_sure = False
    eraser = _eraser(rig, may_erase=lambda: is_sure)
    eraser.erase_due()

    assert [False] == _erased(rig, [nachricht_id])

    is_sure = True
    eraser.erase_due()

    assert [True] == _erased(rig, [nachricht_id])


def test_files_that_cannot_be_removed_hide_nobody_who_is_overdue(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pass ends with a fault; who lies beyond the term is known all the same, and no longer than that is so."""
    found = rig.submit(sample_letter(1, now=rig.clock(), service=SERVICE_WITHOUT_ROUTE), "portal/1")
    rig.work()
    rig.clock.advance(timedelta(days=4))
    rig.work()
    rig.clock.advance(timedelta(days=91))
    monkeypatch.setattr(Retention, "clear_left_overs", lambda *_: Cleared(gone=0, stuck=1, after=None))
    eraser = _eraser(rig)
    told = []
    for decide in (lambda: Decide(rig.store, now=rig.clock).discard(found, Request("a.beispiel", "doppelt")), str):
        with pytest.raises(Transient):
            eraser.erase_due()
        told.append(eraser.overdue)
        decide()
        rig.clock.advance(REST)

    assert [{(MANDANT, ""): 1}, {}] == told
