"""What the simulator remembers: a journal that survives any end, and nothing told before it is on disk."""

from __future__ import annotations

import json
import os

import pytest

from intermediary.osci.write import Fetch
from intermediary.testing.simulate.osci.facts import Received, Served, Stored
from intermediary.testing.simulate.osci.journal import JOURNAL, MESSAGES, entries
from intermediary.unseal.refusal import NotOpened
from tests.unit.testing.simulate.conftest import Killed, Rig


def test_a_new_process_goes_on_where_the_old_one_was(rig: Rig) -> None:
    """Dialog, box, cards and the acknowledgement that is due survive a restart between two requests."""
    ids = rig.fill(2)
    client = rig.client()
    client.init()
    client.fetch()
    rig.start()

    assert [*ids] == rig.waiting()

    answer = client.fetch()

    assert ids[1] == answer.order.message_id
    assert [ids[1]] == rig.waiting()
    assert rig.desk.books.cards[ids[0]].reception is not None


def test_a_line_that_was_not_finished_never_happened(rig: Rig) -> None:
    """A kill in the middle of a line leaves the state of the line before; the journal is cut and goes on."""
    rig.fill(1)
    whole = (rig.folder / JOURNAL).read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for length in range(last, len(whole), 37):
        (rig.folder / JOURNAL).write_bytes(whole[:length])
        rig.start()

        assert [] == rig.waiting()
        assert whole[:last] == (rig.folder / JOURNAL).read_bytes()
    rig.fill(1)

    assert 1 == len(rig.waiting())


def test_a_whole_journal_adds_up_to_the_same_books(rig: Rig) -> None:
    """Reading it again gives equal boxes, cards, dialogs and ids."""
    rig.fill(2)
    client = rig.client()
    client.init()
    client.fetch()
    client.new_id()
    before = rig.desk.books
    rig.start()
    after = rig.desk.books

    assert (before.deliveries, before.cards) == (after.deliveries, after.cards)
    assert (before.dialogs, before.issued) == (after.dialogs, after.issued)


def test_what_nobody_needs_is_removed(rig: Rig) -> None:
    """A received delivery leaves no message behind; what a kill left unfinished goes at the next start."""
    rig.fill(1)
    client = rig.client()
    client.init()
    client.fetch()
    held = len(os.listdir(rig.folder / MESSAGES))
    client.exit()

    assert len(os.listdir(rig.folder / MESSAGES)) < held

    (rig.folder / MESSAGES / ".half").write_bytes(b"x")
    rig.start()

    assert set(os.listdir(rig.folder / MESSAGES)) == rig.desk.books.files()


def test_the_journal_is_the_evidence(rig: Rig) -> None:
    """Stored, served and received stand in it by id, in this order."""
    (message_id,) = rig.fill(1)
    client = rig.client()
    client.init()
    client.fetch()
    client.exit()
    facts = [fact for entry in entries(rig.folder) for fact in entry.facts]
    found = [type(fact) for fact in facts if isinstance(fact, Stored | Served | Received)]

    assert [Stored, Served, Received] == found
    assert all(json.loads(line) for line in (rig.folder / JOURNAL).read_text().splitlines())
    assert {message_id} == {fact.message_id for fact in facts if isinstance(fact, Stored | Served | Received)}


@pytest.mark.parametrize("knob", ["die-before", "die-after"])
def test_dying_around_the_commit_loses_nothing(rig: Rig, knob: str) -> None:
    """Killed before or after the commit of a fetch: the delivery is still in the box, and nothing was acknowledged."""
    (message_id,) = rig.fill(1)
    client = rig.client()
    client.init()
    rig.turn(f"{knob}@FetchDelivery=next1")
    with pytest.raises(Killed):
        client.fetch()
    rig.start()

    assert 1 == rig.deaths
    assert [message_id] == rig.waiting()

    other = rig.client()
    other.init()

    assert message_id == other.fetch().order.message_id


def test_dying_after_the_commit_of_a_store_keeps_it(rig: Rig) -> None:
    """The sender got no answer; the delivery is there, and its id is used up."""
    rig.turn("die-after@StoreDelivery=next1")
    filler = rig.filler
    filler._ask = lambda body: rig.desk.answer(body).body
    with pytest.raises(Killed):
        filler.fill(1)
    rig.start()

    assert 1 == len(rig.waiting())
    assert {} == rig.desk.books.issued


def test_a_journal_that_cannot_be_written_changes_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the line does not reach the disk, the turn and the acknowledgement in memory are taken back."""
    (message_id,) = rig.fill(1)
    client = rig.client()
    client.init()
    client.fetch()
    with monkeypatch.context() as broken:
        broken.setattr(rig.journal, "append", _full)
        with pytest.raises(OSError, match="full"):
            client.send(client.request("FetchDelivery", Fetch()))

    assert [message_id] == rig.waiting()
    assert ("9803",) == client.fetch().order.feedback


def test_a_repeated_request_is_a_wrong_one(rig: Rig) -> None:
    """The same bytes twice, as after an answer that got lost: the second is 9400."""
    client = rig.client()
    client.init()
    body = client.request("FetchDelivery", Fetch())
    rig.desk.answer(body)
    client.send = lambda _: rig.desk.answer(body).body
    with pytest.raises(NotOpened) as refused:
        client.fetch()

    assert "9400" == refused.value.osci_code


def _full(_entry: object) -> None:
    raise OSError("full")
