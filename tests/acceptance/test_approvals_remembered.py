"""What needs a second person is remembered by the store: another configuration file is no way around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from intermediary.cli.identity import Identity
from tests.acceptance.command import Said, call
from tests.acceptance.office import Office

RULES = """
[approvals]
required = ["discard", "reveal"]
same_person = [["adler", "adler-admin"]]
"""

WHY = ("--reason", "geprüft")


@contextmanager
def _as(account: str) -> Iterator[None]:
    with mock.patch("intermediary.cli.identity.identity", return_value=Identity(account, account)):
        yield


@pytest.fixture
def guarded(own: Office) -> Office:
    """An installation that has run with an `[approvals]` section."""
    plain = own.config.read_text(encoding="utf-8")
    own.config.with_name("ohne.toml").write_text(plain, encoding="utf-8")
    own.config.write_text(plain + RULES, encoding="utf-8")
    assert 0 == own.call("list").code
    return own


def _by(config: Path, account: str, *arguments: str) -> Said:
    with _as(account):
        return call(*arguments, "-c", config)


def test_a_copy_without_the_section_is_no_way_around(guarded: Office) -> None:
    """Neither the verb nor who is one person is forgotten when the file named with -c does not say it."""
    copy = guarded.config.with_name("ohne.toml")
    wish = ("decide", guarded.ids["conflict"], "discard", *WHY)
    asked = _by(copy, "adler", *wish)
    (request,) = guarded.call("approvals", "list", "--json").rows
    own_word = _by(copy, "adler-admin", "approvals", "approve", request["id"], *WHY)

    assert (1, 2) == (asked.code, own_word.code), (asked, own_word)
    assert "zweite Person" in asked.err
    assert "dieselbe Person" in own_word.err
    assert "parked" == guarded.state("conflict")


def test_loosening_takes_two(guarded: Office) -> None:
    """What the configuration demands no more falls away when a second person has agreed, and the trail says so."""
    looser = guarded.config
    looser.write_text(
        looser.read_text(encoding="utf-8").replace('["discard", "reveal"]', '["reveal"]'), encoding="utf-8"
    )
    wish = ("decide", guarded.ids["conflict"], "discard", *WHY)
    before = _by(looser, "adler", *wish)
    told = guarded.call("approvals", "required")
    asked = _by(looser, "adler", "approvals", "loosen", *WHY)
    request = next(row for row in guarded.call("approvals", "list", "--json").rows if row["verb"] == "loosen")
    alone = _by(looser, "adler-admin", "approvals", "approve", request["id"], *WHY)
    given = _by(looser, "bussard", "approvals", "approve", request["id"], *WHY)
    done = _by(looser, "adler", "approvals", "loosen", *WHY, "--approval", request["id"])
    after = _by(looser, "adler", *wish)

    assert (1, 1, 2, 0, 0, 0) == tuple(one.code for one in (before, asked, alone, given, done, after)), (asked, done)
    assert "discard" in told.out
    assert "approvals loosen" in told.out
    assert "discarded" == guarded.state("conflict")
    (event,) = [
        line["event"] for line in guarded.call("audit", "export").rows if line["event"]["name"] == "approval.loosened"
    ]
    assert ["discard"] == event["fields"]["required"]
    assert ("adler", "bussard") == (event["fields"]["requested_by"], event["fields"]["approved_by"])
    assert 0 == guarded.call("audit", "verify").code
    assert 1 == _by(looser, "adler", "reveal", guarded.ids["done"], "-o", str(looser.with_name("x")), *WHY).code


def test_there_may_be_nothing_to_loosen(guarded: Office) -> None:
    """While the configuration still demands everything, nothing is asked of anybody."""
    said = _by(guarded.config, "adler", "approvals", "loosen", *WHY)

    assert 0 == said.code, said
    assert "nichts" in said.out
    assert [] == guarded.call("approvals", "list", "--json").rows


def test_doctor_tells_that_more_is_demanded(guarded: Office) -> None:
    """An operator who wonders why a verb still waits is told what remembers it."""
    said = call("doctor", "-c", guarded.config.with_name("ohne.toml"))

    assert "approvals" in said.out
    assert "discard, reveal" in said.out
    assert "discard, reveal" not in call("doctor", "-c", guarded.config).out
