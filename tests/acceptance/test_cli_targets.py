"""`targets`: what people see of a target that rests, and the word that stops one and lets it go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from intermediary.daemon.chores import Chores
from intermediary.testing.samples import sample_letter
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
