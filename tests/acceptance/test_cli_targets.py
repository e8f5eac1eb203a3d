"""`targets`: what people see of a target that rests, and the word that stops one and lets it go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from intermediary.daemon.chores import Chores
from intermediary.testing.samples import sample_letter
from intermediary.wiring import utc_now
from tests.acceptance.command import Said, call
from tests.acceptance.rig import Rig

EAKTE = "musterstadt/bewohnerparken/eakte"


def say(rig: Rig, *words: str) -> Said:
    """Run a command on the rig's installation."""
    return call(*words, "-c", rig.site.config)


def submit(rig: Rig, count: int, *, occupied: bool) -> list[str]:
    """So many applications; what is occupied cannot be delivered."""
    ids = [rig.submit(sample_letter(n, now=rig.clock()), f"portal/{n}") for n in range(1, count + 1)]
    for own in ids if occupied else ():
        rig.site.occupy(own)
    return ids


def test_a_target_that_rests(rig: Rig) -> None:
    """Five failures and it rests: `targets list` says so, `explain` and `show` name it for who waits, its cause in JSON."""
    ids = submit(rig, 6, occupied=True)
    rig.work()
    told = say(rig, "targets", "list")
    [line] = say(rig, "targets", "list", "--json").rows
    explained = say(rig, "explain", ids[-1])
    shown = say(rig, "show", ids[-1], "--json").rows[0]["zustellungen"][0]

    assert (0, f"{EAKTE}  ruht") == (told.code, told.lines[0])
    assert "5 Fehler in Folge, zuletzt target.full" in told.out
    assert "1 Zustellung wartet" in told.out
    assert ("rests", 5, 1, "target.full") == tuple(line[name] for name in ("state", "failures", "waiting", "lastCode"))
    assert datetime.fromisoformat(line["nextTry"]) == rig.clock() + timedelta(seconds=30)
    assert f"Sie wartet auf das Ziel {EAKTE}" in " ".join(explained.out.split())
    assert ("target.resting", EAKTE, 0) == (shown["code"], shown["waitsFor"], shown["attempts"])


def test_it_recovers_by_the_daemons_care(rig: Rig) -> None:
    """Once it takes again, one tries and the others follow, by what the daemon does every second."""
    submit(rig, 6, occupied=True)
    rig.work()
    rig.fetch()
    chores = Chores(rig.installation, rig.configuration, now=rig.clock)
    for _ in range(60):
        rig.clock.advance(timedelta(seconds=5))
        chores.tend_targets()
        rig.work()

    assert 6 == len(rig.packages())
    assert ["works"] == [row["state"] for row in say(rig, "targets", "list", "--json").rows]
    assert "unversehrt" in say(rig, "audit", "verify").out


def test_pause_and_resume(rig: Rig) -> None:
    """Nothing goes to a paused target, whoever paused it and why is shown and in the audit trail; resumed it goes on."""
    paused = say(rig, "targets", "pause", "musterstadt", "--reason", "Umzug der eAkte")
    [own] = submit(rig, 1, occupied=False)
    rig.work()
    listed = say(rig, "targets", "list")
    explained = say(rig, "explain", own)

    assert (0, True) == (paused.code, EAKTE in paused.out)
    assert (f"{EAKTE}  angehalten", True) == (listed.lines[0], "Umzug der eAkte" in listed.out)
    assert ("planned", "target.paused") == (rig.get(own).state, rig.get(own).wait_reason)
    assert "intermediary targets resume" in explained.out
    assert [] == rig.packages()

    assert 0 == say(rig, "targets", "resume", "musterstadt", "--reason", "fertig").code
    rig.clock.advance(timedelta(seconds=2))
    Chores(rig.installation, rig.configuration, now=rig.clock).tend_targets()
    rig.work()
    told = [(e.event.name, e.event.actor) for e in rig.store.events_of_installation() if "target" in e.event.name]

    assert "completed" == rig.get(own).state
    assert ["target.paused", "target.resumed"] == [name for name, _ in told]
    assert all(actor for _, actor in told)


