"""One sealed application travels the whole way, and every failure stops where its healer can act."""

from __future__ import annotations

import secrets
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest

from intermediary.core.faults import Transient
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.operations.act import Decide, Replay
from intermediary.operations.look import find
from intermediary.operations.person import ReasonMissing, Request
from intermediary.operations.selection import Selection
from intermediary.osci.write import Attachment
from intermediary.store import Store
from intermediary.store.errors import NotPossible
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import SERVICE_WITHOUT_ROUTE
from intermediary.testing.samples import sample_letter
from intermediary.testing.tamper import Damage, tampered
from tests.acceptance.rig import Rig

N, Z = NachrichtState, ZustellungState
WHY = Request(actor="pruefer", reason="Probe")


def good(rig: Rig, seed: int = 1):
    """A usual letter of the rig's moment."""
    return sample_letter(seed, now=rig.clock())


def test_a_good_application_is_delivered_once_and_answered(rig):
    """Package in the folder, Quittung accepted, state completed, audit complete."""
    found = rig.submit(good(rig), "a-1")

    rig.work()

    (package,) = rig.packages()
    assert zipfile.ZipFile(package).testzip() is None
    assert N.COMPLETED is rig.get(found).state
    (quittung,) = rig.answers()
    assert ("accepted", "a-1", found) == (quittung["status"], quittung["messageId"], quittung["nachrichtId"])
    names = [entry.event.name for entry in rig.store.events(found)]
    assert names[0] == "intake.taken"
    assert names[-1] == "answer.sent"
    assert names.index("delivery.intended") < names.index("delivery.delivered") < names.index("verdict.accepted")


def test_what_rests_wrapped_is_asked_for_once(rig, monkeypatch):
    """The body for the judgement, and the headers for the Quittung: one question, and the key is unwrapped once."""
    found = rig.submit(good(rig), "a-1")
    asked = []
    kept = Store.kept
    monkeypatch.setattr(
        Store, "kept", lambda store, nachricht_id: asked.append(nachricht_id) or kept(store, nachricht_id)
    )

    rig.work()

    assert [found] == asked
    assert 1 == len(rig.answers())


def test_a_forged_content_is_rejected_and_nothing_is_delivered(rig):
    """An invalid signature ends in a negative Quittung with the code, and in no package."""
    body = tampered(
        Damage.CONTENT_CHANGED,
        good(rig),
        parties=rig.site.pki.parties,
        random=secrets.token_bytes,
        now=rig.clock(),
    )
    found = rig.take(body, "a-1").nachricht_id

    rig.work()

    assert (N.REJECTED, "osci.content-signature.invalid") == (rig.get(found).state, rig.get(found).verdict_code)
    assert [] == rig.packages()
    assert ("content", False) in {(s["layer"], s["intact"]) for s in rig.get(found).plan["facts"]["signatures"]}
    assert ["rejected"] == [answer["status"] for answer in rig.answers()]


def test_an_attachment_with_a_document_type_goes_nowhere(rig):
    """XML that a target's parser would follow to files and hosts is refused with its sender told, not passed on."""
    letter = good(rig)
    xml = Attachment("plan.xml", "application/xml", b'<!DOCTYPE n [<!ENTITY e SYSTEM "file:///x">]><n>&e;</n>')
    found = rig.submit(replace(letter, attachments=(*letter.attachments, xml)), "a-1")

    rig.work()

    assert (N.REJECTED, "xml.dtd-forbidden") == (rig.get(found).state, rig.get(found).verdict_code)
    assert [] == rig.packages()
    assert ["attachment"] == [finding["rule"] for answer in rig.answers() for finding in answer["findings"]]


def test_all_schema_errors_reach_the_sender_at_once(rig):
    """The Quittung names every finding with path and line, and no value of the application."""
    letter = sample_letter(4, now=rig.clock(), is_broken=True)
    found = rig.submit(letter, "a-1")

    rig.work()

    assert "validate.input.invalid" == rig.get(found).verdict_code
    (quittung,) = rig.answers()
    assert len(quittung["findings"]) >= 3
    assert all(finding["path"].startswith("/S05000000058V1.0.0") for finding in quittung["findings"])
    assert all(finding["line"] for finding in quittung["findings"])
    assert "O4895" not in str(quittung)


