"""Collects what the checker looks at, through the commands an operator has."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from tests.chaos.checker import FINAL, Evidence
from tests.chaos.installation import Stand
from tests.chaos.journal import read_journal
from tests.chaos.nursery import CRASHED, Nursery
from tests.chaos.senders import folder_quittungen


class Cli:
    """Runs a command of the product to its end."""

    def __init__(self, stand: Stand, nursery: Nursery) -> None:
        self._config = str(stand.site.config)
        self._folder = stand.folder
        self._nursery = nursery
        self._count = 0

    def __call__(self, *words: str, seconds: float = 300.0) -> tuple[int, str]:
        """Exit code and what it printed."""
        self._count += 1
        out = self._folder / f"said-{self._count}"
        pid = self._nursery.start([*words, "-c", self._config], log=out)
        pause, end = threading.Event(), time.monotonic() + seconds
        while (status := self._nursery.status(pid)) is None:
            if time.monotonic() > end:
                raise AssertionError(f"{' '.join(words)} does not end")
            pause.wait(0.01)
        text = out.read_text(encoding="utf-8")
        out.unlink()
        return status, text

    def lines(self, *words: str) -> list[dict[str, Any]]:
        """The lines of JSON that a command printed; a failing one is asked again, since the database may be coming up."""
        pause, end = threading.Event(), time.monotonic() + 60
        while True:
            status, text = self(*words)
            if status == 0:
                return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
            if time.monotonic() > end or status == CRASHED:
                raise AssertionError(f"{' '.join(words)}: {text[-500:]}")
            pause.wait(0.5)


def is_settled(lines: Sequence[dict[str, Any]]) -> bool:
    """Whether nothing is left to do but for people."""
    return not _open(lines)


def wait_until_settled(cli: Cli, seconds: float, *, but: Collection[str] = (), taken: int = 0) -> bool:
    """Look again and again until everything has come to its end; False when nothing more has come so far for so long.

    `but` are Nachrichten that nobody waits for; `taken` is how many must be in the store: what a broker has confirmed may
    still lie in its queue.
    """
    pause, end, least = threading.Event(), time.monotonic() + seconds, None
    while left := _left([line for line in cli.lines("state", "--all", "--json") if line["id"] not in but], taken):
        if least is None or left < least:
            least, end = left, time.monotonic() + seconds
        if time.monotonic() > end:
            return False
        pause.wait(1.0)
    return True


def _left(lines: Sequence[dict[str, Any]], taken: int) -> int:
    return _open(lines) + max(0, taken - len(lines))


def _open(lines: Sequence[dict[str, Any]]) -> int:
    return sum(
        line["state"] not in FINAL
        and line["state"] != "parked"
        and not any(one["state"] == "parked" for one in line["zustellungen"])
        for line in lines
    )


def collect(
    stand: Stand,
    cli: Cli,
    *,
    sent: Sequence[Path],
    sink: Path,
    settled: bool,
    ended: Sequence[int] = (),
    stop_status: int = 0,
    corrupted: frozenset[str] = frozenset(),
) -> Evidence:
    """Everything there is to see after the daemon has ended; `sent` are the journals of the senders and of the answers."""
    facts = [line for path in sent for line in read_journal(path)]
    status, told = cli("audit", "verify")
    queued = [(line["id"], line["status"]) for line in facts if line["what"] == "quittung"]
    return Evidence(
        given=[line for line in facts if line["what"] == "given"],
        taken=frozenset(line["id"] for line in facts if line["what"] == "taken"),
        sink=list(read_journal(sink)),
        states=cli.lines("state", "--all", "--json"),
        events=cli.lines("audit", "export"),
        quittungen=[*queued, *folder_quittungen(stand.site.answers)],
        verify="" if status == 0 else told[-400:],
        ended=ended,
        stop_status=stop_status,
        is_settled=settled,
        corrupted=corrupted,
    )