def test_a_pause_wants_a_target_a_reason_and_a_future(rig: Rig) -> None:
    """What nobody configured, no reason, an end that is past or no time: 2, with a hint, and nothing is paused."""
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    for words in (
        ("pause", "musterstad", "--reason", "x"),
        ("pause", EAKTE),
        ("pause", EAKTE, "--reason", "x", "--until", past),
        ("pause", EAKTE, "--reason", "x", "--until", "morgen"),
        ("resume", EAKTE, "--reason", "x"),
    ):
        said = say(rig, "targets", *words)

        assert (2, "") == (said.code, said.out)
        assert said.err.startswith("intermediary: error: ")
    assert 'did you mean "musterstadt"?' in say(rig, "targets", "pause", "musterstad", "--reason", "x").err
    assert [] == [e for e in rig.store.events_of_installation() if e.event.name == "target.paused"]


def test_doctor_tells_of_targets_that_take_nothing(rig: Rig) -> None:
    """What rests or is paused is named with its cause, how much waits for it, and what to type."""
    quiet = say(rig, "doctor").out
    submit(rig, 6, occupied=True)
    rig.work()
    resting = say(rig, "doctor").out
    say(rig, "targets", "pause", "musterstadt", "--reason", "Umzug der eAkte")
    paused = say(rig, "doctor").out

    assert f"target {EAKTE}: reachable" in quiet
    assert "rests" not in quiet
    assert f"target {EAKTE}: rests since" in resting
    assert "target.full" in resting
    assert f"intermediary targets probe {EAKTE}" in resting
    assert f"target {EAKTE}: paused since" in paused
    assert "intermediary targets resume musterstadt" in paused


def test_a_probe_on_demand(rig: Rig) -> None:
    """Whoever has healed a target lets the next attempt through at once; person and reason are in the audit trail."""
    rig.clock.moment = utc_now()
    submit(rig, 6, occupied=True)
    rig.work()
    rig.fetch()
    said = say(rig, "targets", "probe", EAKTE, "--reason", "Ordner geleert")
    rig.clock.moment = utc_now() + timedelta(seconds=2)  # a worker knows of it within a second
    Chores(rig.installation, rig.configuration, now=rig.clock).tend_targets()
    rig.work()
    [line] = say(rig, "targets", "list", "--json").rows
    [told] = [e.event for e in rig.store.events_of_installation() if e.event.name == "target.probe-ordered"]

    assert (0, True) == (said.code, EAKTE in said.out)
    assert "works" == line["state"]
    assert (EAKTE, "Ordner geleert") == (told.fields["target"], told.fields["reason"])
    assert told.actor


def test_only_what_rests_is_probed(rig: Rig) -> None:
    """A target that works, one nobody knows, no reason: 2, with a hint, and nothing is written."""
    for words in (("probe", EAKTE, "--reason", "x"), ("probe", "musterstadt/x/y", "--reason", "x"), ("probe", EAKTE)):
        said = say(rig, "targets", *words)

        assert (2, "") == (said.code, said.out), words
    assert not any(e.event.name == "target.probe-ordered" for e in rig.store.events_of_installation())


def test_a_job_tells_what_holds_it_up(rig: Rig) -> None:
    """`jobs show` names the target that its Nachrichten wait for, and why."""
    [own, *_rest] = submit(rig, 6, occupied=True)
    rig.work()
    job = say(rig, "replay", own, "--job", "--reason", "weiter", "--json").rows[0]["id"]
    [hold] = rig.store.jobs.take("runner", lambda _owner: True, rig.clock())
    while not rig.store.jobs.carry_out(hold, now=rig.clock(), most=50, is_look=False).is_over:
        """Until every Nachricht had its turn."""
    rig.work()
    shown = say(rig, "jobs", "show", job)
    [row] = say(rig, "jobs", "show", job, "--json").rows

    assert [{"target": EAKTE, "code": "target.resting", "count": 1}] == row["waitsFor"]
    assert f"1  {EAKTE}: Das Ziel ruht" in " ".join(shown.out.split(" " * 6))
    assert "intermediary targets list" in shown.out


def test_the_deadline_is_the_targets_own(rig: Rig) -> None:
    """`explain` tells when it will be parked: by the target's `deadline_hours`, not by the general one."""
    routes = rig.installation.settings.installation.routes
    text = routes.read_text(encoding="utf-8")
    routes.write_text(text.replace('name = "eakte"\n', 'name = "eakte"\ndeadline_hours = 5\n', 1), encoding="utf-8")
    [own] = submit(rig, 1, occupied=True)
    rig.work()
    [row] = say(rig, "explain", own, "--json").rows

    assert rig.store.zustellungen(own)[0].since + timedelta(hours=5) == datetime.fromisoformat(row["deadline"])
