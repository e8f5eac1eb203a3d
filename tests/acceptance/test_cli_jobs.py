"""Jobs from the command line: counted, ordered once, seen, steered; the texts are German and name what to do."""

from __future__ import annotations

import threading
from unittest import mock

import pytest

from intermediary.cli.identity import Identity
from intermediary.daemon.jobs import JobRunner
from intermediary.operations import jobs
from intermediary.store import job_items
from tests.acceptance.command import Said
from tests.acceptance.office import Office

AGAIN = ("state=completed", "--redeliver", "eakte")
WHY = ("--reason", "Paket verloren")
RULES = '\n[approvals]\nrequired = ["replay"]\n'


def _carry_out(office: Office) -> None:
    """What the child process of the daemon does, until nothing is left."""
    with office.opened() as opened:
        runner = JobRunner(opened.store.jobs, owner="runner", is_alive=lambda _owner: True, now=opened.now)
        runner.run(threading.Event())


def _by(office: Office, account: str, *arguments: str) -> Said:
    with mock.patch("intermediary.cli.identity.identity", return_value=Identity(account, account)):
        return office.call(*arguments)


def _ordered(office: Office) -> str:
    return office.call("replay", *AGAIN, "--job", *WHY, "--json").rows[0]["id"]


def test_the_dry_run_counts_and_changes_nothing(own: Office) -> None:
    """By effect and by ground, with the time it would take."""
    before = own.call("state", "--all", "--json").out
    told = own.call("replay", own.ids["done"], "--job", "--dry-run")
    counted = own.call("replay", *AGAIN, "--job", "--dry-run", "--json")
    everything = own.call("replay", "mandant=musterstadt", "--job", "--dry-run", "--json").rows[0]

    assert (0, 0) == (told.code, counted.code)
    assert "eine erneute Zustellung verlangt --redeliver ZIEL" in told.out
    assert ({"redeliver": 1}, {}) == (counted.rows[0]["moved"], counted.rows[0]["left"])
    assert everything["total"] == sum(everything["moved"].values()) + sum(everything["left"].values()) > 4
    assert before == own.call("state", "--all", "--json").out
    assert "kein Auftrag\n" == own.call("jobs", "list").out


