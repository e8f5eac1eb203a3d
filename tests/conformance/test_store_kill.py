"""Any engine: SIGKILL at any line keeps every promise that was told (G1, G10), and the audit trail stays whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from intermediary.audit.sealer import Head
from intermediary.audit.verify import verify
from intermediary.keys.signing import create_signing_key
from tests.conformance.store_kit import Bench, N, Z

KILLS = (1, 2, 5, 9, 14, 21, 33)


def test_a_killed_process_breaks_no_promise(bench: Bench, project: Path) -> None:
    """After each kill: what was taken is there and readable, verdicts stand, heads fit, nothing needs a hand."""
    folder = bench.data.parent
    key = create_signing_key(folder / "audit.key")
    bench.open().close()
    taken: set[str] = set()
    delivered: set[str] = set()
    heads: list[Head] = []
    for round_, lines in enumerate(KILLS):
        for word, value in _run_and_kill(project, bench, f"r{round_}", lines):
            if word == "taken":
                taken.add(value)
            elif word == "delivered":
                delivered.add(value)
            elif word == "sealed":
                heads.append(Head.parse(value))
        store = bench.open()
        with store.audit_snapshot() as moment:
            entries = (entry.line() for entry in moment.entries)
            report = verify(entries, moment.heads, [key.public_pem()], second_place=heads, ends=moment.ends)

        assert report.is_ok, report.first_bad
        assert taken <= {record.id for record in store.find()}
        assert all(store.body(record.id).read() for record in store.find())
        assert all(store.zustellungen(one)[0].state is Z.DELIVERED for one in delivered)
        assert all(store.get(one).state in (N.ANSWERING, N.COMPLETED) for one in delivered)
        store.close()
    assert len(delivered) >= 5
    assert heads


def test_nothing_is_left_in_between(bench: Bench, project: Path) -> None:
    """Blobs of intakes that died are gone or at their place after the next start."""
    create_signing_key(bench.data.parent / "audit.key")
    bench.open().close()
    for round_ in range(4):
        _run_and_kill(project, bench, f"r{round_}", 4 + round_)
    bench.open()

    assert [] == list((bench.data / "blobs" / "incoming").iterdir())


def _run_and_kill(project: Path, bench: Bench, name: str, lines: int) -> list[tuple[str, str]]:
    """Run the victim until it has printed some lines, kill it, and return all it printed completely."""
    command = [sys.executable, "-m", "tests.conformance.store_victim", str(bench.data.parent), name, bench.url]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        told = [victim.stdout.readline() for _ in range(lines)]
        victim.kill()
        told += victim.stdout.readlines()
    whole = [line.rstrip("\n").partition(" ") for line in told if line.endswith("\n")]
    assert len(whole) >= lines
    return [(word, value) for word, _, value in whole]
