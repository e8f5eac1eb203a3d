"""The second person, from the command line: what is required waits, is approved by another person, and happens once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from unittest import mock

import pytest

from intermediary.cli.identity import Identity
from intermediary.operations.repeats import twice_hurts
from tests.acceptance.command import Said
from tests.acceptance.office import Office

RULES = """
[approvals]
required = ["replay", "discard", "key-change"]
same_person = [["adler", "adler-admin"]]
"""

WHY = ("--reason", "geprüft")


@contextmanager
def _as(account: str) -> Iterator[None]:
    with mock.patch("intermediary.cli.identity.identity", return_value=Identity(account, account)):
        yield


@pytest.fixture
def guarded(own: Office) -> Office:
    """An installation in which replay and discard need a second person."""
    own.config.write_text(own.config.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    return own


def _by(office: Office, account: str, *arguments: str) -> Said:
    with _as(account):
        return office.call(*arguments)


def _open(office: Office) -> list[dict]:
    return office.call("approvals", "list", "--json").rows


def _events(office: Office, name: str) -> list[dict]:
    (row,) = office.call("show", office.ids[name], "--json").rows
    return [event for event in row["events"] if event["event"].startswith("person.")]


def test_a_discard_waits_for_a_second_person(guarded: Office) -> None:
    """Asked: nothing happens and the way on is said. Approved by another one: it is carried out, both names in the chain."""
    wish = ("decide", guarded.ids["conflict"], "discard", *WHY)
    asked = _by(guarded, "adler", *wish)
    (request,) = _open(guarded)

    assert (1, "") == (asked.code, asked.out)
    assert f"intermediary approvals approve {request['id']} --reason …" in asked.err
    assert "parked" == guarded.state("conflict")
    assert ("discard", 1, "open", "adler") == (
        request["verb"],
        request["count"],
        request["state"],
        request["requestedBy"],
    )

    given = _by(guarded, "bussard", "approvals", "approve", request["id"], "--reason", "nachgesehen")
    done = _by(guarded, "adler", *wish, "--approval", request["id"])

    assert (0, 0) == (given.code, done.code), (given, done)
    assert "discarded" == guarded.state("conflict")
    told = _events(guarded, "conflict")
    assert ["person.approved", "person.discarded"] == [event["event"] for event in told]
    assert ("adler", "bussard") == (told[0]["fields"]["requested_by"], told[0]["fields"]["approved_by"])
    assert [] == _open(guarded)
    assert "used" == guarded.call("approvals", "show", request["id"], "--json").rows[0]["state"]


@pytest.mark.parametrize("account", ["adler", "adler-admin"])
def test_nobody_approves_what_they_asked_for(guarded: Office, account: str) -> None:
    """Neither under the same account nor under a second one of the same person; the attempt is in the trail."""
    _by(guarded, "adler", "decide", guarded.ids["conflict"], "discard", *WHY)
    (request,) = _open(guarded)

    said = _by(guarded, account, "approvals", "approve", request["id"], *WHY)

    assert 2 == said.code
    assert "dieselbe Person" in said.err
    assert "open" == _open(guarded)[0]["state"]
    assert {"approval.denied"} <= {line["event"]["name"] for line in guarded.call("audit", "export").rows}


def test_an_approval_is_for_one_thing_once(guarded: Office) -> None:
    """Not before it is given, not for something else, not a second time; every refusal leaves an entry."""
    wish = ("decide", guarded.ids["conflict"], "discard", *WHY)
    _by(guarded, "adler", *wish)
    (request,) = _open(guarded)
    early = _by(guarded, "adler", *wish, "--approval", request["id"])
    _by(guarded, "bussard", "approvals", "approve", request["id"], *WHY)
    other = _by(guarded, "adler", "decide", guarded.ids["overdue"], "discard", *WHY, "--approval", request["id"])
    first = _by(guarded, "adler", *wish, "--approval", request["id"])
    second = _by(guarded, "adler", *wish, "--approval", request["id"])
    unknown = _by(guarded, "adler", *wish, "--approval", "ffffffff")

    assert (2, 2, 0, 2, 2) == (early.code, other.code, first.code, second.code, unknown.code)
    assert "noch niemand" in early.err
    assert "etwas anderes" in other.err
    assert guarded.ids["overdue"] in other.err.partition("jetzt")[2]
    assert "verbraucht" in second.err
    assert "parked" == guarded.state("overdue")
    denied = [
        line["event"]["fields"]["why"]
        for line in guarded.call("audit", "export").rows
        if line["event"]["name"] == "approval.denied"
    ]
    assert ["open", "changed", "used", "unknown"] == denied


def test_only_what_was_shown_is_moved(guarded: Office) -> None:
    """A selection by conditions is fixed when it is asked: what comes to match it later is left out."""
    wish = ("replay", "state=parked", *WHY)
    _by(guarded, "adler", *wish)
    (request,) = _open(guarded)
    shown = {line.split()[1] for line in request["effects"]}
    _by(guarded, "adler", "replay", guarded.ids["overdue"], *WHY)  # a second request, for one of them
    _by(guarded, "bussard", "approvals", "approve", request["id"], *WHY)
    late = guarded.folder / "spaet.osci"
    late.write_bytes(b"MIME-Version: 1.0\r\n\r\nkein Antrag\r\n")
    guarded.call("submit", late, "--message-id", "portal/done")
    (late_id,) = (
        {row["id"] for row in guarded.call("list", "state=parked", "--json").rows} - shown - {guarded.ids["stuck"]}
    )

    done = _by(guarded, "adler", *wish, "--approval", request["id"], "--json")

    assert 0 == done.code, done
    assert shown == {row["id"] for row in done.rows}
    assert "parked" == guarded.call("list", late_id, "--json").rows[0]["state"]


def test_the_side_doors_are_closed_too(guarded: Office) -> None:
    """Who may not replay alone may not resume or send again alone; what is not required goes as ever."""
    for verb, name in (("resume", "overdue"), ("send-again", "stuck")):
        said = _by(guarded, "adler", "decide", guarded.ids[name], verb, *WHY)

        assert 1 == said.code, verb
        assert "zweite Person" in said.err
    assert 0 == _by(guarded, "adler", "decide", guarded.ids["waiting"], "reject", *WHY).code


def test_nobody_in_particular_changes_nothing(guarded: Office) -> None:
    """A face that cannot tell who is behind an account gets no approval, not even a request."""
    with mock.patch("intermediary.cli.identity.identity", return_value=Identity("dienst", "")):
        said = guarded.call("decide", guarded.ids["conflict"], "discard", *WHY)

    assert 2 == said.code
    assert "nicht zu erkennen" in said.err
    assert [] == _open(guarded)


def test_a_refused_request_is_over(guarded: Office) -> None:
    """The one who asked may withdraw it, anybody may refuse it; nothing comes of it any more."""
    wish = ("decide", guarded.ids["conflict"], "discard", *WHY)
    _by(guarded, "adler", *wish)
    (request,) = _open(guarded)
    withdrawn = _by(guarded, "adler", "approvals", "refuse", request["id"], *WHY)
    late = _by(guarded, "bussard", "approvals", "approve", request["id"], *WHY)

    assert (0, 2) == (withdrawn.code, late.code)
    assert "abgelehnt" in late.err
    assert [] == _open(guarded)


def test_the_audit_key_is_changed_by_two(guarded: Office) -> None:
    """The change of the key that signs the heads waits as well, and verifies afterwards."""
    asked = _by(guarded, "adler", "audit", "rotate-key", *WHY)
    (request,) = _open(guarded)
    _by(guarded, "bussard", "approvals", "approve", request["id"], *WHY)
    done = _by(guarded, "adler", "audit", "rotate-key", *WHY, "--approval", request["id"])

    assert (1, 0) == (asked.code, done.code), done


def test_what_is_refused_is_in_the_chain(own: Office) -> None:
    """An attempt that changes nothing leaves an entry with its reason, by replay and by decide (G16)."""
    own.call("replay", own.ids["done"], "--reason", "noch einmal")
    own.call("decide", own.ids["done"], "discard", "--reason", "weg damit")

    told = _events(own, "done")
    assert ["person.denied"] * 2 == [event["event"] for event in told]
    assert ["noch einmal", "weg damit"] == [event["fields"]["reason"] for event in told]
    assert ["replay", "discard"] == [event["fields"]["verb"] for event in told]


def test_a_target_that_cannot_tell_gets_it_twice_only_on_request(own: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """G16: what has arrived at a target without idempotency goes out again only when somebody answers for it."""
    hurts: Callable[..., object] = lambda *_: lambda _nachricht, target: target == "eakte"  # noqa: E731
    monkeypatch.setattr("intermediary.operations.repeats.twice_hurts", hurts)
    again = ("replay", own.ids["done"], "--redeliver", "eakte")

    dry = own.call(*again, "--dry-run", "--json")
    plain = own.call(*again, *WHY, "--json")
    anyway = own.call(*again, *WHY, "--repeat-anyway", "--json")

    assert ["nothing"] == [row["action"] for row in dry.rows] == [row["action"] for row in plain.rows]
    assert "--repeat-anyway" in plain.rows[0]["why"]
    assert ["redeliver"] == [row["action"] for row in anyway.rows]
    assert ["person.denied", "person.redelivered"] == [
        event["event"] for event in _events(own, "done") if event["event"] != "person.dry-run"
    ]


def test_which_targets_cannot_tell(own: Office) -> None:
    """By the connector's manifest; a target nobody configures any more counts as one that cannot."""
    from intermediary.wiring import open_installation

    opened = open_installation(own.config)
    try:
        nachricht = opened.store.get(own.ids["done"])
        hurts = twice_hurts(opened.settings)

        assert (False, True) == (hurts(nachricht, "eakte"), hurts(nachricht, "verschwunden"))
    finally:
        opened.store.close()


