"""What a second person was shown is what happens: nothing that was held, received or set meanwhile goes with it."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import select

from intermediary.operations.approvals import approvals_of
from intermediary.operations.mandant import Deletion
from intermediary.operations.person import Request
from intermediary.operations.retention import Keep
from intermediary.operations.selection import Selection
from intermediary.store import NotPossible
from intermediary.store.tables import data_keys
from intermediary.wiring import Installation
from tests.acceptance.office import Office
from tests.acceptance.two_persons import WHY, approved, by, guard, told

COURT = ("--reason", "Gericht 4 K 12/26")
DELETE = ("mandant", "delete", "musterstadt", "--force", *WHY)


@pytest.fixture
def guarded(own: Office) -> Office:
    """Deletions, exports and releases need a second person here."""
    return guard(own)


def _payloads(office: Office) -> set[str]:
    return {row["payload"] for row in office.call("list", "--json").rows}


def _late(office: Office) -> str:
    """A Nachricht that comes in now; its id."""
    known = {row["id"] for row in office.call("list", "--json").rows}
    file = office.folder / "spaet.osci"
    file.write_bytes(b"MIME-Version: 1.0\r\n\r\nkein Antrag\r\n")
    office.call("submit", file, "--message-id", "portal/spaet")
    (late,) = {row["id"] for row in office.call("list", "--json").rows} - known
    return late


def _told_of_installation(office: Office) -> list[str]:
    names = [row["event"]["name"] for row in office.call("audit", "export").rows]
    return [name for name in names if name.startswith(("hold.standing", "mandant."))]


@pytest.mark.parametrize("late", ["standing", "single"])
def test_a_hold_after_the_approval_stops_the_deletion(guarded: Office, late: str) -> None:
    """Whoever approved has seen one hold; the second is another court's: nothing is erased, and the answer names it."""
    done, full = guarded.ids["done"], guarded.ids["full"]
    by(guarded, "carla", "hold", "set", done, *COURT)
    number = approved(guarded, *DELETE)
    held = ("mandant=musterstadt", "--standing") if late == "standing" else (full,)
    assert 0 == by(guarded, "carla", "hold", "set", *held, "--reason", "Rechnungshof").code

    said = by(guarded, "adler", *DELETE, "--approval", number)

    assert 2 == said.code
    assert "Rechnungshof" in said.err
    assert {"present"} == _payloads(guarded)
    assert "mandant.deletion-begun" not in _told_of_installation(guarded)


def test_what_came_after_the_approval_is_not_deleted(guarded: Office) -> None:
    """One Nachricht more than was shown: the approval does not fit any more, and the answer says how many there are."""
    number = approved(guarded, *DELETE)
    _late(guarded)

    said = by(guarded, "adler", *DELETE, "--approval", number)

    assert 2 == said.code
    assert "nachrichten: 7" in said.err
    assert "jetzt 8" in said.err
    assert {"present"} == _payloads(guarded)


def test_the_holds_that_were_shown_are_lifted_andtold(guarded: Office) -> None:
    """Their reasons are shown to whoever approves; their ends stand in the trail before what they held is erased."""
    done = guarded.ids["done"]
    by(guarded, "carla", "hold", "set", done, *COURT)
    by(guarded, "carla", "hold", "set", "mandant=musterstadt", "--standing", "--reason", "Rechnungshof")
    number = approved(guarded, *DELETE)
    shown = guarded.call("approvals", "show", number).out
    said = by(guarded, "adler", *DELETE, "--approval", number)

    assert 0 == said.code, said
    assert {"erased"} == _payloads(guarded)
    assert COURT[1] in shown
    assert "Rechnungshof" in shown
    assert ["hold.standing-set", "mandant.deletion-begun", "hold.standing-released", "mandant.deleted"] == (
        _told_of_installation(guarded)
    )
    assert ["person.approved", "hold.released", "payload.erased", "nachricht.reduced"] == told(guarded, done)[-4:]
    assert 0 == guarded.call("audit", "verify").code


