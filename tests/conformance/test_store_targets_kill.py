"""Any engine: SIGKILL of the one that tries a resting target holds up nobody, and no effect is doubled by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from intermediary.core.breaker import Sign, TargetState
from intermediary.store.owners import is_alive
from intermediary.store.targets import Hold, Pass
from tests.conformance.store_kit import NOW, SECOND, Bench, Z, key_of, planned
from tests.conformance.target_victim import ID, REF, rest

THEN = NOW + 32 * SECOND


def test_a_killed_probe_is_replaced(bench: Bench, project: Path) -> None:
    """While it lives nobody else may try; killed, the next one may as soon as its lease is free, and closes the rest."""
    store = bench.open()
    first, second = planned(store, message_id="antrag-1"), planned(store, message_id="antrag-2")
    rest(store, first)
    store.release(first, NOW)
    command = [sys.executable, "-m", "tests.conformance.target_victim"]
    arguments = [str(bench.data.parent), first.nachricht.id, bench.url]
    with subprocess.Popen([*command, *arguments], cwd=project, stdin=-1, stdout=-1, text=True) as victim:
        assert victim.stdout is not None
        said = victim.stdout.readline().strip()
        during = store.targets.admit(REF, second, key_of(second), now=THEN)
        victim.kill()
    left = store.targets.standing().records[ID].health.state
    store.release_dead(lambda owner: is_alive(owner, is_shared=store.is_shared), THEN)
    store.targets.tend([REF], THEN)
    after = store.targets.admit(REF, second, key_of(second), now=THEN + 2 * SECOND)
    assert isinstance(after, Pass)
    store.targets.report(after, Sign.WELL, now=THEN + 3 * SECOND)
    claim = store.claim_one(first.nachricht.id, "w", THEN + 4 * SECOND)

    assert ("probing", Hold("target.resting"), TargetState.PROBING) == (said, during, left)
    assert after.is_probe
    assert TargetState.WORKS is store.targets.standing().records[ID].health.state
    assert Z.UNCLEAR is claim.zustellungen[0].state