def test_people_can_read_it(guarded: Office) -> None:
    """List and show are German, and show says what exactly was asked for and what to do."""
    assert "keine Freigabe offen\n" == guarded.call("approvals", "list").out
    _by(guarded, "adler", "decide", guarded.ids["conflict"], "discard", *WHY)
    (request,) = _open(guarded)
    listed, shown = guarded.call("approvals", "list"), guarded.call("approvals", "show", request["id"][:4])

    assert ["Nummer", "Was", "Anzahl", "Stand"] == listed.lines[0].split()[:4]
    assert f"approvals approve|refuse {request['id']}" in shown.out
    until = datetime.fromisoformat(request["expiresAt"]).astimezone().strftime("%d.%m.%Y %H:%M")
    assert until in listed.out
    assert until in shown.out
    alone = _by(guarded, "adler", "approvals", "approve", request["id"], *WHY)
    assert "docs/howto/approvals.md" in alone.err
    assert "geprüft" in shown.out
    assert guarded.ids["conflict"] in request["asked"]


def test_what_is_left_out_are_lines(guarded: Office) -> None:
    """What was cut off is counted, not the things that a sentence is about."""
    _by(guarded, "adler", "mandant", "delete", "musterstadt", "--force", *WHY)
    (about_all,) = _open(guarded)
    shown = guarded.call("approvals", "show", about_all["id"]).out

    assert (7, 0) == (about_all["count"], about_all["moreEffects"])
    assert "weitere" not in shown


