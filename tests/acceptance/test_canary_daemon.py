"""No plaintext at rest with a real daemon: while it takes and works, after it was killed, and in all it leaves behind."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.core.states import FINAL, NachrichtState
from intermediary.operations.prove import verify_installation
from intermediary.osci.write.letter import Letter
from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import SERVICE_WITHOUT_ROUTE, Site, make_site
from intermediary.testing.pki import Pki
from intermediary.wiring import open_installation
from tests.acceptance.canaries import Hit, search, search_tree, word
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.planted import BESIDE_LETTER, IN_FAULTS, IN_LETTER, opened_letter, planted, slices

WORDS = {name: word(name) for name in (*IN_LETTER, *IN_FAULTS, *BESIDE_LETTER, "file-name")}
LARGE = 1_300_000  # more than the spool keeps in memory
LETTERS = 10


class Watched:
    """A site with a daemon, its log, its folder for temporary files, and the words to look for."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self.site: Site = make_site(folder / "site", now=datetime.now(UTC), settings=golden_settings(), pki=pki)
        self.log = folder / "daemon.log"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.words = dict(WORDS)
        self.daemon: Daemon | None = None

    def start(self) -> Daemon:
        self.daemon = Daemon(self.site.config, log=self.log, temporary=self.temporary)
        return self.daemon

    def drop(self, letter: Letter, name: str) -> None:
        """Put a letter and what is said beside it into the inbox, as a sender does."""
        body = seal(letter, parties=self.site.pki.parties, random=os.urandom, now=datetime.now(UTC))
        if name in ("large", "sidecar"):
            self.words |= {f"{name}, {which}": text for which, text in slices(body).items()}
        file_name = f"{name}-{word('file-name')}.osci"
        beside = {"correlation_id": word("correlation-id"), "vorgang": word("vorgang")}
        if name == "sidecar":
            beside |= {"message_id": word("message-id")}
        (self.site.inbox / f"{file_name}.json").write_text(json.dumps(beside))
        draft = self.site.inbox / f".{file_name}.part"
        draft.write_bytes(body)
        draft.rename(self.site.inbox / file_name)

    def hits(self, *, state_folder: bool = True) -> list[Hit]:
        """What is found in the folder, in the log and among the temporary files."""
        site = self.site
        doors = [site.inbox, site.drop, site.answers]
        if not state_folder:  # the connector's own side of the target: a package lies there until its rename
            doors.append(site.folder / ".fachverfahren-state")
        found = search_tree([site.folder, self.temporary], self.words, leave_out=doors)
        return found + list(search(self.log.read_bytes(), self.words, "log"))


@pytest.fixture
def watched(tmp_path: Path, pki: Pki) -> Iterator[Watched]:
    """A site whose daemon is gone at the end, however the test ends."""
    made = Watched(tmp_path, pki)
    yield made
    if made.daemon is not None:
        made.daemon.kill()


def test_nothing_readable_rests_around_a_daemon(watched):
    """Killed while taking, killed while working, stopped when done: nothing readable in files, WAL, spool, log or TMPDIR."""
    now = datetime.now(UTC)
    daemon = watched.start()
    daemon.wait_for("ingress.started")
    store = sqlite3.connect(watched.site.folder / "data" / "store.db")
    store.execute("BEGIN IMMEDIATE")  # nothing can be committed: what arrives stays in the hands of the door
    watched.drop(opened_letter(planted(1, now=now, large_bytes=LARGE)), "large")
    if os.geteuid() == 0:  # a child shows its descriptors to nobody else; test_canary.py looks at its own
        assert [] == list(search(_spool_of(daemon), watched.words, "spool"))
    watched.drop(planted(2, now=now, is_broken=True), "broken")
    assert [] == watched.hits()
    daemon.kill()
    store.rollback()
    store.close()
    assert [] == watched.hits()
    assert [] == list(watched.temporary.iterdir())

    watched.drop(planted(3, now=now, service=SERVICE_WITHOUT_ROUTE), "waiting")
    watched.drop(planted(4, now=now), "sidecar")
    for number in range(5, 5 + LETTERS):
        watched.drop(planted(number, now=now), f"antrag {number}")
    daemon = watched.start()
    wait_until(lambda: any(watched.site.drop.glob("*.zip")), "the first package")
    daemon.kill()
    assert [] == watched.hits(state_folder=False)

    daemon = watched.start()
    wait_until(lambda: not list(watched.site.inbox.glob("*.osci")), "an empty inbox")
    installation = open_installation(watched.site.config)
    find = installation.store.find
    wait_until(lambda: all(one.state in FINAL or one.wait_reason for one in find()), "the end of the work")
    assert 0 == daemon.stop()
    states = [one.state for one in find()]
    assert LETTERS + 4 == len(states)
    assert {NachrichtState.COMPLETED: LETTERS + 2, NachrichtState.REJECTED: 1, NachrichtState.RECEIVED: 1} == {
        state: states.count(state) for state in set(states)
    }
    assert [] == watched.hits()
    assert [] == list(watched.temporary.iterdir())
    assert {"message-id", "correlation-id", "file-name"} <= {
        hit.canary for hit in search_tree([watched.site.answers], watched.words)
    }
    assert verify_installation(installation).is_ok
    installation.store.close()


def _spool_of(daemon: Daemon) -> bytes:
    """What lies in the nameless file that the door writes to, once it is complete."""
    found: dict[str, int] = {}

    def is_complete() -> bool:
        nonlocal found
        before, found = found, _nameless_files(daemon)
        return bool(found) and before == found and max(found.values()) > LARGE

    wait_until(is_complete, "a spooled body")
    return Path(max(found, key=lambda link: found[link])).read_bytes()


def _nameless_files(daemon: Daemon) -> dict[str, int]:
    """Size of every unlinked regular file that a child holds open, by its link."""
    links = [link for child in daemon.children() for link in Path(f"/proc/{child}/fd").iterdir()]
    found = {}
    for link in links:
        try:
            if "spool-" in os.readlink(link):
                found[str(link)] = link.stat().st_size
        except OSError:
            continue
    return found
