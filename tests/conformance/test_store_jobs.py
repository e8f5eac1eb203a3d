"""Any engine: a job moves each of its Nachrichten on once, whoever carries it out and whatever comes between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from intermediary.core.decide import Decision
from intermediary.core.values import EMPTY
from intermediary.store import Store, job_items
from intermediary.store.choose import Chosen
from intermediary.store.errors import JobLost, JobNotFound, JobOpen, NothingChosen, NotPossible
from intermediary.store.job_records import Fate, JobState
from intermediary.store.job_report import FLOOD, SAMPLE
from intermediary.store.job_steps import LEASE
from tests.conformance.job_kit import (
    arrived,
    delivered_again,
    finish,
    held,
    ordered,
    redeliveries,
    several,
    step,
)
from tests.conformance.store_kit import (
    DELIVERED,
    MANDANTEN,
    NOW,
    REFUSED,
    SECOND,
    SECOND_TARGET,
    TARGET,
    Bench,
    N,
    Z,
    attempt,
    claimed,
    eingang,
    parked,
    planned,
)

MINUTE = timedelta(minutes=1)


def test_the_selection_is_frozen_when_it_is_ordered(store: Store) -> None:
    """What meets the conditions later is another order's business."""
    first = several(store, 3)
    job = ordered(store)
    later = arrived(store, "antrag-later")

    assert (3, JobState.RUNNING) == (job.total, job.state)
    assert 3 == finish(store, held(store)).done
    assert [1, 1, 1] == [redeliveries(store, one) for one in first]
    assert 0 == redeliveries(store, later)


def test_the_oldest_has_the_first_turn(store: Store) -> None:
    """As they were received, so they are moved on."""
    first, second, third = several(store, 3)
    ordered(store)
    step(store, held(store), most=2)

    assert [1, 1, 0] == [redeliveries(store, one) for one in (first, second, third)]


def test_a_selection_may_be_ids_and_conditions(store: Store) -> None:
    """Ids that do not meet the conditions are left out; nobody at all is no job."""
    first, second, _third = several(store, 3)
    waiting = planned(store, message_id="antrag-waits").nachricht.id

    assert 2 == ordered(store, chosen=Chosen(ids=(first, second, waiting), state=N.COMPLETED)).total
    with pytest.raises(NothingChosen):
        ordered(store, "j-2", chosen=Chosen(ids=(waiting,), state=N.COMPLETED))
    with pytest.raises(JobNotFound):
        store.jobs.get("j-2")


def test_an_equal_order_is_refused_while_one_is_open(store: Store) -> None:
    """A double click, or another operator with the same idea: named, and nothing written."""
    [nachricht_id] = several(store, 1)
    ordered(store)
    with pytest.raises(JobOpen, match="j-1"):
        ordered(store, "j-2", actor="bob", reason="dasselbe", interval=SECOND)
    finish(store, held(store))
    delivered_again(store, nachricht_id)
    with pytest.raises(JobOpen, match="j-1"):
        ordered(store, "j-3", at=NOW + MINUTE)

    assert 1 == ordered(store, "j-4", at=NOW + MINUTE, forgets=True).total
    assert ["j-4", "j-1"] == [job.id for job in store.jobs.find()]


def test_an_equal_order_that_repeats_nothing_may_follow_at_once(store: Store) -> None:
    """Resuming what came back is usual; only a second redelivery looks like a double click."""
    claim = parked(store)
    store.release(claim, NOW)
    chosen = Chosen(state=N.PARKED)
    ordered(store, chosen=chosen, redeliver="")
    finish(store, held(store))
    again = store.claim_one(claim.nachricht.id, "w", NOW)
    store.park(again, "bug.unexpected", NOW)

    assert 1 == ordered(store, "j-2", chosen=chosen, redeliver="").total


def test_another_holder_fences_the_first(bench: Bench) -> None:
    """Who was lost for longer than the lease can write nothing when it comes back."""
    store, other = bench.open(), bench.open()
    ids = several(store, 3)
    ordered(store)
    lost = held(store, "first")
    step(store, lost, most=1)

    assert [] == other.jobs.take("second", lambda _owner: True, NOW)
    later = NOW + LEASE + SECOND
    hold = held(other, "second", at=later)
    with pytest.raises(JobLost):
        step(store, lost, at=later)
    assert 3 == finish(other, hold, at=later).done
    assert [1, 1, 1] == [redeliveries(store, one) for one in ids]


