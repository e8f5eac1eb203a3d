"""A real daemon and Nachrichten that kill whoever opens them: good traffic goes on, and a person finds the poison parked."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from mappings.bewohnerparken import mapping as good
from tests.acceptance.daemon import Daemon, wait_until

_MAPPING = """
import os, pathlib, signal
from mappings.bewohnerparken.mapping import MAPPING as GOOD

class Poisoned:
    name, version = "poisoned", 1

    def __getattr__(self, name):
        return getattr(GOOD, name)

    def map(self, antrag, kontext):
        payload = antrag.payload.content.read()
        marker = pathlib.Path(__file__).with_name("killed-once")
        if os.environ["ONCE"].encode() in payload and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if os.environ["ALWAYS"].encode() in payload:
            os.kill(os.getpid(), signal.SIGSEGV)
        return GOOD.map(antrag, kontext)

MAPPING = Poisoned()
"""


class Poisoned:
    """A site with a mapping of somebody else's that certain applications crash, as a fault in a C library would."""

    def __init__(self, folder: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site: Site = make_site(folder / "site", now=datetime.now(UTC), settings=golden_settings(), pki=pki)
        routes = self.site.folder / "routes.toml"
        routes.write_text(routes.read_text().replace("bewohnerparken@1", "poisoned@1"))
        package, about = folder / "plug-in" / "poisoned", folder / "plug-in" / "poisoned-1.dist-info"
        for made in (package, about, folder / "tmp"):
            made.mkdir(parents=True)
        shutil.copytree(Path(good.__file__).parent / "schema", package / "schema")
        (package / "__init__.py").write_text(_MAPPING)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: poisoned\nVersion: 1\n")
        (about / "entry_points.txt").write_text("[intermediary.mappings]\npoisoned@1 = poisoned:MAPPING\n")
        monkeypatch.setenv(
            "PYTHONPATH", os.pathsep.join(filter(None, (str(folder / "plug-in"), os.getenv("PYTHONPATH"))))
        )
        monkeypatch.setenv("ALWAYS", _mark(777))
        monkeypatch.setenv("ONCE", _mark(778))
        self.log = folder / "daemon.log"
        self.daemon = Daemon(self.site.config, log=self.log, temporary=folder / "tmp")

    def drop(self, seed: int) -> None:
        """Put an application into the inbox."""
        letter = sample_letter(seed, now=datetime.now(UTC))
        draft = self.site.inbox / f".{seed}.part"
        draft.write_bytes(seal(letter, parties=self.site.pki.parties, random=os.urandom, now=datetime.now(UTC)))
        draft.rename(self.site.inbox / f"{seed}.osci")

    def states(self) -> list[tuple[str, str, int]]:
        """State, code and unexplained ends of every Nachricht, in the order of their codes."""
        with sqlite3.connect(f"file:{self.site.folder / 'data' / 'store.db'}?mode=ro", uri=True) as connection:
            return connection.execute(
                "SELECT state, code, unexplained FROM nachrichten ORDER BY code, state"
            ).fetchall()


def _mark(seed: int) -> str:
    """Words that only this application contains."""
    (content,) = sample_letter(seed, now=datetime(2026, 11, 1, tzinfo=UTC)).contents
    found = re.search(rb"antrag\d+@", content)
    assert found is not None
    return found[0].decode()


@pytest.fixture
def poisoned(tmp_path: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> Iterator[Poisoned]:
    """A poisoned site whose daemon is gone at the end, however the test ends."""
    made = Poisoned(tmp_path, pki, monkeypatch)
    yield made
    made.daemon.kill()


def test_poison_is_parked_and_good_traffic_goes_on(poisoned):
    """One death of a worker, two of the process that opened it alone; five good ones beside it are delivered."""
    poisoned.daemon.wait_for("ingress.started")
    poisoned.drop(777)
    poisoned.daemon.wait_for("child.died")
    for seed in range(5):
        poisoned.drop(seed)
    wait_until(lambda: all(state in ("completed", "parked") for state, *_ in poisoned.states()), "the end")
    wait_until(lambda: len(poisoned.states()) == 6, "all of them")
    wait_until(lambda: all(state in ("completed", "parked") for state, *_ in poisoned.states()), "the end of all")

    assert [("completed", "", 0)] * 5 + [("parked", "poison.crash", 3)] == poisoned.states()
    assert 3 == poisoned.daemon.said("child.died")
    assert 0 == poisoned.daemon.stop()


def test_a_suspect_that_is_none_goes_its_way(poisoned):
    """What killed a worker once is opened alone, finished there, and suspected no longer."""
    poisoned.daemon.wait_for("ingress.started")
    poisoned.drop(778)
    wait_until(lambda: [("completed", "", 0)] == poisoned.states(), "its delivery")

    assert (1, 1) == (poisoned.daemon.said("child.died"), poisoned.daemon.said("suspect.opened"))
    assert 0 == poisoned.daemon.stop()
