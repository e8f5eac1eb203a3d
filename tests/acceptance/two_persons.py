"""What one person wants and another one approves, as they type it."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from intermediary.cli.identity import Identity
from tests.acceptance.command import Said
from tests.acceptance.office import Office

RULES = '\n[approvals]\nrequired = ["mandant-delete", "reveal", "hold-release"]\n'
WHY = ("--reason", "Vertrag beendet")


def guard(office: Office) -> Office:
    """The same installation, in which deletions, exports and releases need a second person from now on."""
    office.config.write_text(office.config.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    return office


def by(office: Office, account: str, *arguments: str | Path) -> Said:
    """A command as this account."""
    with mock.patch("intermediary.cli.identity.identity", return_value=Identity(account, account)):
        return office.call(*arguments)


def approved(office: Office, *wish: str | Path) -> str:
    """What adler wants and bussard approves; its number."""
    known = {row["id"] for row in office.call("approvals", "list", "--all", "--json").rows}
    by(office, "adler", *wish)
    (number,) = {row["id"] for row in office.call("approvals", "list", "--json").rows} - known
    assert 0 == by(office, "bussard", "approvals", "approve", number, *WHY).code
    return number


def told(office: Office, nachricht_id: str) -> list[str]:
    """The names of the events in the chain of a Nachricht."""
    (row,) = office.call("show", nachricht_id, "--json").rows
    return [event["event"] for event in row["events"]]