def test_a_holder_known_to_be_dead_is_followed_at_once(store: Store) -> None:
    """A daemon that is started again on the same host waits for no lease."""
    several(store, 1)
    ordered(store)
    held(store, "dead")
    alive: Callable[[str], bool] = lambda owner: owner != "dead"  # noqa: E731

    assert store.jobs.is_waiting(alive, NOW)
    assert not store.jobs.is_waiting(lambda _owner: True, NOW)
    [hold] = store.jobs.take("heir", alive, NOW)
    assert 1 == finish(store, hold).done


def test_a_lease_given_back_is_free(store: Store) -> None:
    """A stop in good order costs the next holder no time, and the one before its right."""
    several(store, 2)
    ordered(store)
    hold = held(store)
    store.jobs.release(hold)

    with pytest.raises(JobLost):
        step(store, hold)
    assert 2 == finish(store, held(store, "next")).done


def test_pause_resume_and_stop(store: Store) -> None:
    """After a pause nothing moves until a person says so; after a stop the rest stays as it is."""
    ids = several(store, 3)
    ordered(store)
    hold = held(store)
    step(store, hold, most=1)
    store.jobs.pause("j-1", actor="bob", reason="Wartung", now=NOW)

    assert step(store, hold).is_over
    assert not store.jobs.is_waiting(lambda _owner: False, NOW)
    assert [1, 0, 0] == [redeliveries(store, one) for one in ids]

    resumed = store.jobs.resume("j-1", actor="bob", reason="fertig", now=NOW, interval=2 * SECOND)
    assert (JobState.RUNNING, 0.5) == (resumed.state, resumed.rate)
    hold = held(store)
    step(store, hold)
    stopped = store.jobs.stop("j-1", actor="bob", reason="reicht", now=NOW)
    with pytest.raises(JobLost):
        step(store, hold)
    assert (JobState.STOPPED, NOW, 2, 2) == (stopped.state, stopped.ended_at, stopped.done, stopped.handled)
    assert [1, 1, 0] == [redeliveries(store, one) for one in ids]
    for verb in (store.jobs.pause, store.jobs.resume, store.jobs.stop, store.jobs.start):
        with pytest.raises(NotPossible, match="stopped"):
            verb("j-1", actor="bob", reason="x", now=NOW)


def test_one_that_waits_for_an_approval_is_not_carried_out(store: Store) -> None:
    """Frozen, but nobody holds it before it is started."""
    several(store, 1)
    assert JobState.ASKED is ordered(store, waits=True).state
    assert [] == store.jobs.take("runner", lambda _owner: True, NOW)
    store.jobs.start("j-1", actor="ada", reason="freigegeben", now=NOW)

    assert 1 == finish(store, held(store)).done


def test_the_rate_is_kept_and_not_made_up_for(store: Store) -> None:
    """One per second means one per second, also after a stand-still."""
    several(store, 5)
    ordered(store, interval=SECOND)
    hold = held(store)

    assert 1 == step(store, hold).handled
    waits = step(store, hold, at=NOW + SECOND / 4)
    assert (0, SECOND * 3 / 4) == (waits.handled, waits.wait)
    assert 1 == step(store, hold, at=NOW + SECOND).handled
    assert 2 == step(store, hold, at=NOW + 10 * SECOND).handled


def test_what_needs_nothing_costs_no_time(store: Store) -> None:
    """The rate is one of replays: what is left alone does not use it up."""
    first, second = several(store, 2)
    ordered(store, interval=MINUTE)
    claim = store.claim_one(first, "person", NOW)
    store.redeliver(claim, TARGET.name, actor="bob", reason="einzeln", now=NOW)
    store.release(claim, NOW)
    hold = held(store)

    assert [1, 1, 0] == [step(store, hold, most=1).handled for _ in range(3)]
    assert [1, 1] == [redeliveries(store, one) for one in (first, second)]


def test_a_nachricht_in_hand_has_its_turn_later(store: Store) -> None:
    """Neither waited for nor left out."""
    first, second = several(store, 2)
    ordered(store)
    worker = store.claim_one(first, "worker", NOW)
    hold = held(store)
    step(store, hold)
    waits = step(store, hold)

    assert [0, 1] == [redeliveries(store, one) for one in (first, second)]
    assert SECOND == waits.wait
    store.release(worker, NOW)
    job = finish(store, hold, at=NOW + SECOND)
    assert (JobState.DONE, 2) == (job.state, job.done)


