"""Any engine: what is changed in the database behind the program's back is named by `audit verify` (G17, T26)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from intermediary.audit.verify import Defect, Problem, verify
from intermediary.keys.signing import SigningKey, create_signing_key
from intermediary.operations.prove import compare_snapshot
from intermediary.store import Store
from tests.conformance.store_kit import DELIVERED, MANDANTEN, NOW, REFUSED, Bench, N, attempt, claimed, planned


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """The signing key of the installation."""
    return create_signing_key(tmp_path / "audit.key")


@pytest.fixture
def lives(bench: Bench, key: SigningKey) -> Store:
    """One completed, one rejected, one parked Nachricht under a head, and one that was only taken and is not yet."""
    store = bench.open()
    store.answered(attempt(store, planned(store, message_id="eins"), DELIVERED), N.COMPLETED, {}, NOW)
    store.answered(attempt(store, planned(store, message_id="zwei"), REFUSED), N.REJECTED, {}, NOW)
    store.park(claimed(store, "drei"), "bug.unexpected", NOW)
    store.wake_misconfigured(NOW)
    store.seal_heads(key.sign, NOW)
    claimed(store, "vier")
    return store


def _plant(bench: Bench, *statements: str) -> None:
    """Write with a client of our own, as somebody with the database's password would."""
    url = bench.url.replace("postgresql:", "postgresql+psycopg:") or f"sqlite:///{bench.data / 'store.db'}"
    engine = create_engine(url)
    with engine.begin() as tx:
        for statement in statements:
            tx.execute(text(statement))
    engine.dispose()


def _found(store: Store, key: SigningKey) -> list[Problem]:
    with store.audit_snapshot() as moment:
        report = verify(moment.lines, moment.heads, [key.public_pem()], second_place=moment.heads, ends=moment.ends)
        return [*report.problems, *compare_snapshot(moment)]


def test_an_untouched_database_is_sound(lives: Store, key: SigningKey) -> None:
    """Rows follow from their events, in every state that was reached."""
    assert [] == _found(lives, key)


_COMPLETED = "WHERE state = 'completed'"
ROWS: dict[str, tuple[str, str]] = {
    "a rejection turned into a completion": (
        "UPDATE nachrichten SET state = 'completed' WHERE state = 'rejected'",
        "state (events: rejected, row: completed)",
    ),
    "a verdict": (
        "UPDATE nachrichten SET verdict = 'rejected' WHERE state = 'completed'",
        "verdict (events: accepted, row: rejected)",
    ),
    "a state nobody knows": (
        "UPDATE nachrichten SET state = 'vergessen' WHERE state = 'parked'",
        "state (events: parked, row: vergessen)",
    ),
    "the hash of the body": (f"UPDATE nachrichten SET body_sha256 = 'ab' {_COMPLETED}", "body_sha256"),
    "the Mandant": (f"UPDATE nachrichten SET mandant = 'beispielhausen' {_COMPLETED}", "mandant"),
    "the moment of receipt": (f"UPDATE nachrichten SET received_at = received_at - 1 {_COMPLETED}", "received_at"),
    "the pinned mapping": (f'UPDATE nachrichten SET pins = \'{{"mapping":"x"}}\' {_COMPLETED}', "pins"),
    "pins that are no JSON": (f"UPDATE nachrichten SET pins = '{{' {_COMPLETED}", "pins"),
    "the judgement": (f"UPDATE nachrichten SET plan = '{{}}' {_COMPLETED}", "plan"),
    "an erasure nobody ordered": (
        f"UPDATE nachrichten SET payload = 'erased' {_COMPLETED}",
        "payload (events: present, row: erased)",
    ),
    "the state of a Zustellung": (
        "UPDATE zustellungen SET state = 'delivered' WHERE state = 'refused'",
        "zustellung KEY: state (events: refused, row: delivered)",
    ),
    "what was sent": ("UPDATE zustellungen SET output_sha256 = 'ab'", "zustellung KEY: output_sha256"),
    "where it was sent": ("UPDATE zustellungen SET target = 'anderswo'", "zustellung KEY: target"),
    "a proof": ('UPDATE zustellungen SET proof = \'{"a":"b"}\'', "zustellung KEY: proof"),
    "a lost Zustellung": ("DELETE FROM zustellungen WHERE state = 'refused'", "zustellung KEY: missing"),
}