@pytest.mark.parametrize("force", [True, False])
def test_a_hold_during_the_deletion_stops_it(own: Office, force: bool) -> None:
    """Set once the deletion was ordered: what it keeps stays, the answer says so, and released it is begun anew."""
    who = Request("adler", "Vertrag beendet", "adler")
    done = own.ids["done"]
    with own.opened() as opened:
        _end_all(opened)
        approvals = approvals_of(opened, now=opened.now)
        keep = Keep(opened, approvals=approvals)
        with mock.patch.object(Deletion, "obstacles", return_value=[]):
            cuts = Deletion(opened, "musterstadt", approvals=approvals).carry_out(who, force=force)
            [set_] = keep.hold(Selection(ids=(done,)), Request("carla", "Gericht", "carla"))
            with pytest.raises(NotPossible, match="noch einmal rufen") as stopped:
                list(cuts)

        assert "held" == set_.outcome
        assert done[:8] in str(stopped.value)
        assert {"present"} == {one.payload for one in opened.store.find(mandant="musterstadt")}
        assert "hold.set" == opened.store.events(done)[-1].event.name

        [released] = keep.release(Selection(ids=(done,)), Request("carla", "Gericht fertig", "carla"))
        with mock.patch.object(Deletion, "obstacles", return_value=[]):
            list(Deletion(opened, "musterstadt", approvals=approvals).carry_out(who, force=force))

        assert "released" == released.outcome
        assert {"erased"} == {one.payload for one in opened.store.find(mandant="musterstadt")}


def test_a_deletion_that_is_stopped_leaves_no_data_key_readable(own: Office) -> None:
    """While a daemon has the database open its files would show what was erased; whatever ends it, they are cleaned."""
    who = Request("adler", "Vertrag beendet", "adler")
    with own.opened() as opened:
        with opened.store.retention._db.read() as tx:
            wrapped = [bytes(one) for one in tx.scalars(select(data_keys.c.wrapped))]
        cuts = Deletion(opened, "musterstadt", approvals=approvals_of(opened, now=opened.now)).carry_out(
            who, force=True
        )
        next(cuts)
        opened.store.retention.holds.hold_all("musterstadt", "", actor="carla", reason="Gericht", now=opened.now())
        with pytest.raises(NotPossible, match="bis dahin gelöscht: 7 Nachrichten"):
            next(cuts)
        files = [path.read_bytes() for path in (own.folder / "data").glob("store.db*")]

        assert {"erased"} == {one.payload for one in opened.store.find(mandant="musterstadt")}
        assert (7, []) == (len(wrapped), [one for one in wrapped if any(one in file for file in files)])


def _end_all(opened: Installation) -> None:
    """Nothing is open that a deletion would have to discard."""
    for one in opened.store.find(mandant="musterstadt", state=None):
        if one.state.value == "parked":
            claim = opened.store.claim_one(one.id, "person", opened.now())
            opened.store.release(
                opened.store.discard(claim, actor="adler", reason="weg", now=opened.now()), opened.now()
            )


def test_an_export_is_of_what_was_shown(guarded: Office, tmp_path: Path) -> None:
    """What came in later is left out and said; the chains of the others have both names before the reading."""
    folder = tmp_path / "uebergabe"
    wish = ("mandant", "export", "musterstadt", "-o", folder, "--with-payload", *WHY)
    number = approved(guarded, *wish)
    late = _late(guarded)

    said = by(guarded, "adler", *wish, "--approval", number)

    assert 0 == said.code, said
    assert "1 später eingegangene" in said.out
    exported = {path.stem for path in folder.glob("dossiers/??/*.json")}
    assert set(guarded.ids.values()) == exported
    assert ["person.approved", "person.read"] == told(guarded, guarded.ids["done"])[-2:]
    assert not {"person.approved", "person.read"} & set(told(guarded, late))


@pytest.mark.parametrize("is_there", [True, False])
def test_an_export_that_cannot_be_written_uses_up_no_approval(guarded: Office, tmp_path: Path, is_there: bool) -> None:
    """The folder is there already, or cannot be made: what was approved can be carried out afterwards."""
    folder = tmp_path / "platte/uebergabe"
    folder.parent.mkdir()
    wish = ("mandant", "export", "musterstadt", "-o", folder, "--with-payload", *WHY)
    number = approved(guarded, *wish)
    assert not folder.exists()
    folder.mkdir() if is_there else folder.parent.rmdir()
    failed = by(guarded, "adler", *wish, "--approval", number)
    folder.rmdir() if is_there else folder.parent.mkdir()

    said = by(guarded, "adler", *wish, "--approval", number)

    assert (2, 0) == (failed.code, said.code), said
    assert (folder / "SHA256SUMS").is_file()