def test_a_nachricht_that_stays_in_hand_is_left_out_at_last(store: Store) -> None:
    """A job ends, and says which it could not move."""
    several(store, 1)
    ordered(store)
    [nachricht] = store.find()
    store.claim_one(nachricht.id, "worker", NOW, timedelta(days=1))
    at, hold = NOW, held(store)
    while not (done := step(store, hold, at=at)).is_over:
        at += done.wait

    assert {"job.item.busy": 1} == store.jobs.report("j-1").failed
    assert at - NOW < timedelta(hours=1)


def test_what_a_lost_holder_left_is_taken_over(store: Store) -> None:
    """An expired lease is no obstacle, and its holder can write nothing more."""
    [nachricht_id] = several(store, 1)
    store.claim_one(nachricht_id, "lost", NOW, SECOND)
    ordered(store)
    at = NOW + 2 * SECOND

    assert 1 == finish(store, held(store, at=at), at=at).done
    assert [nachricht_id] == [claim.nachricht.id for claim in store.claim_suspect("w", at)]


def test_what_others_repeat_is_not_repeated(store: Store) -> None:
    """Another person, before or after the order; another open job; each is named as the ground."""
    before, after, in_job, mine = several(store, 4)
    claim = store.claim_one(before, "person", NOW)
    store.redeliver(claim, TARGET.name, actor="bob", reason="einzeln", now=NOW)
    store.release(claim, NOW)
    ordered(store, "j-0", chosen=Chosen(ids=(in_job,)), interval=MINUTE)
    ordered(store)
    claim = store.claim_one(after, "person", NOW)
    store.redeliver(claim, TARGET.name, actor="bob", reason="einzeln", now=NOW)
    store.release(claim, NOW)
    for one in (before, after):
        delivered_again(store, one)

    assert "j-0" == store.jobs.claimed_by(in_job, TARGET.name)
    assert "j-1" == store.jobs.claimed_by(mine, TARGET.name)
    holds = {hold.job_id: hold for hold in store.jobs.take("runner", lambda _owner: True, NOW)}
    finish(store, holds["j-1"])
    assert {"undecided": 1, "redelivered": 1, "other-job": 1} == store.jobs.report("j-1").idle
    finish(store, holds["j-0"])
    assert [1, 1, 1, 1] == [redeliveries(store, one) for one in (before, after, in_job, mine)]
    assert "" == store.jobs.claimed_by(mine, TARGET.name)


def test_a_target_that_cannot_tell_doubles_gets_none(store: Store) -> None:
    """Only routes whose target can tell are repeated, unless somebody answers for it (G16)."""
    [nachricht_id] = several(store, 1)
    ordered(store, repeat_anyway=False)
    finish(store, held(store))
    assert {"twice": 1} == store.jobs.report("j-1").idle

    ordered(store, "j-2", repeat_anyway=False, tells_doubles=((MANDANTEN[0], "bauantrag"),), forgets=True)
    finish(store, held(store))
    assert 1 == redeliveries(store, nachricht_id)


def test_each_kind_of_effect_and_each_ground(store: Store) -> None:
    """What single replays do, a job does: resume, send again, end a wait; the rest is left alone, and told why."""
    done = arrived(store, "antrag-done")
    resumes = parked(store, message_id="antrag-parked")
    stuck = attempt(store, planned(store, message_id="antrag-stuck"), Decision(Z.PARKED, "delivery.deadline"))
    unclear = attempt(store, planned(store, message_id="antrag-unclear"), Decision(Z.PARKED, "delivery.unclear"))
    waits = claimed(store, "antrag-waits")
    store.wait(waits, Decision(N.RECEIVED, "route.missing", NOW + MINUTE, counts=False), NOW)
    busy = claimed(store, "antrag-new")
    for claim in (resumes, stuck, unclear, busy):
        store.release(claim, NOW)
    ordered(store, redeliver="", chosen=Chosen(), repeat_anyway=False)
    finish(store, held(store))
    report = store.jobs.report("j-1")

    assert {"resume": 1, "send-again": 1, "now": 1} == report.done
    assert {"completed": 1, "look-first": 1, "at-work": 1} == report.idle
    assert {Fate.OPEN: 3} == report.fates
    assert (N.RECEIVED, N.COMPLETED) == (store.get(resumes.nachricht.id).state, store.get(done).state)
    assert Z.DUE is store.zustellungen(stuck.nachricht.id)[0].state
    assert NOW == store.get(waits.nachricht.id).due_at
    assert 4 == len(store.claim("w", NOW, limit=10))


