"""Any engine: the audit trail is complete, sealed and tells of every manipulation (G17, T26)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from intermediary.audit.sealer import Head
from intermediary.audit.verify import Defect, Report, verify
from intermediary.core.decide import Decision
from intermediary.core.states import NACHRICHT_TRANSITIONS, ZUSTELLUNG_TRANSITIONS, IllegalTransition
from intermediary.keys.signing import SigningKey, create_signing_key
from intermediary.operations.prove import compare_rows
from intermediary.store import Claim, LeaseLost, NotPossible, Store
from tests.conformance.store_kit import (
    DELIVERED,
    LEASE,
    NOW,
    OPTIONAL,
    OUTPUT,
    REFUSED,
    SECOND,
    SECOND_TARGET,
    TARGET,
    Bench,
    N,
    Z,
    attempt,
    eingang,
    planned,
)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """The signing key of the installation."""
    return create_signing_key(tmp_path / "audit.key")


def _verified(store: Store, key: SigningKey, second_place: tuple[Head, ...] = ()) -> Report:
    with store.audit_snapshot() as moment:
        lines = [entry.line() for entry in moment.entries]
        report = verify(lines, moment.heads, [key.public_pem()], second_place=second_place, ends=moment.ends)
        assert [] == list(compare_rows(moment.beside))
        return report


def _some_lives(store: Store, count: int, begin: int = 0) -> None:
    for number in range(begin, begin + count):
        claim = attempt(store, planned(store, message_id=f"antrag-{number}"), DELIVERED)
        store.answered(claim, N.COMPLETED, {}, NOW)


def test_sealing_goes_on_where_it_stopped(bench: Bench, key: SigningKey) -> None:
    """Heads grow over restarts, each naming the one before; the tail is counted; the log verifies."""
    store = bench.open()
    _some_lives(store, 3)
    first = store.seal_heads(key.sign, NOW)
    store = bench.open()

    assert None is store.seal_heads(key.sign, NOW)

    _some_lives(store, 2, begin=3)
    second = store.seal_heads(key.sign, NOW + SECOND)
    _some_lives(store, 1, begin=5)
    report = _verified(store, key)

    assert first is not None
    assert second is not None
    assert (18, 30, first.digest()) == (first.size, second.size, second.previous)
    assert (first, second) == store.heads()
    assert (True, 36, 30, 6, 30) == (report.is_ok, report.events, report.sealed, report.unsealed, report.last_head)


def test_numbers_follow_the_order_of_commits(store: Store, key: SigningKey) -> None:
    """Every event has one number, without gaps, and chains stay in order inside the log."""
    _some_lives(store, 5)
    store.seal_heads(key.sign, NOW)
    entries = list(store.all_events())

    assert list(range(1, 31)) == [entry.number for entry in entries]


def test_a_rolled_back_database_is_found_by_the_second_place(bench: Bench, key: SigningKey, tmp_path: Path) -> None:
    """A whole older database, heads included, verifies by itself; the heads kept elsewhere tell."""
    store = bench.open()
    _some_lives(store, 2)
    store.seal_heads(key.sign, NOW)
    older = [entry.line() for entry in store.all_events()], store.heads()
    _some_lives(store, 2, begin=2)
    elsewhere = store.seal_heads(key.sign, NOW)
    assert elsewhere is not None
    alone = verify(older[0], older[1], [key.public_pem()])
    compared = verify(older[0], older[1], [key.public_pem()], second_place=[elsewhere])

    assert alone.is_ok
    assert [(Defect.ROLLED_BACK, 13)] == [(problem.defect, problem.number) for problem in compared.problems]


def test_erasure_leaves_the_chain_whole(store: Store, key: SigningKey) -> None:
    """Crypto-erase takes the payload, never the trail."""
    _some_lives(store, 2)
    for record in list(store.find()):
        store.erase(store.claim_one(record.id, "p", NOW), actor="a", reason="Frist", now=NOW)
    store.seal_heads(key.sign, NOW)

    assert _verified(store, key).is_ok


def test_the_installation_has_its_own_chain(store: Store, key: SigningKey) -> None:
    """What belongs to no Nachricht is chained and sealed as well."""
    store.wake_misconfigured(NOW)
    store.wake_misconfigured(NOW)
    store.seal_heads(key.sign, NOW)

    assert [("configuration.changed", 1), ("configuration.changed", 2)] == [
        (entry.event.name, entry.event.seq) for entry in store.all_events()
    ]
    assert _verified(store, key).is_ok


Step = Callable[[Store, Claim, random.Random], object]


def _some_key(claim: Claim, chance: random.Random) -> str:
    return chance.choice(claim.zustellungen).key if claim.zustellungen else "none"


WHO = {"actor": "a.adler", "reason": "Probe"}
STEPS: tuple[Step, ...] = (
    lambda s, c, r: s.plan(
        c, route="r", pins={}, plan={}, targets=r.choice([(TARGET,), (TARGET, SECOND_TARGET, OPTIONAL)]), now=NOW
    ),
    lambda s, c, r: s.refuse(c, "intake.id.missing", [], {}, NOW),
    lambda s, c, r: s.wait(c, Decision(c.nachricht.state, "route.missing", NOW + SECOND), NOW),
    lambda s, c, r: s.park(c, "bug.unexpected", NOW),
    *[lambda s, c, r: s.intend(c, _some_key(c, r), OUTPUT, NOW)] * 4,
    *[lambda s, c, r: s.settle(c, _some_key(c, r), r.choice(DECISIONS), now=NOW)] * 5,
    *[lambda s, c, r: s.answered(c, r.choice([N.COMPLETED, N.REJECTED]), {}, NOW)] * 2,
    lambda s, c, r: s.confirm_delivered(c, _some_key(c, r), proof="p", now=NOW, **WHO),
    lambda s, c, r: s.send_again(c, _some_key(c, r), now=NOW, **WHO),
    *[lambda s, c, r: s.resume(c, now=NOW, **WHO)] * 2,
    lambda s, c, r: s.reject(c, now=NOW, **WHO) if r.random() < 0.2 else None,
    lambda s, c, r: s.discard(c, now=NOW, **WHO) if r.random() < 0.2 else None,
    lambda s, c, r: s.redeliver(c, r.choice([TARGET, OPTIONAL]).name, now=NOW, **WHO),
    lambda s, c, r: s.wake_misconfigured(NOW),
    lambda s, c, r: s.hurry(c, now=NOW, **WHO),
    lambda s, c, r: s.judge_anew(c, now=NOW, **WHO),
)
DECISIONS = (
    *[DELIVERED] * 3,
    REFUSED,
    Decision(Z.DUE, "target.unreachable", NOW + SECOND),
    Decision(Z.UNCLEAR, "delivery.unclear", NOW + SECOND),
    Decision(Z.AWAITING, due_at=NOW + SECOND),
    Decision(Z.PARKED, "delivery.unclear"),
)
REFUSALS = (IllegalTransition, NotPossible, LeaseLost, LookupError, ValueError)

Picture = tuple[N, dict[str, Z]]


def _picture(store: Store, nachricht_id: str) -> Picture:
    return store.get(nachricht_id).state, {one.key: one.state for one in store.zustellungen(nachricht_id)}


@pytest.mark.parametrize("seed", range(6))
def test_no_walk_changes_a_state_without_an_event(bench: Bench, key: SigningKey, seed: int) -> None:
    """Whatever is asked in whatever order: legal transitions only, each with its event, nothing left without an owner.

    A refused step writes nothing. In between the lease is lost or the process restarts.
    """
    chance, store = random.Random(seed), bench.open()
    [taken] = store.take([eingang()])
    own, moment = taken.nachricht_id, NOW
    for _ in range(50):
        moment += LEASE
        claim = store.claim_one(own, "w", moment)
        before, chain = _picture(store, own), store.events(own)
        try:
            chance.choice(STEPS)(store, claim, chance)
        except REFUSALS:
            assert (before, chain) == (_picture(store, own), store.events(own))
        after = _picture(store, own)
        steps = list(_legal_steps(before, after))

        assert len(store.events(own)) - len(chain) >= len(steps)
        _demand_an_owner(store, own)
        if chance.random() < 0.7:
            store.release(store.claim_one(own, "p", moment + LEASE), moment + LEASE)
        if chance.random() < 0.1:
            store = bench.open()
            store.seal_heads(key.sign, moment)

    assert _verified(store, key).is_ok


def _legal_steps(before: Picture, after: Picture) -> Iterator[object]:
    """Every state that changed, after a look into the tables (one step may pass through a second state)."""
    if before[0] is not after[0]:
        through = [n for n in N if {(before[0], n), (n, after[0])} <= NACHRICHT_TRANSITIONS]
        assert (before[0], after[0]) in NACHRICHT_TRANSITIONS or through
        yield after[0]
    for key, state in after[1].items():
        old = before[1].get(key, Z.DUE)
        if old is not state:
            through_z = [z for z in Z if {(old, z), (z, state)} <= ZUSTELLUNG_TRANSITIONS]
            assert (old, state) in ZUSTELLUNG_TRANSITIONS or through_z
            yield state


def _demand_an_owner(store: Store, nachricht_id: str) -> None:
    """Final, due some time, or waiting for a person with a code (G2)."""
    record = store.get(nachricht_id)
    is_final = record.state in (N.COMPLETED, N.REJECTED, N.DISCARDED)
    waits_for_person = record.state is N.PARKED or any(
        one.state is Z.PARKED for one in store.zustellungen(nachricht_id)
    )

    assert is_final or record.due_at is not None or (waits_for_person and (record.code or record.wait_reason))