def test_a_missing_route_waits_for_the_operator_and_uses_up_nothing(rig):
    """The Nachricht waits without attempts and goes on by itself once the route is there."""
    found = rig.submit(sample_letter(5, now=rig.clock(), service=SERVICE_WITHOUT_ROUTE), "a-1")
    for _ in range(3):
        rig.work()
        rig.clock.advance(timedelta(minutes=6))
    waiting = rig.get(found)
    assert (N.RECEIVED, "route.missing", 0) == (waiting.state, waiting.wait_reason, waiting.attempts)

    rig.site.add_missing_route(golden_settings())
    rig.store.wake_misconfigured(rig.clock())
    rig.work()

    assert N.COMPLETED is rig.get(found).state


def test_what_no_operator_heals_is_parked_at_the_deadline_and_resumes(rig):
    """After 72 hours a missing route parks the Nachricht; resume gives it a new span."""
    found = rig.submit(sample_letter(5, now=rig.clock(), service=SERVICE_WITHOUT_ROUTE), "a-1")
    rig.work()
    rig.clock.advance(timedelta(hours=72))
    rig.work()
    assert (N.PARKED, "route.missing") == (rig.get(found).state, rig.get(found).code)

    Decide(rig.store, now=rig.clock).resume(found, WHY)
    rig.work()
    assert (N.RECEIVED, "route.missing") == (rig.get(found).state, rig.get(found).wait_reason)

    rig.site.add_missing_route(golden_settings())
    rig.store.wake_misconfigured(rig.clock())
    rig.work()
    assert N.COMPLETED is rig.get(found).state


def test_a_broken_routes_file_leaves_the_one_before_in_force(rig):
    """A typing error in the routes does not stop what runs."""
    (rig.site.folder / "routes.toml").write_text("[[route]\n", encoding="utf-8")
    found = rig.submit(good(rig), "a-1")

    rig.work()

    assert N.COMPLETED is rig.get(found).state


def test_the_same_submission_twice_is_one_nachricht(rig):
    """Same id and bytes: recognised, delivered once. Same id and other bytes: a conflict, parked and never delivered."""
    body = rig.seal(good(rig))
    first = rig.take(body, "a-1")
    again = rig.take(body, "a-1")
    other = rig.take(rig.seal(good(rig, 2)), "a-1")

    rig.work()

    assert ["new", "duplicate", "conflict"] == [taken.outcome for taken in (first, again, other)]
    assert first.nachricht_id == again.nachricht_id
    assert (N.PARKED, "intake.conflict") == (rig.get(other.nachricht_id).state, rig.get(other.nachricht_id).code)
    assert 1 == len(rig.packages())


def test_a_full_drop_is_tried_again_under_the_same_key(rig):
    """A transient failure of the target costs an attempt and nothing else."""
    found = rig.submit(good(rig), "a-1")
    leftover = rig.site.occupy(found)
    rig.work()
    (waiting,) = rig.store.zustellungen(found)
    assert (Z.DUE, "target.full", 1) == (waiting.state, waiting.code, waiting.attempts)

    leftover.unlink()
    rig.clock.advance(timedelta(seconds=10))
    rig.work()

    (delivered,) = rig.store.zustellungen(found)
    assert (Z.DELIVERED, 2, waiting.key) == (delivered.state, delivered.attempts, delivered.key)
    assert N.COMPLETED is rig.get(found).state


def test_a_zustellung_past_its_deadline_parks_and_can_be_sent_again(rig):
    """What is certainly unsent goes on after a replay, with a new span of time."""
    found = rig.submit(good(rig), "a-1")
    leftover = rig.site.occupy(found)
    rig.clock.advance(timedelta(hours=1))
    rig.work()
    rig.clock.advance(timedelta(hours=72))
    rig.work()
    assert Z.PARKED is rig.store.zustellungen(found)[0].state

    replay = Replay(rig.store, now=rig.clock)
    (effect,) = replay.carry_out(Selection.parse([found]), WHY)
    assert "send-again" == effect.action
    rig.work()
    assert (Z.DUE, "target.full") == (rig.store.zustellungen(found)[0].state, rig.store.zustellungen(found)[0].code)

    leftover.unlink()
    rig.clock.advance(timedelta(seconds=30))
    rig.work()
    assert N.COMPLETED is rig.get(found).state


def test_a_quittung_that_cannot_be_handed_over_waits(rig):
    """The verdict stands, nothing is delivered again, and the Quittung follows when its way back is there."""
    away = rig.site.answers.with_name("weg")
    rig.site.answers.rename(away)
    found = rig.submit(good(rig), "a-1")
    rig.work()
    assert (N.ANSWERING, "receipt.undeliverable") == (rig.get(found).state, rig.get(found).wait_reason)

    away.rename(rig.site.answers)
    rig.store.wake_misconfigured(rig.clock())
    rig.work()

    assert N.COMPLETED is rig.get(found).state
    assert (1, 1) == (len(rig.packages()), len(rig.answers()))