def test_a_payload_is_revealed_by_two(own: Office, tmp_path: Path) -> None:
    """The received bytes go into a file of mode 0600, after another person said yes; read and approval are in the chain."""
    own.config.write_text(own.config.read_text(encoding="utf-8") + '\n[approvals]\nrequired = ["reveal"]\n')
    file = tmp_path / "inhalt.osci"
    wish = ("reveal", own.ids["done"], "-o", str(file), *WHY)
    asked = _by(own, "adler", *wish)
    assert (1, False) == (asked.code, file.exists())
    (request,) = _open(own)
    _by(own, "bussard", "approvals", "approve", request["id"], *WHY)
    done = _by(own, "adler", *wish, "--approval", request["id"])
    again = _by(own, "adler", *wish)

    assert 0 == done.code, done
    assert 0 == file.stat().st_mode & 0o077
    assert b"MIME-Version" in file.read_bytes()[:200]
    assert (2, True) == (again.code, "exists" in again.err)
    assert ["person.approved", "person.read"] == [event["event"] for event in _events(own, "done")]


def test_lint_knows_who_is_one_person(own: Office) -> None:
    """An account in two groups would be two persons after all: refused."""
    rules = '\n[approvals]\nsame_person = [["a", "b"], ["b", "c"]]\n'
    own.config.write_text(own.config.read_text(encoding="utf-8") + rules)

    said = own.call("lint")

    assert 2 == said.code
    assert "approvals.same_person" in said.out + said.err
