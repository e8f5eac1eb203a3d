"""Any engine: Mandanten take turns, none goes beyond its limit, and a claim costs the same whatever waits (T21)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, insert

from intermediary.keys.wrap import KekFiles, MandantKeys
from intermediary.store import Store, open_store
from intermediary.store.fair import Share
from intermediary.store.tables import nachrichten
from tests.conformance.store_kit import (
    INSTALLATION,
    LATER,
    LEASE,
    MANDANTEN,
    NOW,
    OUTPUT,
    SECOND,
    TARGET,
    Bench,
    N,
    claimed,
    eingang,
    key_of,
)

NOISY, QUIET = MANDANTEN
MOST = 3


def opened(bench: Bench, shares: Mapping[str, Share] | None = None) -> Store:
    """A store with shares, as one more host would open it."""
    store = open_store(
        data=bench.data, installation=INSTALLATION, keys=bench.keys, lease=LEASE, url=bench.url, shares=shares
    )
    bench.opened.append(store)
    return store


def fill(store: Store, *, noisy: int = 40, quiet: int = 6) -> None:
    """Everything of the noisy one has waited longer than anything of the quiet one."""
    store.take([eingang(f"n-{number}", mandant=NOISY, at=NOW - SECOND) for number in range(noisy)])
    store.take([eingang(f"q-{number}", mandant=QUIET) for number in range(quiet)])


def served(store: Store, rounds: int, owner: str = "w") -> list[str]:
    """Whose Nachricht each of so many claims gave; all of them stay leased."""
    return [claim.nachricht.mandant for _ in range(rounds) for claim in store.claim(owner, NOW)]


def test_a_backlog_of_one_does_not_delay_the_others(bench: Bench) -> None:
    """However much one has waiting, the other gets every second claim, and all when it is alone."""
    store = bench.open()
    fill(store)

    assert Counter({NOISY: 6, QUIET: 6}) == Counter(served(store, 12))
    assert {NOISY} == set(served(store, 5))


def test_who_comes_later_is_next(bench: Bench) -> None:
    """A single Nachricht of the other is claimed next, after a hundred claims of the noisy one too."""
    store = bench.open()
    fill(store, noisy=130, quiet=0)
    served(store, 100)
    store.take([eingang("q-1", mandant=QUIET)])

    assert [QUIET] == served(store, 1)


def test_every_host_keeps_turns_by_itself(bench: Bench) -> None:
    """Three processes that know nothing of each other share fairly together."""
    stores = [bench.open() for _ in range(3)]
    fill(stores[0], quiet=30)
    got = Counter(mandant for _ in range(6) for store in stores for mandant in served(store, 1))

    assert (9, 9) == (got[NOISY], got[QUIET])


def test_shares_weigh(bench: Bench) -> None:
    """`share = 3` gets three times as much as `share = 1` while both have something waiting."""
    store = opened(bench, {NOISY: Share(weight=3)})
    fill(store, quiet=10)

    assert Counter({NOISY: 9, QUIET: 3}) == Counter(served(store, 12))


def test_within_a_mandant_the_longest_due_comes_first(bench: Bench) -> None:
    """Turns change nothing among the Nachrichten of one Mandant, and nothing is handed out early."""
    store = bench.open()
    for number, offset in enumerate((3, 1, 9, 2)):
        store.take([eingang(f"q-{number}", mandant=QUIET, at=NOW + offset * SECOND)])
    due = [claim.nachricht.due_at for _ in range(5) for claim in store.claim("w", NOW + 3 * SECOND)]

    assert [NOW + offset * SECOND for offset in (1, 2, 3)] == due


def test_what_is_left_of_a_mandant_without_settings_is_worked_on(bench: Bench) -> None:
    """Whoever was taken out of the configuration is not forgotten: it waits visibly, not silently."""
    fill(bench.open(), noisy=2, quiet=2)
    files = {QUIET: KekFiles(bench.data.parent / f"{QUIET}.kek")}
    bench.keys = MandantKeys(files)

    assert Counter({NOISY: 2, QUIET: 2}) == Counter(served(bench.open(), 6))


def test_a_limit_is_kept_and_leaves_the_rest_to_others(bench: Bench) -> None:
    """No more than `most_at_once` of a Mandant are leased; what ends makes room for the next."""
    store = opened(bench, {NOISY: Share(most_at_once=MOST)})
    fill(store)
    got = Counter(served(store, 20))

    assert {NOISY: MOST, QUIET: 6} == got
    assert [] == store.claim("w", NOW, limit=9)

    store.release_all_of("w", NOW)

    assert MOST == Counter(claim.nachricht.mandant for claim in store.claim("w", NOW, limit=40))[NOISY]


def test_hosts_that_never_came_back_use_up_no_limit(bench: Bench) -> None:
    """Leases that ran out on what nothing is due of are nobody's work: the Mandant gets all it may."""
    store = opened(bench, {NOISY: Share(most_at_once=2)})
    for number in range(2):
        store.park(claimed(store, f"lost-{number}"), "bug.unexpected", NOW)
    for one in list(store.find(state=N.PARKED)):
        store.claim_one(one.id, "elsewhere", NOW)
    store.take([eingang(f"n-{number}", mandant=NOISY, at=NOW) for number in range(4)])

    assert [] == store.claim("w", NOW)
    assert 2 == sum(len(store.claim("w", NOW + 2 * LEASE)) for _ in range(4))