def test_replay_of_a_completed_nachricht_delivers_nothing(rig):
    """Neither replay nor its dry run touches what has a verdict."""
    found = rig.submit(good(rig), "a-1")
    rig.work()
    rig.fetch()
    replay = Replay(rig.store, now=rig.clock)

    (dry,) = replay.effects(Selection.parse([found]))
    (done,) = replay.carry_out(Selection.parse([found]), WHY)
    rig.work()

    assert ("nothing", "nothing") == (dry.action, done.action)
    assert [] == rig.packages()
    assert N.COMPLETED is rig.get(found).state


def test_a_redelivery_is_a_new_zustellung_with_reason_and_person(rig):
    """Only on request the package goes out again, under a key of its own that names its predecessor."""
    found = rig.submit(good(rig), "a-1")
    rig.work()
    rig.fetch()
    replay = Replay(rig.store, now=rig.clock)
    (dry,) = replay.effects(Selection.parse([found]), redeliver="eakte")
    assert ("redeliver", []) == (dry.action, rig.packages())

    list(replay.carry_out(Selection.parse([found]), WHY, redeliver="eakte"))
    rig.work()

    first, second = rig.store.zustellungen(found)
    assert (Z.DELIVERED, Z.DELIVERED, first.key) == (first.state, second.state, second.redelivers)
    assert first.key != second.key
    assert 1 == len(rig.packages())
    (event,) = [e.event for e in rig.store.events(found) if e.event.name == "person.redelivered"]
    assert ("pruefer", "Probe") == (event.actor, event.fields["reason"])
    assert 1 == len(rig.answers())


def test_a_redelivery_long_after_has_its_own_span(rig):
    """A redelivery ordered weeks later is tried as long as any other before a person is asked."""
    found = rig.submit(good(rig), "a-1")
    rig.work()
    rig.fetch()
    rig.clock.advance(timedelta(days=20))
    rig.site.occupy(found)

    list(Replay(rig.store, now=rig.clock).carry_out(Selection.parse([found]), WHY, redeliver="eakte"))
    rig.work()

    assert (Z.DUE, "target.full") == (rig.store.zustellungen(found)[1].state, rig.store.zustellungen(found)[1].code)


def test_replay_ends_a_wait(rig):
    """A waiting Nachricht is tried now instead of at its next moment."""
    found = rig.submit(sample_letter(5, now=rig.clock(), service=SERVICE_WITHOUT_ROUTE), "a-1")
    rig.work()
    rig.site.add_missing_route(golden_settings())

    (effect,) = Replay(rig.store, now=rig.clock).carry_out(Selection.parse([found]), WHY)
    rig.work()

    assert "now" == effect.action
    assert N.COMPLETED is rig.get(found).state


def test_a_change_without_a_reason_is_refused():
    """Every change says why."""
    with pytest.raises(ReasonMissing):
        Request(actor="pruefer", reason="  ")


def test_a_person_rejects_and_the_sender_is_told(rig):
    """Reject ends a waiting Nachricht with a negative Quittung; discard ends a parked one in silence."""
    waiting = rig.submit(sample_letter(5, now=rig.clock(), service=SERVICE_WITHOUT_ROUTE), "a-1")
    rig.take(rig.seal(good(rig)), "a-2")
    conflict = rig.take(rig.seal(good(rig, 2)), "a-2").nachricht_id
    rig.work()
    decide = Decide(rig.store, now=rig.clock)

    decide.reject(waiting, WHY)
    decide.discard(conflict, WHY)
    rig.work()

    assert (N.REJECTED, N.DISCARDED) == (rig.get(waiting).state, rig.get(conflict).state)
    assert [("person.rejected", "a-1")] == [
        (one["code"], one["messageId"]) for one in rig.answers() if one["status"] == "rejected"
    ]
    with pytest.raises(NotPossible):
        decide.resume(waiting, WHY)


def test_an_unsigned_application_is_refused_by_a_route_that_demands_signatures(rig):
    """The route's requirement is the sender's to meet."""
    found = rig.submit(replace(good(rig), content_signatures=()), "a-1")

    rig.work()

    assert (N.REJECTED, "route.signature.required") == (rig.get(found).state, rig.get(found).verdict_code)


