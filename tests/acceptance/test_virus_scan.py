"""With a real clamd: what is infected is refused, what cannot be scanned waits, what is clean goes its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from intermediary.core.states import NachrichtState
from intermediary.operations.check import doctor, lint
from intermediary.osci.write import Attachment
from intermediary.testing.clamd import PATTERN, SIGNATURE, PrivateClamd
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Configuration, open_installation
from tests.acceptance.rig import Rig

N = NachrichtState


def _scanning(rig: Rig, address: str) -> None:
    """The rig's configuration with a scanner, and everything opened anew."""
    with rig.site.config.open("a") as stream:
        stream.write(f'\n[scan]\nclamd = "{address}"\nconnect_seconds = 5\nanswer_seconds = 30\n')
    rig.installation.store.close()
    rig.installation = open_installation(rig.site.config)
    rig.configuration = Configuration(rig.installation.settings)
    rig.worker = rig.new_worker()


@pytest.fixture
def mortal(clamd_program: str) -> Iterator[PrivateClamd]:
    """A clamd that a test may kill."""
    with PrivateClamd() as server:
        yield server


def _infected(rig: Rig) -> str:
    letter = sample_letter(1, now=rig.clock())
    virus = Attachment("rechnung.pdf", "application/pdf", b"%PDF-1.7\n" + PATTERN)
    return rig.submit(replace(letter, attachments=(*letter.attachments, virus)), "virus-1")


def test_an_infected_attachment_is_refused_and_audited(rig: Rig, clamd: PrivateClamd) -> None:
    """No package, a negative Quittung with the code, the finding and the engine under the audit trail."""
    _scanning(rig, clamd.address)
    found = _infected(rig)

    rig.work()

    record = rig.get(found)
    assert (N.REJECTED, "scan.virus.found") == (record.state, record.verdict_code)
    assert [] == rig.packages()
    assert record.plan["scan"]["engine"].startswith("ClamAV")
    (answer,) = rig.answers()
    assert "rejected" == answer["status"]
    assert "scan.virus.found" in str(answer)
    refused = next(entry.event for entry in rig.store.events(found) if entry.event.name == "nachricht.refused")
    assert "scan.virus.found" == refused.fields["code"]
    assert SIGNATURE in str(answer)


def test_what_is_clean_is_delivered_and_the_scan_is_kept(rig: Rig, clamd: PrivateClamd) -> None:
    """The plan, whose hash the audit trail has, says which engine called how many parts clean."""
    _scanning(rig, clamd.tcp)
    found = rig.submit(sample_letter(1, now=rig.clock()), "sauber-1")

    rig.work()

    record = rig.get(found)
    assert N.COMPLETED is record.state
    assert record.plan["scan"]["parts"] >= 1
    assert 1 == len(rig.packages())


def test_without_clamd_nothing_passes(rig: Rig, mortal: PrivateClamd) -> None:
    """The Nachricht waits with its code while the scanner is away, and goes on by itself when it is back."""
    _scanning(rig, mortal.address)
    mortal.kill()
    clean = rig.submit(sample_letter(1, now=rig.clock()), "wartet-1")
    infected = _infected(rig)

    rig.work()
    states = [(rig.get(one).state, rig.get(one).wait_reason) for one in (clean, infected)]
    mortal.start()
    rig.clock.advance(timedelta(minutes=1))
    rig.work()

    assert [(N.RECEIVED, "scan.unavailable")] * 2 == states
    assert [N.COMPLETED, N.REJECTED] == [rig.get(one).state for one in (clean, infected)]


def test_the_deadline_ends_the_wait_without_a_pass(rig: Rig) -> None:
    """A scanner that never comes parks the Nachricht for a person; it is not delivered unscanned."""
    _scanning(rig, f"unix:{rig.site.folder}/nobody.ctl")
    found = rig.submit(sample_letter(1, now=rig.clock()), "wartet-1")

    rig.work()
    rig.clock.advance(timedelta(days=4))
    rig.work()

    assert (N.PARKED, []) == (rig.get(found).state, rig.packages())


def test_doctor_asks_clamd(rig: Rig, clamd: PrivateClamd) -> None:
    """Its version when it answers, and what to do when it does not."""
    _scanning(rig, clamd.address)
    good = [one for one in doctor(rig.site.config, rig.clock()) if one.subject == "scan"]
    rig.site.config.write_text(rig.site.config.read_text().replace(clamd.address, "unix:/nonexistent/clamd.ctl"))
    away = [one for one in doctor(rig.site.config, rig.clock()) if one.subject == "scan"]

    assert [("ok", True)] == [(one.verdict, "ClamAV" in one.what) for one in good]
    assert [("bad", True)] == [(one.verdict, "/nonexistent/clamd.ctl" in one.what) for one in away]


@pytest.mark.parametrize(
    ("address", "what"),
    [("tcp://scanner.example:3310", "in the clear"), ("clamd.ctl", "clamd is `unix:"), ("unix:x", "clamd is")],
)
def test_lint_looks_at_the_address(tmp_path: Path, pki: Pki, address: str, what: str) -> None:
    """Another host is warned of, and what is no address is refused."""
    rig = Rig(tmp_path / "site", pki)
    with rig.site.config.open("a") as stream:
        stream.write(f'\n[scan]\nclamd = "{address}"\n')
    findings = [one for one in lint(rig.site.config) if one.path.startswith("scan")]
    rig.close()

    assert [True] == [what in one.what or what in one.hint for one in findings]