def test_a_limit_holds_among_hosts_that_claim_at_once(bench: Bench) -> None:
    """Six claimers on three stores at the same moment: never one too many, and the limit is used (read committed)."""
    shares = {NOISY: Share(most_at_once=MOST)}
    stores = [opened(bench, shares) for _ in range(3)]
    fill(stores[0], noisy=30, quiet=0)
    for turn in range(5):
        gate = threading.Barrier(6)
        got: list[str] = []

        def work(number: int, gate: threading.Barrier = gate, got: list[str] = got) -> None:
            gate.wait(10)
            got.extend(claim.nachricht.id for claim in stores[number % 3].claim(f"w{number}", NOW, limit=2))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert len(set(got)) == len(got) <= MOST, turn
        got += [claim.nachricht.id for claim in stores[0].claim("w0", NOW, limit=9)]
        assert MOST == len(got)
        for number in range(6):
            stores[0].release_all_of(f"w{number}", NOW)


def test_suspects_know_no_turns(bench: Bench) -> None:
    """The one process that opens suspects takes the longest due, whosever it is and however full that one is."""
    store = opened(bench, {NOISY: Share(most_at_once=1)})
    suspect = claimed(store, "a-1")
    store.take([eingang("a-2", mandant=NOISY)])

    assert [] == store.claim("w2", NOW)
    assert [suspect.nachricht.id] == [one.nachricht.id for one in store.claim_suspect("s", NOW + LEASE)]


# --- what it costs ---


@contextmanager
def plans(store: Store) -> Iterator[list[str]]:
    """The plan of every statement that is executed meanwhile, in the engine's words, after the block."""
    engine, executed, found = store._db.engine, [], []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not many and statement.lstrip().upper().startswith(("SELECT", "UPDATE", "WITH")):
            executed.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
    ask = "EXPLAIN" if store.is_shared else "EXPLAIN QUERY PLAN"
    with engine.connect() as connection:
        for statement, parameters in executed:
            rows = connection.exec_driver_sql(f"{ask} {statement}", parameters).all()
            found.append(statement + "\n" + "\n".join(str(row[-1]) for row in rows))
        connection.rollback()


def scans(plan: str) -> list[str]:
    """The lines of a plan that read a whole table of ours, or sort."""
    bad = ("Seq Scan on nachrichten", "Seq Scan on zustellungen", "SCAN nachrichten", "SCAN due", "SCAN zustellungen")
    lines = plan.splitlines()[1:]
    return [one for one in lines if "Sort " in one or "TEMP B-TREE" in one or any(scan in one for scan in bad)]