def test_a_parked_nachricht_is_judged_anew_with_todays_versions(rig):
    """Replay --with current forgets a judgement that led to nothing, and says so in the audit trail."""
    found = rig.submit(good(rig), "a-1")
    leftover = rig.site.occupy(found)
    rig.work()
    replay = Replay(rig.store, now=rig.clock)
    (refused,) = replay.effects(Selection.parse([found]), with_current=True)
    assert "nothing" == refused.action
    leftover.unlink()
    other = rig.submit(sample_letter(5, now=rig.clock(), service=SERVICE_WITHOUT_ROUTE), "a-2")
    rig.work()
    rig.clock.advance(timedelta(hours=72))
    rig.work()
    assert N.PARKED is rig.get(other).state

    rig.site.add_missing_route(golden_settings())
    list(replay.carry_out(Selection.parse([other]), WHY, with_current=True))
    rig.work()

    assert N.COMPLETED is rig.get(other).state


def test_what_waits_for_the_operator_says_where_to_look(rig):
    """The findings of a wrong setting are kept for `explain`: the operator sees which one."""
    routes = rig.site.folder / "routes.toml"
    routes.write_text(routes.read_text().replace('aktenplan = "112-06"', 'aktenplan = ""'), encoding="utf-8")
    found = rig.submit(good(rig), "a-1")

    rig.work()

    assert (N.RECEIVED, "mapping.setting.invalid") == (rig.get(found).state, rig.get(found).wait_reason)
    assert "config.value.invalid" in {finding["code"] for finding in rig.get(found).plan["findings"]}


@pytest.mark.parametrize("operation", ["plan", "intend", "settle", "answered", "release"])
def test_a_store_that_is_away_for_a_moment_parks_nothing(rig, monkeypatch, operation):
    """The database fails once in the middle of a claim: the Nachricht goes on where the durable facts end."""
    found = rig.submit(good(rig), "a-1")
    whole = getattr(rig.store, operation)
    failures = iter([True])

    def fail_once(*args, **kwargs):
        if next(failures, False):
            raise Transient("store.unavailable")
        return whole(*args, **kwargs)

    monkeypatch.setattr(rig.store, operation, fail_once)
    rig.work()
    rig.clock.advance(timedelta(minutes=5))
    rig.work()

    assert N.COMPLETED is rig.get(found).state
    assert 1 == len(rig.packages())


def test_a_nachricht_is_found_by_its_business_key_and_the_key_rests_hashed(rig):
    """The Aktenzeichen that the mapping declares finds the Nachricht, in any capitals, and stands nowhere readable."""
    found = rig.submit(good(rig), "a-1")
    rig.submit(good(rig, 2), "a-2")
    rig.work()
    key = f"112-06/{rig.clock():%Y-%m-%d}/{found[:8]}"

    by_key = [one.id for one in Selection.parse([f"key={key.upper()}"]).of(rig.store)]
    by_text = [one.id for one in find(rig.store, f" {key} ", ("musterstadt",))]

    assert ([found], [found]) == (by_key, by_text)
    assert [] == list(Selection.parse(["key=112-06"]).of(rig.store))
    assert not [
        path for path in (rig.site.folder / "data").rglob("*") if path.is_file() and key.encode() in path.read_bytes()
    ]


def test_a_missing_reader_key_waits_for_the_operator_and_rejects_nobody(rig):
    """A bad key rollout costs time, not applications: the Nachricht goes on once the key is there."""
    keyring = rig.site.folder / "keys" / "keyring.toml"
    whole = keyring.read_text(encoding="utf-8")
    keyring.write_text(whole.replace("reader-cipher", "originator-cipher"), encoding="utf-8")
    found = rig.submit(good(rig), "a-1")
    rig.work()
    assert (N.RECEIVED, "key.reader.missing") == (rig.get(found).state, rig.get(found).wait_reason)

    keyring.write_text(whole, encoding="utf-8")
    rig.configuration.bank()
    rig.store.wake_misconfigured(rig.clock())
    rig.work()

    assert N.COMPLETED is rig.get(found).state


def test_a_missing_target_folder_is_named(rig):
    """The operator reads which folder of which target is not there."""
    rig.site.drop.rename(rig.site.drop.with_name("weg"))
    found = rig.submit(good(rig), "a-1")

    rig.work()

    (zustellung,) = rig.store.zustellungen(found)
    assert "target.misconfigured" == zustellung.code
    assert str(rig.site.drop) in zustellung.proof["where"]


def test_a_missing_route_tells_what_to_write(rig):
    """Root and service of the waiting Nachricht stand where `explain` looks."""
    found = rig.submit(sample_letter(5, now=rig.clock(), service=SERVICE_WITHOUT_ROUTE), "a-1")

    rig.work()

    (finding,) = rig.get(found).plan["findings"]
    assert f'service = "{SERVICE_WITHOUT_ROUTE}"' in finding["hint"]
    assert "S05000000058V1.0.0" in finding["hint"]
