"""Any engine: what a person decides, with actor and reason in the chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from intermediary.core.decide import Decision
from intermediary.core.faults import Misconfigured
from intermediary.store import Claim, NotPossible, Store
from tests.conformance.store_kit import (
    DELIVERED,
    LATER,
    NOW,
    OPTIONAL,
    REFUSED,
    SECOND_TARGET,
    TARGET,
    Bench,
    N,
    Z,
    attempt,
    eingang,
    key_of,
    names,
    parked,
    planned,
)

WHO = {"actor": "a.adler", "reason": "mit dem Fachamt geklärt"}
PARK = Decision(Z.PARKED, "delivery.unclear")


def _split(store: Store) -> Claim:
    claim = attempt(store, planned(store, TARGET, SECOND_TARGET), DELIVERED)
    return attempt(store, claim, REFUSED, SECOND_TARGET.name)


def _completed(store: Store) -> Claim:
    claim = attempt(store, planned(store), DELIVERED)
    store.answered(claim, N.COMPLETED, {}, NOW)
    return store.claim_one(claim.nachricht.id, "person", NOW)


def test_confirmed_delivered(store: Store) -> None:
    """A person's look at the target counts as the verdict, with its proof, and the Nachricht follows."""
    claim = attempt(store, planned(store), PARK)
    claim = store.confirm_delivered(claim, key_of(claim), proof="Vorgang 4711", now=NOW, **WHO)
    event = store.events(claim.nachricht.id)[-2].event

    assert (Z.DELIVERED, N.ANSWERING, "accepted") == (
        claim.zustellungen[0].state,
        claim.nachricht.state,
        claim.nachricht.verdict,
    )
    assert ("person.confirmed", "a.adler", "Vorgang 4711") == (event.name, event.actor, event.fields["proof"])
    assert WHO["reason"] == event.fields["reason"]


def test_sent_again(store: Store) -> None:
    """Another attempt under the same key, due now, its deadline counted anew."""
    claim = attempt(store, planned(store), PARK)
    key = key_of(claim)
    claim = store.send_again(claim, key, now=LATER, **WHO)
    [zustellung] = claim.zustellungen

    assert (Z.DUE, key, LATER, LATER) == (zustellung.state, zustellung.key, zustellung.due_at, zustellung.since)
    assert LATER == claim.nachricht.due_at


def test_resumed_where_the_facts_end(store: Store) -> None:
    """Without a plan: judged again; with a plan: delivered on; with a verdict: answered."""
    claim = store.resume(parked(store), now=LATER, **WHO)

    assert (N.RECEIVED, LATER, LATER) == (claim.nachricht.state, claim.nachricht.due_at, claim.nachricht.since)

    claim = planned(store, message_id="b")
    store.park(claim, "bug.unexpected", NOW)
    claim = store.resume(store.claim_one(claim.nachricht.id, "p", NOW), now=LATER, **WHO)

    assert (N.PLANNED, "") == (claim.nachricht.state, claim.nachricht.code)

    claim = attempt(store, planned(store, message_id="c"), REFUSED)
    store.park(claim, "receipt.undeliverable", NOW)
    claim = store.resume(store.claim_one(claim.nachricht.id, "p", NOW), now=LATER, **WHO)

    assert (N.ANSWERING, "rejected", "target.refused", LATER) == (
        claim.nachricht.state,
        claim.nachricht.verdict,
        claim.nachricht.code,
        claim.nachricht.due_at,
    )


def test_a_resumed_suspect_starts_anew(store: Store) -> None:
    """The count of unexplained ends is forgiven."""
    claim = store.resume(parked(store, "suspect"), now=NOW, **WHO)

    assert 0 == claim.nachricht.unexplained


def test_a_conflict_can_be_resumed(store: Store) -> None:
    """When the sender says that both count, the second one goes its way."""
    [_, taken] = store.take([eingang("a", b"1"), eingang("a", b"2")])
    claim = store.resume(store.claim_one(taken.nachricht_id, "p", NOW), now=NOW, **WHO)

    assert (N.RECEIVED, NOW) == (claim.nachricht.state, claim.nachricht.due_at)


def test_a_split_verdict_needs_more_than_resuming(store: Store) -> None:
    """Resumed as it stands it would split again at once; after a redelivery it goes on to its end."""
    claim = _split(store)
    with pytest.raises(NotPossible, match="split"):
        store.resume(claim, now=NOW, **WHO)

    claim = store.redeliver(claim, SECOND_TARGET.name, now=NOW, **WHO)
    claim = store.resume(claim, now=NOW, **WHO)
    claim = attempt(store, claim, DELIVERED, SECOND_TARGET.name)

    assert (N.ANSWERING, "accepted") == (claim.nachricht.state, claim.nachricht.verdict)


def test_rejected_by_a_person(store: Store) -> None:
    """The sender is told; what was not sent is not sent any more."""
    claim = store.reject(planned(store, TARGET, OPTIONAL), now=NOW, **WHO)

    assert (N.ANSWERING, "rejected", "person.rejected") == (
        claim.nachricht.state,
        claim.nachricht.verdict,
        claim.nachricht.code,
    )
    assert [None, None] == [record.due_at for record in claim.zustellungen]

    claim = store.answered(claim, N.REJECTED, {}, NOW)

    assert None is claim.nachricht.due_at


