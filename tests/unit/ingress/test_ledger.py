"""Which deliveries may be acknowledged together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intermediary.ingress.amqp.ledger import Ack, AckLedger


def ledger_of(*tags: int) -> AckLedger:
    ledger = AckLedger()
    for tag in tags:
        ledger.arrived(tag)
    return ledger


def test_an_unbroken_run_is_one_ack() -> None:
    """All of the oldest deliveries decided: one acknowledgement settles them."""
    assert [Ack(3, multiple=True)] == ledger_of(1, 2, 3, 4).decided([3, 1, 2])


def test_a_gap_is_not_covered() -> None:
    """What lies beyond an undecided delivery is acknowledged alone, and the gap later."""
    ledger = ledger_of(1, 2, 3, 4)

    assert [Ack(1, multiple=False), Ack(3, multiple=False), Ack(4, multiple=False)] == ledger.decided([1, 3, 4])
    assert [Ack(2, multiple=False)] == ledger.decided([2])
    assert 0 == len(ledger)


def test_nothing_is_acknowledged_twice() -> None:
    """A tag that is decided again, or was never delivered, gives no acknowledgement: the broker ends the channel."""
    ledger = ledger_of(1)
    ledger.decided([1])

    assert [] == ledger.decided([1, 99])


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.sets(st.integers(1, n)), max_size=8))))
def test_the_broker_never_settles_what_is_undecided(case: tuple[int, list[set[int]]]) -> None:
    """Played against the broker's rule for `multiple`: settled is exactly what was decided, and nothing twice."""
    count, rounds = case
    ledger = ledger_of(*range(1, count + 1))
    outstanding, decided = set(range(1, count + 1)), set()
    for chosen in rounds:
        decided |= chosen
        for ack in ledger.decided(chosen):
            settled = {tag for tag in outstanding if tag <= ack.tag} if ack.multiple else {ack.tag}
            assert settled <= outstanding
            outstanding -= settled

    assert set(range(1, count + 1)) - decided == outstanding