def test_a_job_judges_anew(store: Store) -> None:
    """With today's versions, what was never tried."""
    claim = planned(store)
    store.release(claim, NOW)
    ordered(store, redeliver="", with_current=True, chosen=Chosen(route="bauantrag"))
    finish(store, held(store))

    assert (N.RECEIVED, 1) == (store.get(claim.nachricht.id).state, store.get(claim.nachricht.id).revision)
    assert () == store.zustellungen(claim.nachricht.id)


def test_what_the_store_refuses_is_told_in_its_words(store: Store) -> None:
    """A split verdict cannot be resumed: it failed, and the others went on."""
    split = attempt(store, planned(store, TARGET, SECOND_TARGET), DELIVERED)
    split = attempt(store, split, REFUSED, SECOND_TARGET.name)
    good = parked(store, message_id="antrag-good")
    for claim in (split, good):
        store.release(claim, NOW)
    ordered(store, redeliver="", chosen=Chosen(state=N.PARKED))
    finish(store, held(store))
    report = store.jobs.report("j-1")

    assert ({"resume": 1}, 1) == (report.done, report.job.failed)
    assert ["split" in why for why in report.failed] == [True]


def test_a_payload_that_is_gone_is_not_repeated(store: Store) -> None:
    """Erased is erased."""
    first, _second = several(store, 2)
    claim = store.claim_one(first, "person", NOW)
    store.erase(claim, actor="ada", reason="Frist", now=NOW)
    store.release(claim, NOW)
    ordered(store)
    finish(store, held(store))

    assert {"erased": 1} == store.jobs.report("j-1").idle


def test_too_many_that_come_back_stop_the_job(store: Store) -> None:
    """It pauses itself, tells why, and begins to count anew when a person lets it go on."""
    ids = several(store, SAMPLE + 4)
    ordered(store, error_percent=20)
    hold = held(store)
    step(store, hold, most=SAMPLE)
    for one in ids[:SAMPLE]:
        delivered_again(store, one, REFUSED if one in ids[:5] else Decision(Z.DELIVERED))

    assert step(store, hold, is_look=True).is_over
    job = store.jobs.get("j-1")
    assert (JobState.PAUSED, "job.errors", SAMPLE) == (job.state, job.code, job.handled)
    assert {Fate.RETURNED: 5, Fate.SETTLED: SAMPLE - 5} == store.jobs.report("j-1").fates
    store.jobs.resume("j-1", actor="ada", reason="Ziel berichtigt", now=NOW)
    hold = held(store)
    assert 4 == step(store, hold, is_look=True).handled
    assert JobState.DONE is finish(store, hold).state


def test_one_percent_less_goes_on(store: Store) -> None:
    """The limit itself is allowed."""
    ids = several(store, SAMPLE + 1)
    ordered(store, error_percent=20)
    hold = held(store)
    step(store, hold, most=SAMPLE)
    for one in ids[:SAMPLE]:
        delivered_again(store, one, REFUSED if one in ids[:4] else Decision(Z.DELIVERED))

    assert 1 == step(store, hold, is_look=True).handled


def test_a_job_does_not_flood_targets_that_take_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With enough undecided ones and none decided it waits; as soon as one is, it goes on."""
    monkeypatch.setattr("intermediary.store.job_report.FLOOD", 3)
    assert FLOOD > 3
    ids = several(store, 4)
    ordered(store)
    hold = held(store)
    step(store, hold, most=3)

    assert (0, SECOND) == (step(store, hold, is_look=True).handled, step(store, hold, is_look=True).wait)
    delivered_again(store, ids[0])
    assert 1 == step(store, hold, is_look=True).handled


def test_a_defect_in_one_moves_nothing_and_is_left_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected takes the whole step back; the one that raises again is marked, the others go on."""
    ids = several(store, 3)
    ordered(store)
    hold = held(store)
    original = job_items.order_redelivery

    def broken(db, work, *asked, **named):
        if work.nachricht.id == ids[0]:
            raise ValueError("nobody expected this")
        return original(db, work, *asked, **named)

    monkeypatch.setattr(job_items, "order_redelivery", broken)
    for most in (50, 1):
        with pytest.raises(ValueError, match="nobody"):
            step(store, hold, most=most)
    assert [0, 0, 0] == [redeliveries(store, one) for one in ids]
    store.jobs.give_up(hold, "bug.unexpected", now=NOW)
    job = finish(store, hold)
    assert (2, 1, {"bug.unexpected": 1}) == (job.done, job.failed, store.jobs.report("j-1").failed)