def test_a_split_verdict_can_be_rejected(store: Store) -> None:
    """Clarified with the offices concerned, the application is rejected as a whole."""
    claim = store.reject(_split(store), now=NOW, **WHO)

    assert "rejected" == claim.nachricht.verdict


def test_discarded(store: Store) -> None:
    """Final, and the sender is not told."""
    claim = store.discard(parked(store), now=NOW, **WHO)

    assert (N.DISCARDED, "person.discarded", None) == (
        claim.nachricht.state,
        claim.nachricht.code,
        claim.nachricht.due_at,
    )


def test_redelivered(store: Store) -> None:
    """A new Zustellung with its own key names its predecessor; the completed Nachricht stays completed."""
    claim = _completed(store)
    first = key_of(claim)
    claim = store.redeliver(claim, TARGET.name, now=LATER, **WHO)
    old, new = claim.zustellungen

    assert (1, first, WHO["reason"], False) == (new.redelivery, new.redelivers, new.reason, new.required)
    assert (Z.DELIVERED, Z.DUE, LATER) == (old.state, new.state, claim.nachricht.due_at)
    assert first != new.key

    claim = attempt(store, claim, DELIVERED)

    assert (N.COMPLETED, None) == (claim.nachricht.state, claim.nachricht.due_at)
    with pytest.raises(NotPossible, match="no Zustellung"):
        store.redeliver(claim, "nirgendwo", now=LATER, **WHO)


NOT_POSSIBLE: dict[str, Callable[[Store], object]] = {
    "confirm what is due": lambda s: _on_key(s, planned(s), "confirm"),
    "confirm what was refused": lambda s: _on_key(s, attempt(s, planned(s), REFUSED), "confirm"),
    "send what is due": lambda s: _on_key(s, planned(s), "send"),
    "send what was delivered": lambda s: _on_key(s, attempt(s, planned(s), DELIVERED), "send"),
    "resume what is not parked": lambda s: s.resume(planned(s), now=NOW, **WHO),
    "reject what has a verdict": lambda s: s.reject(attempt(s, planned(s), DELIVERED), now=NOW, **WHO),
    "reject what is completed": lambda s: s.reject(_completed(s), now=NOW, **WHO),
    "discard what is not parked": lambda s: s.discard(planned(s), now=NOW, **WHO),
    "redeliver what is open": lambda s: s.redeliver(planned(s), TARGET.name, now=NOW, **WHO),
    "erase what is not final": lambda s: s.erase(planned(s), now=NOW, **WHO),
}


@pytest.mark.parametrize("decision", NOT_POSSIBLE.values(), ids=NOT_POSSIBLE)
def test_what_does_not_fit_is_refused(store: Store, decision: Callable[[Store], object]) -> None:
    """A person is told that it cannot be done; nothing changes and nothing is written."""
    with pytest.raises(NotPossible):
        decision(store)

    assert not any(name.startswith("person.") for name in _all_names(store))


def test_a_rejected_verdict_is_never_sent_again(store: Store) -> None:
    """After a person's rejection not even a person's order sends the unsent ones; a redelivery says so openly."""
    claim = attempt(store, planned(store), PARK)
    claim = store.reject(claim, now=NOW, **WHO)

    with pytest.raises(NotPossible):
        store.send_again(claim, key_of(claim), now=NOW, **WHO)


def test_erased_for_good(bench: Bench) -> None:
    """Data key, headers and file are gone; id, hash and chain stay; a second erasure changes nothing."""
    store = bench.open()
    claim = store.erase(_completed(store), now=NOW, **WHO)
    files = [path for path in (bench.data / "blobs").rglob("*") if path.is_file() and path.name != "intake.lock"]

    assert ("erased", []) == (claim.nachricht.payload, files)
    for read in (store.body, store.headers):
        with pytest.raises(Misconfigured, match=r"payload\.erased"):
            read(claim.nachricht.id)
    with pytest.raises(NotPossible, match="erased"):
        store.redeliver(claim, TARGET.name, now=NOW, **WHO)
    assert claim == store.erase(claim, now=NOW, **WHO)
    assert 1 == names(store, claim).count("payload.erased")
    assert "duplicate" == store.take([eingang()])[0].outcome


def test_looking_is_recorded(store: Store) -> None:
    """A dry run leaves an event and no change, with a claim or without; fields must be those of the list."""
    claim = planned(store)
    fields = {"reason": "Rückfrage", "result": "gleich"}
    store.record(claim, "person.dry-run", now=NOW, actor="a.adler", fields=fields)
    store.record(claim.nachricht.id, "person.dry-run", now=NOW, actor="a.adler", fields=fields)

    assert ["person.dry-run"] * 2 == names(store, claim)[-2:]
    assert claim.nachricht == store.get(claim.nachricht.id)
    with pytest.raises(ValueError, match="fields"):
        store.record(claim, "person.dry-run", now=NOW, fields={"content": "x"})
    with pytest.raises(LookupError):
        store.record(claim, "person.danced", now=NOW)


def _on_key(store: Store, claim: Claim, verb: str) -> Claim:
    if verb == "confirm":
        return store.confirm_delivered(claim, key_of(claim), proof="p", now=NOW, **WHO)
    return store.send_again(claim, key_of(claim), now=NOW, **WHO)


def _all_names(store: Store) -> list[str]:
    return [entry.event.name for entry in store.all_events()]