@pytest.mark.parametrize(("statement", "what"), ROWS.values(), ids=ROWS)
def test_a_changed_row_is_named(lives: Store, bench: Bench, key: SigningKey, statement: str, what: str) -> None:
    """The Nachricht, and the column that does not follow from its events."""
    keys = {one.key for record in lives.find() for one in lives.zustellungen(record.id)}
    ids = {record.id for record in lives.find()}
    _plant(bench, statement)
    found = _found(lives, key)
    told = found[0].what
    for one in keys:
        told = told.replace(one, "KEY")

    assert (Defect.ROW_DIFFERS, what) == (found[0].defect, told)
    assert found[0].chain in ids


HOLDS: dict[str, tuple[str, str]] = {
    "a hold lifted": ("DELETE FROM holds WHERE route = ''", "hold musterstadt: missing"),
    "a hold of a route lifted": ("DELETE FROM holds WHERE route <> ''", "hold musterstadt/bauantrag: missing"),
    "a hold nobody set": (
        "INSERT INTO holds SELECT 'beispielhausen', route, since, actor, reason FROM holds WHERE route <> ''",
        "hold beispielhausen/bauantrag: not in the events",
    ),
    "since when": ("UPDATE holds SET since = since + 1 WHERE route = ''", "hold musterstadt: since"),
    "by whom": ("UPDATE holds SET actor = 'x' WHERE route = ''", "hold musterstadt: actor"),
    "why": ("UPDATE holds SET reason = '' WHERE route = ''", "hold musterstadt: reason"),
}


@pytest.mark.parametrize(("statement", "what"), HOLDS.values(), ids=HOLDS)
def test_a_changed_standing_hold_is_named(
    lives: Store, bench: Bench, key: SigningKey, statement: str, what: str
) -> None:
    """Whoever lifts a hold behind the program's back would have everything erased that it keeps."""
    holds, who = lives.retention.holds, {"actor": "a.adler", "reason": "Klage anhängig"}
    holds.hold_all(MANDANTEN[0], "", now=NOW, **who)
    holds.hold_all(MANDANTEN[0], "bauantrag", now=NOW, **who)
    holds.hold_all(MANDANTEN[1], "", now=NOW, **who)
    holds.release_all(MANDANTEN[1], "", now=NOW, **who)
    assert [] == _found(lives, key)

    _plant(bench, statement)

    installation = str(lives.retention._db.installation)
    found = [(one.defect, one.chain, one.what) for one in _found(lives, key)]
    assert [(Defect.ROW_DIFFERS, installation, what)] == found


EVENTS: dict[str, tuple[str, Defect, Callable[[Problem], object], object]] = {
    "an event flipped": (
        "UPDATE audit_events SET body = CAST(replace(BODY, 'bug.unexpected', 'bug.unexpectee') AS BLOB) WHERE number = 14",
        Defect.CHANGED,
        lambda one: one.number,
        14,
    ),
    "an event that is none any more": (
        "UPDATE audit_events SET body = CAST('x' AS BLOB) WHERE number = 3",
        Defect.MALFORMED,
        lambda one: one.line,
        3,
    ),
    "a sealed event deleted": ("DELETE FROM audit_events WHERE number = 3", Defect.MISSING, lambda one: one.number, 4),
    "two numbers exchanged": (
        "; ".join(
            f"UPDATE audit_events SET number = {new} WHERE number = {old}" for old, new in [(2, 99), (3, 2), (99, 3)]
        ),
        Defect.MISSING,
        lambda one: one.number,
        2,
    ),
    "the log cut off": ("DELETE FROM audit_events WHERE number > 10", Defect.TRUNCATED, lambda one: one.number, 11),
    "the end of the installation's chain cut off, and its number given away": (
        "DELETE FROM audit_events WHERE number IS NULL",
        Defect.END_DIFFERS,
        lambda one: one.seq,
        1,
    ),
    "a head that is none any more": (
        "UPDATE audit_heads SET line = 'x'",
        Defect.HEADS_BROKEN,
        lambda one: one.number,
        1,
    ),
}