def stored(number: int, **values: Any) -> dict[str, Any]:
    """A row as nothing but the claim sees it."""
    row = {
        "id": f"{number:08}",
        "mandant": f"m-{number % 50}",
        "channel": "c",
        "content_type": "t",
        "direction": "in",
        "state": N.RECEIVED,
        "code": "",
        "wait_reason": "",
        "received_at": NOW,
        "since": NOW,
        "due_at": NOW,
        "own_due_at": NOW,
        "attempts": 0,
        "unexplained": 0,
        "route": "",
        "verdict": "",
        "verdict_code": "",
        "pins": {},
        "body_sha256": "",
        "body_length": 1,
        "payload": "present",
        "revision": 0,
        "plan": {},
        "blob": "",
        "lease_token": 0,
        "took_over": False,
        "chain_length": 0,
        "chain_digest": "",
    }
    return row | values


@pytest.mark.parametrize("kind", ["waiting", "done", "not yet due"])
def test_a_claim_looks_into_its_index_only(bench: Bench, kind: str) -> None:
    """With many rows of any kind, and before the engine has any statistics of them: no scan, no sort."""
    values: dict[str, dict[str, Any]] = {
        "waiting": {},
        "done": {"due_at": None, "own_due_at": None, "state": N.COMPLETED},
        "not yet due": {"due_at": LATER, "own_due_at": LATER},
    }
    store = bench.open()
    with store._db.write() as tx:
        tx.execute(insert(nachrichten), [stored(number, **values[kind]) for number in range(20_000)])
    store.take([eingang("q-1", mandant=QUIET)])
    with plans(store) as found:
        store.claim("w", NOW)
    [plan] = [one for one in found if "UPDATE nachrichten" in one]

    assert "ix_nachrichten_turn" in plan
    assert [] == scans(plan)


def test_whoever_waits_in_order_is_in_no_index_of_claims(bench: Bench) -> None:
    """A thousand of one Vorgang behind a parked one: nothing is claimed, and looking for the next one reads no table."""
    store = bench.open()
    first, second = (store.take([eingang(f"v-{n}", vorgang="v")])[0].nachricht_id for n in range(2))
    store.park(store.claim_one(first, "w", NOW), "bug.unexpected", NOW)
    asked: dict[str, Any] = {"route": "r", "pins": {}, "plan": {}, "targets": [TARGET], "vorgang": "", "now": NOW}
    claim = store.plan(store.claim_one(second, "w", NOW), **asked)
    known = {"vorgang_hash": claim.nachricht.vorgang_hash, "vorgang_place": "kept", "route": "r", "state": N.PLANNED}
    waiting = {"due_at": None, "own_due_at": None, "wait_reason": "order.waits", "mandant": NOISY}
    with store._db.write() as tx:
        rows = [
            stored(number, **known, **waiting, vorgang_number=number, vorgang_open=number, vorgang_waits=number)
            for number in range(10, 1010)
        ]
        tx.execute(insert(nachrichten), rows)
        tx.execute(insert(nachrichten), [stored(number, due_at=None) for number in range(10_000, 20_000)])
    with plans(store) as found:
        claim = store.intend(claim, key_of(claim), OUTPUT, NOW)
        store.release(claim, NOW)
        store.reject(store.claim_one(first, "w", NOW), actor="p", reason="r", now=NOW)
    with store._db.read() as tx:
        assert 1 == tx.exec_driver_sql("SELECT count(*) FROM vorgaenge").scalar_one()
    assert "order.waits" == claim.nachricht.wait_reason
    of_order = [plan for plan in found if "vorgang_open" in plan.split("\n")[0] or "vorgang_waits" in plan]

    assert of_order
    assert [] == [line for plan in of_order for line in scans(plan)]
    assert [second] == [one.nachricht.id for one in store.claim("w", NOW, limit=9)]
