"""Any engine: whoever only writes into the database cannot pass off a rollback as a restore (T26)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from intermediary.audit.chain import moment
from intermediary.audit.sealer import Head
from intermediary.audit.verify import Report, restored_statement, verify
from intermediary.keys.signing import SigningKey, create_signing_key
from intermediary.store import Store
from intermediary.store.installation import record_installation
from intermediary.store.tables import audit_events, audit_heads, data_keys, intake_keys, nachrichten
from tests.conformance.store_kit import INSTALLATION, NOW, SECOND, Bench, eingang

Sign = Callable[[bytes], bytes]


def _rolled_back(bench: Bench, store: Store, key: SigningKey) -> tuple[Head, Head]:
    """Two heads are known elsewhere; all that is under the second one is gone from the database."""
    store.take([eingang("eins")])
    kept = store.seal_heads(key.sign, NOW)
    [taken] = store.take([eingang("zwei")])
    lost = store.seal_heads(key.sign, NOW + SECOND)
    assert kept is not None
    assert lost is not None
    gone = taken.nachricht_id
    with bench.database().write() as tx:
        for table in (data_keys, intake_keys):
            tx.execute(delete(table).where(table.c.nachricht_id == gone))
        tx.execute(delete(nachrichten).where(nachrichten.c.id == gone))
        tx.execute(delete(audit_events).where(audit_events.c.chain == gone))
        tx.execute(delete(audit_heads).where(audit_heads.c.size > kept.size))
    return kept, lost


def _explain(bench: Bench, kept: Head, lost: Head, sign: Sign) -> None:
    """The event that a restore would have written."""
    fields: dict[str, Any] = {"backup": "lauf", "manifest_sha256": "ab" * 32, "size": kept.size, "lost_to": lost.size}
    fields |= {"lost_head": lost.digest(), "lost_until": moment(lost.at), "doubtful": 0, "reason": "Plattentausch"}
    fields["signature"] = base64.b64encode(sign(restored_statement(str(INSTALLATION), fields))).decode()
    database = bench.database()
    with database.write() as tx:
        record_installation(database, tx, "backup.restored", fields, now=NOW + 2 * SECOND, actor="adler")


def _verified(store: Store, key: SigningKey, *elsewhere: Head) -> Report:
    with store.audit_snapshot() as snapshot:
        return verify(snapshot.lines, snapshot.heads, [key.public_pem()], second_place=elsewhere, ends=snapshot.ends)


@pytest.mark.parametrize("is_own", [True, False])
def test_only_the_key_of_the_installation_explains_a_loss(bench: Bench, tmp_path: Path, is_own: bool) -> None:
    """Signed by it, the lost head is explained; by anybody else, the same event leaves a rollback a rollback."""
    key, stranger = create_signing_key(tmp_path / "a.key"), create_signing_key(tmp_path / "b.key")
    store = bench.open()
    kept, lost = _rolled_back(bench, store, key)
    _explain(bench, kept, lost, key.sign if is_own else stranger.sign)
    newest = store.seal_heads(key.sign, NOW + 3 * SECOND)
    assert newest is not None

    report = _verified(store, key, kept, lost, newest)

    assert ([] if is_own else ["rolled-back"]) == [problem.defect.value for problem in report.problems]
    assert is_own == bool(report.restored)
