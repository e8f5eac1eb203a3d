"""Second place of the audit: written by the daemon's chores, and demanded by `audit verify` (T26)."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from intermediary.audit.second_place import HEADS_FILE, read_heads
from intermediary.audit.verify import Defect, Report
from intermediary.daemon.chores import Chores
from intermediary.operations.prove import as_json, as_text, verify_installation
from intermediary.testing.samples import sample_letter
from intermediary.wiring import open_installation
from tests.acceptance.rig import Rig


class Watch:
    """A rig with the chores of its daemon; `tick` seals what has happened since."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.folder = rig.installation.settings.audit.heads_folder
        self.chores = Chores(rig.installation, rig.configuration, now=rig.clock)
        self.submitted = 0

    def tick(self) -> list[dict[str, object]]:
        self.submitted += 1
        letter = sample_letter(self.submitted, now=self.rig.clock())
        self.rig.submit(letter, f"portal/{self.submitted}")
        return self.pass_time()

    def pass_time(self) -> list[dict[str, object]]:
        self.rig.clock.advance(timedelta(seconds=10))
        with structlog.testing.capture_logs() as said:
            self.chores.do()
        return [dict(one) for one in said if one["log_level"] == "error"]

    def verify(self) -> Report:
        return verify_installation(self.rig.installation)


@pytest.fixture
def watch(rig: Rig) -> Watch:
    """An installation whose daemon has sealed two heads."""
    made = Watch(rig)
    assert [[], []] == [made.tick(), made.tick()]
    return made


def _defects(report: Report) -> list[Defect]:
    return [problem.defect for problem in report.problems]


def test_what_the_daemon_writes_verifies(watch: Watch) -> None:
    """The normal case: both lists are equal."""
    assert watch.rig.store.heads() == read_heads(watch.folder)
    assert watch.verify().is_ok


def test_a_missing_place_is_told_once_and_caught_up(watch: Watch) -> None:
    """While the share is away nothing is made in its stead, every round knows it; when it is back all heads follow."""
    away = watch.folder.rename(watch.folder.with_name("away"))

    for told in (["audit.second-place"], [], []):
        assert told == [error["code"] for error in watch.tick()]
        assert {"copy_heads": "audit.second-place"} == watch.chores.failing
    assert not watch.folder.exists()

    away.rename(watch.folder)
    assert [] == watch.pass_time()
    assert 5 == len(read_heads(watch.folder))
    assert watch.rig.store.heads() == read_heads(watch.folder)
    assert watch.verify().is_ok


def test_the_last_heads_of_a_stopping_daemon_do_not_bring_it_down(watch: Watch) -> None:
    """A missing place at the end is logged, like at any other time."""
    shutil.rmtree(watch.folder)
    with structlog.testing.capture_logs() as said:
        watch.chores.seal()

    assert ["audit.second-place"] == [one["code"] for one in said if one["log_level"] == "error"]


@pytest.mark.parametrize("loss", ["folder", "file", "lines"])
def test_verify_is_not_content_without_the_second_place(watch: Watch, loss: str) -> None:
    """Missing, empty, or two heads behind: nothing shows a rollback then, and verify says so."""
    watch.tick()
    file = watch.folder / HEADS_FILE
    if loss == "folder":
        shutil.rmtree(watch.folder)
    elif loss == "file":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])

    report = watch.verify()

    expected = Defect.SECOND_PLACE_BEHIND if loss == "lines" else Defect.SECOND_PLACE_MISSING
    assert [expected] == _defects(report)
    assert not report.is_ok
    assert "NICHT VERGLICHEN" in as_text(report)
    assert "unversehrt" not in as_text(report)
    assert (False, expected.value) == (as_json(report)["ok"], as_json(report)["problems"][0]["defect"])


def test_a_head_on_its_way_is_no_alarm(watch: Watch) -> None:
    """Between the store's commit and the line in the second place, the newest head may be in the store alone."""
    watch.rig.submit(sample_letter(9, now=watch.rig.clock()), "portal/9")
    watch.rig.clock.advance(timedelta(seconds=5))
    watch.rig.store.seal_heads(watch.rig.installation.signing.sign, now=watch.rig.clock())

    assert watch.rig.store.heads()[:-1] == read_heads(watch.folder)
    assert watch.verify().is_ok


def test_an_installation_without_a_head_needs_only_the_folder(rig: Rig) -> None:
    """Before the first sealing there is nothing to compare."""
    assert verify_installation(rig.installation).is_ok


def test_a_rollback_is_found_although_the_daemon_went_on(watch: Watch, tmp_path: Path) -> None:
    """A store put back to yesterday goes on sealing: its new heads follow the old ones, which testify against it."""
    data, copy = watch.rig.installation.settings.installation.data, tmp_path / "yesterday"
    watch.rig.close()
    shutil.copytree(data, copy)
    site = watch.rig.site
    rig = _reopened(watch.rig)
    Watch(rig).tick()
    rig.close()
    shutil.rmtree(data)
    shutil.copytree(copy, data)

    again = Watch(_reopened(watch.rig))
    again.submitted = 50
    again.rig.clock.advance(timedelta(days=1))
    assert [] == again.tick()
    report = again.verify()
    again.rig.close()

    assert site.folder == again.rig.site.folder
    assert Defect.ROLLED_BACK in _defects(report)
    assert "VERLETZT" in as_text(report)


def _reopened(rig: Rig) -> Rig:
    from intermediary.wiring import Configuration, open_installation

    again = object.__new__(Rig)
    again.clock, again.site = rig.clock, rig.site
    again.installation = open_installation(rig.site.config)
    again.configuration = Configuration(again.installation.settings)
    again.worker = again.new_worker()
    return again


def test_many_events_do_not_wait_for_the_clock(rig: Rig) -> None:
    """A head is signed before its time once `head_events` wait, and not before that."""
    rig.site.config.write_text(
        rig.site.config.read_text(encoding="utf-8").replace("head_seconds = 5", "head_seconds = 300\nhead_events = 3"),
        encoding="utf-8",
    )
    installation = open_installation(rig.site.config)
    chores = Chores(installation, rig.configuration, now=rig.clock)
    chores.do()
    sizes = []
    for number in range(3):
        rig.submit(sample_letter(number, now=rig.clock()), f"viele/{number}")
        chores.do()
        sizes.append(max((head.size for head in installation.store.heads()), default=0))
    installation.store.close()

    assert [0, 0, 3] == sizes