@pytest.mark.parametrize(("statements", "defect", "place", "where"), EVENTS.values(), ids=EVENTS)
def test_a_changed_event_is_named(
    lives: Store,
    bench: Bench,
    key: SigningKey,
    statements: str,
    defect: Defect,
    place: Callable[[Problem], object],
    where: object,
) -> None:
    """Flip, delete, reorder, truncate, in the database itself: the first bad entry is named."""
    if bench.url:
        statements = statements.replace("BODY", "convert_from(body, 'UTF8')").replace("AS BLOB", "AS BYTEA")
    _plant(bench, *statements.replace("BODY", "CAST(body AS TEXT)").split("; "))
    with lives.audit_snapshot() as moment:
        report = verify(moment.lines, moment.heads, [key.public_pem()], ends=moment.ends)

    assert report.first_bad is not None
    assert (defect, where) == (report.first_bad.defect, place(report.first_bad))


def test_a_row_nobody_told_of_is_named(lives: Store, bench: Bench, key: SigningKey) -> None:
    """A Nachricht without events, and events without a Nachricht."""
    [row] = list(lives.find(state=N.PARKED))
    _plant(bench, f"UPDATE audit_events SET chain = 'x' WHERE chain = '{row.id}'")
    found = {(one.defect, one.chain) for one in _found(lives, key)}

    assert {(Defect.ROW_DIFFERS, row.id), (Defect.ROW_MISSING, "x")} <= found


def test_a_lost_row_is_named(lives: Store, bench: Bench, key: SigningKey) -> None:
    """Whoever deletes a Nachricht with all that hangs on it cannot delete its events."""
    [row] = list(lives.find(state=N.COMPLETED))
    tables = ("zustellungen", "data_keys", "intake_keys", "search_keys")
    deletions = [f"DELETE FROM {table} WHERE nachricht_id = '{row.id}'" for table in tables]
    _plant(bench, *deletions, f"DELETE FROM nachrichten WHERE id = '{row.id}'")

    assert [(Defect.ROW_MISSING, row.id)] == [(one.defect, one.chain) for one in _found(lives, key)]


def test_a_rolled_back_database_is_named(lives: Store, bench: Bench, key: SigningKey) -> None:
    """Everything after the first head taken away, rows, events, heads and all, so that the rest agrees with itself."""
    older = {one.id for one in lives.find()}
    store = bench.open()
    store.answered(attempt(store, planned(store, message_id="fuenf"), DELIVERED), N.COMPLETED, {}, NOW)
    store.seal_heads(key.sign, NOW)
    elsewhere = store.heads()
    [later] = [one.id for one in store.find() if one.id not in older]
    tables = ("zustellungen", "data_keys", "intake_keys", "search_keys")
    _plant(
        bench,
        f"DELETE FROM audit_heads WHERE size > {elsewhere[0].size}",
        f"DELETE FROM audit_events WHERE chain = '{later}'",
        f"UPDATE audit_events SET number = NULL WHERE number > {elsewhere[0].size}",
        *[f"DELETE FROM {table} WHERE nachricht_id = '{later}'" for table in tables],
        f"DELETE FROM nachrichten WHERE id = '{later}'",
    )

    assert [] == _found(lives, key)
    with lives.audit_snapshot() as moment:
        report = verify(moment.lines, moment.heads, [key.public_pem()], second_place=elsewhere, ends=moment.ends)
    assert [(Defect.ROLLED_BACK, elsewhere[0].size + 1)] == [(one.defect, one.number) for one in report.problems]