def test_many_become_a_job_by_themselves(own: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the threshold the command only orders; below it does it at once, as ever."""
    few = own.call("replay", own.ids["overdue"], *WHY, "--json").rows[0]
    monkeypatch.setattr(jobs, "THRESHOLD", 0)
    many = own.call("replay", *AGAIN, "--rate", "5", *WHY)

    assert "resume" == few["action"]
    assert 0 == many.code
    assert "1 Nachricht, höchstens 5 je Sekunde" in many.lines[0]
    assert ["running"] == [row["state"] for row in own.call("jobs", "list", "--json").rows]


def test_a_job_is_ordered_carried_out_and_reported(own: Office) -> None:
    """From the order to the report; the second click is refused and names the first."""
    job = _ordered(own)
    twice = own.call("replay", *AGAIN, "--job", *WHY)
    before = own.call("jobs", "show", job[:8])
    _carry_out(own)
    (row,) = own.call("jobs", "show", job[:8], "--json").rows
    after, listed = own.call("jobs", "show", job), own.call("jobs", "list")

    assert 2 == twice.code
    assert job in twice.err
    assert f"intermediary jobs show {job[:8]}" in twice.err
    assert "wartet auf einen Dienst: 0 von 1 (0 %)" in before.out
    assert ("done", 1, 1, {"redeliver": 1}, {"open": 1}) == (
        row["state"],
        row["total"],
        row["done"],
        row["doneBy"],
        row["since"],
    )
    assert "fertig: 1 von 1 (100 %)" in after.out
    assert "erneut an eakte" in after.out
    assert "Paket verloren" in after.out
    assert all(len(line) <= 100 for line in [*after.lines, *listed.lines])
    assert job[:8] == listed.lines[2].split()[0]
    (shown,) = own.call("show", own.ids["done"], "--json").rows
    assert ["delivered", "due"] == [one["state"] for one in shown["zustellungen"]]
    assert job == shown["events"][-1]["fields"]["job"]
    assert 0 == own.call("audit", "verify").code

    again = own.call("replay", *AGAIN, "--job", *WHY)
    assert (2, True) == (again.code, "--again" in again.err)


def test_pause_resume_and_stop_want_a_reason(own: Office) -> None:
    """Each is said back in German, and refused where it does not fit."""
    job = _ordered(own)
    silent = own.call("jobs", "pause", job)
    paused = own.call("jobs", "pause", job, "--reason", "Wartung")
    _carry_out(own)
    resumed = own.call("jobs", "resume", job, "--rate", "2", "--reason", "fertig", "--json").rows[0]
    own.call("jobs", "pause", job, "--reason", "Wartung")
    told = own.call("jobs", "resume", job, "--reason", "fertig")
    stopped = own.call("jobs", "stop", job, "--reason", "falsche Auswahl")
    late = own.call("jobs", "resume", job, "--reason", "doch")

    assert (2, True) == (silent.code, "--reason" in silent.err)
    assert f"Auftrag {job}: angehalten, 0 von 1 erledigt.\n" == paused.out
    assert f"Auftrag {job}: geht weiter, sobald ein Dienst ihn aufnimmt, 0 von 1 erledigt.\n" == told.out
    assert ("running", 2.0, 0) == (resumed["state"], resumed["rate"], resumed["done"])
    assert f"Auftrag {job}: beendet, 0 von 1 erledigt.\n" == stopped.out
    assert (2, True, True) == (late.code, "stopped" in late.err, "jobs show ID" in late.err)
    assert "delivered" == own.call("show", own.ids["done"], "--json").rows[0]["zustellungen"][-1]["state"]


def test_what_does_not_exist_is_said(own: Office) -> None:
    """A job nobody has, and a selection that meets nobody."""
    unknown = own.call("jobs", "show", "ffff")
    nobody = own.call("replay", "state=discarded", "--job", *WHY)

    assert (2, True) == (unknown.code, "intermediary jobs list" in unknown.err)
    assert (2, True) == (nobody.code, "trifft keine Nachricht" in nobody.err)


def test_a_job_waits_for_a_second_person(own: Office) -> None:
    """The selection is fixed, nothing moves before another one approves, then it happens once, with both names."""
    own.config.write_text(own.config.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    words = ("replay", *AGAIN, "--job", *WHY)
    asked = _by(own, "adler", *words)
    (request,) = own.call("approvals", "list", "--json").rows
    _carry_out(own)
    early = _by(own, "adler", *words, "--approval", request["id"])
    given = _by(own, "bussard", "approvals", "approve", request["id"], "--reason", "nachgesehen")
    begun = _by(own, "adler", *words, "--approval", request["id"], "--json")
    _carry_out(own)
    (row,) = own.call("jobs", "list", "--json").rows

    assert (1, 1, "redeliver") == (asked.code, request["count"], request["verb"])
    assert early.code == 2
    assert (0, 0, "running") == (given.code, begun.code, begun.rows[0]["state"]), (given, begun)
    assert ("done", 1) == (row["state"], row["done"])
    (shown,) = own.call("show", own.ids["done"], "--json").rows
    told = [event for event in shown["events"] if event["event"].startswith("person.")]
    assert ["person.approved", "person.redelivered"] == [event["event"] for event in told]
    assert ("adler", "bussard") == (told[0]["fields"]["requested_by"], told[0]["fields"]["approved_by"])
    assert 0 == own.call("audit", "verify").code


def test_one_that_raises_does_not_stop_the_others(own: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected is the report's business; the runner goes on behind it."""
    job = own.call("replay", "state=parked", "--job", *WHY, "--json").rows[0]
    broken = own.ids["conflict"]
    original = job_items.order_resumption

    def resume(work, **asked):
        if work.nachricht.id == broken:
            raise ValueError("nobody expected this")
        return original(work, **asked)

    monkeypatch.setattr(job_items, "order_resumption", resume)
    _carry_out(own)
    (row,) = own.call("jobs", "show", job["id"], "--json").rows

    assert ("done", {"bug.unexpected": 1}) == (row["state"], row["failedBecause"])
    assert row["total"] == row["done"] + row["nothing"] + 1
    assert "parked" == own.state("conflict")
    assert "Das Programm hat einen Fehler" in own.call("jobs", "show", job["id"]).out
