"""Offering to `take`: hold while the store is away, set aside what only concerns one, and say what is durable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from tenacity import wait_none

from intermediary.core.faults import Misconfigured, Rejected, Transient
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.taking import GivenBack, Taker, Verdict
from intermediary.testing.takes import NOW, RecordingTake


def eingaenge(*ids: str) -> list[Eingang]:
    return [Eingang("musterstadt", "tuer", i, "text/plain", NOW, MemoryContent(i.encode())) for i in ids]


def taker_of(take: RecordingTake, said: list[str], **change: object) -> Taker:
    arguments: dict[str, object] = {"stop": threading.Event(), "hold_seconds": 60.0, "wait": wait_none()} | change
    return Taker(take, channel="tuer", on_holding=said.append, **arguments)  # type: ignore[arg-type]


def failing(
    error: Callable[[], Exception], *, times: int = 10**9, only: str = ""
) -> Callable[[Sequence[Eingang]], None]:
    left = [times]

    def fail(offered: Sequence[Eingang]) -> None:
        if left[0] > 0 and (not only or only in [eingang.message_id for eingang in offered]):
            left[0] -= 1
            raise error()

    return fail


def test_a_batch_is_one_commit() -> None:
    """What can be taken together is taken by one call, with one verdict."""
    take = RecordingTake()

    assert [Verdict((0, 1, 2))] == list(taker_of(take, []).offer(eingaenge("a", "b", "c")))
    assert [["a", "b", "c"]] == take.calls


def test_nothing_offered_is_nothing_taken() -> None:
    """An empty offer does not reach the store."""
    take = RecordingTake()

    assert [] == list(taker_of(take, []).offer([]))
    assert [] == take.calls


@pytest.mark.parametrize("error", [lambda: Transient("store.unavailable"), lambda: OSError(28, "no space")])
def test_the_door_holds_while_the_store_is_away(error: Callable[[], Exception]) -> None:
    """The same batch is offered until it works; the status says so, and that it is over."""
    said: list[str] = []
    take = RecordingTake(failing(error, times=3))

    assert [Verdict((0, 1))] == list(taker_of(take, said).offer(eingaenge("a", "b")))
    assert [["a", "b"]] * 4 == take.calls
    assert "" not in said[:3]
    assert "" == said[-1]


def test_what_cannot_be_held_longer_is_given_back() -> None:
    """After the longest time of holding nothing has been promised, and the transport may offer it to somebody else."""
    take = RecordingTake(failing(lambda: Transient("store.unavailable")))

    with pytest.raises(GivenBack):
        list(taker_of(take, [], hold_seconds=0.0).offer(eingaenge("a", "b")))
    assert set() == take.ids


def test_a_stop_ends_holding() -> None:
    """A door that is told to stop does not wait for the store."""
    stop = threading.Event()

    def fail(_: Sequence[Eingang]) -> None:
        stop.set()
        raise Transient("store.unavailable")

    with pytest.raises(GivenBack):
        list(taker_of(RecordingTake(fail), [], stop=stop, wait=None).offer(eingaenge("a")))


@pytest.mark.parametrize("error", [lambda: KeyError("x"), lambda: Misconfigured("key.unavailable")])
def test_one_that_cannot_be_taken_does_not_stop_the_others(error: Callable[[], Exception]) -> None:
    """After a failure that may be one submission's own each goes alone, in order; the one is set aside."""
    take = RecordingTake(failing(error, only="b"))

    verdicts = list(taker_of(take, []).offer(eingaenge("a", "b", "c")))

    assert [(0,), (1,), (2,)] == [verdict.positions for verdict in verdicts]
    assert [False, True, False] == [bool(verdict.aside) for verdict in verdicts]
    assert {"a", "c"} == take.ids


def test_what_take_rejects_is_refused() -> None:
    """A refusal by the store is the sender's, with its code."""
    take = RecordingTake(failing(lambda: Rejected("intake.claim.invalid"), only="a"))

    first, second = taker_of(take, []).offer(eingaenge("a", "b"))

    assert first.refused is not None
    assert "intake.claim.invalid" == first.refused.code
    assert Verdict((1,)) == second


def test_a_verdict_is_told_before_the_next_commit() -> None:
    """When each goes alone, the first is acknowledged before the second is tried: a crash between repeats less."""
    take = RecordingTake(failing(KeyError, times=1))
    offers = taker_of(take, []).offer(eingaenge("a", "b"))

    next(offers)

    assert {"a"} == take.ids