def test_everything_is_in_the_audit_trail(store: Store) -> None:
    """The job in the chain of the installation, actor, reason and job in that of each Nachricht, refusals too."""
    first, second = several(store, 2)
    ordered(store, chosen=Chosen(ids=(first, second)), interval=SECOND)
    claim = store.claim_one(second, "person", NOW)
    store.redeliver(claim, TARGET.name, actor="bob", reason="einzeln", now=NOW)
    store.release(claim, NOW)
    store.jobs.pause("j-1", actor="bob", reason="Wartung", now=NOW)
    store.jobs.resume("j-1", actor="bob", reason="fertig", now=NOW, interval=SECOND / 2)
    hold = held(store)
    step(store, hold)
    finish(store, hold, at=NOW + SECOND)
    told = [entry.event for entry in store.events_of_installation()]
    done, denied = store.events(first)[-1].event, store.events(second)[-1].event

    assert ["job.started", "job.paused", "job.resumed", "job.ended"] == [one.name for one in told]
    assert ["ada", "bob", "bob", ""] == [one.actor for one in told]
    assert (2, "Paket verloren", 2) == (
        told[0].fields["total"],
        told[0].fields["reason"],
        told[0].fields["selection"]["ids"],
    )
    assert "2.000" == told[2].fields["rate"]
    assert {"total": 2, "done": 1, "nothing": 1, "failed": 0} == told[3].fields["counts"]
    assert ("person.redelivered", "ada", "j-1") == (done.name, done.actor, done.fields["job"])
    assert "Paket verloren" == done.fields["reason"] == store.zustellungen(first)[-1].reason
    assert ("person.denied", "ada", "j-1", "redeliver") == (
        denied.name,
        denied.actor,
        denied.fields["job"],
        denied.fields["verb"],
    )


def test_a_business_key_rests_as_hashes(store: Store) -> None:
    """Nothing readable rests, in no row and in no event."""
    claim = claimed(store)
    store.release(
        store.plan(
            claim,
            route="bauantrag",
            pins={},
            plan={},
            targets=(TARGET,),
            now=NOW,
            search_keys={"aktenzeichen": "AZ-4711"},
        ),
        NOW,
    )
    job = ordered(store, redeliver="", chosen=Chosen(search_key="az-4711"))

    assert 1 == job.total
    assert "4711" not in repr(job.selection) + repr([one.event.fields for one in store.events_of_installation()])


def test_counting_ends_early(store: Store) -> None:
    """Whether it is many is known without counting all of them."""
    several(store, 4)

    assert [4, 3, 0] == [
        store.jobs.count(Chosen(state=N.COMPLETED), most=9),
        store.jobs.count(Chosen(), most=3),
        store.jobs.count(Chosen(state=N.PARKED), most=3),
    ]


def test_the_survey_goes_through_everything_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page after page, oldest first, with the Zustellungen; by ids as well."""
    monkeypatch.setattr("intermediary.store.survey._PAGE", 2)
    ids = several(store, 5)
    found = list(store.jobs.survey(Chosen(state=N.COMPLETED)))

    assert ids == [nachricht.id for nachricht, _ in found]
    assert [[Z.DELIVERED]] * 5 == [[one.state for one in zustellungen] for _, zustellungen in found]
    assert set(ids[:3]) == {one.id for one, _ in store.jobs.survey(Chosen(ids=tuple(ids[:3])))}
    assert [(MANDANTEN[0], "bauantrag")] == [(one.mandant, one.route) for one in store.jobs.examples_of(Chosen())]


def test_taking_is_untouched(store: Store) -> None:
    """A job over everything leaves intake alone: what comes in the meantime is taken and claimed."""
    several(store, 1)
    ordered(store, chosen=Chosen(), interval=MINUTE)
    [taken] = store.take([eingang("antrag-neu")])

    assert "new" == taken.outcome
    assert EMPTY == store.get(taken.nachricht_id).plan
