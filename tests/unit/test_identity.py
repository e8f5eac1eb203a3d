"""Who runs a command: the person behind an account, and what nobody can tell."""

from __future__ import annotations

import pytest

from intermediary.cli.identity import Identity, identify

NAMES = {0: "root", 1000: "adler", 1001: "adler-admin", 1002: "bussard", 900: "intermediary"}

CASES = {
    "an account of one's own": (1000, None, {}, Identity("adler", "adler")),
    "the environment says nothing about it": (1000, None, {"SUDO_USER": "bussard"}, Identity("adler", "adler")),
    "root behind sudo": (0, None, {"SUDO_USER": "adler"}, Identity("adler (root)", "adler")),
    "root alone": (0, None, {}, Identity("root", "root")),
    "the service account is one person": (900, None, {"SUDO_USER": "adler"}, Identity("intermediary", "intermediary")),
    "who logged in, over sudo": (900, 1000, {"SUDO_USER": "bussard"}, Identity("adler (intermediary)", "adler")),
    "who logged in, over su to a second account": (1001, 1000, {}, Identity("adler (adler-admin)", "adler")),
    "who logged in, as root": (0, 1002, {"SUDO_USER": "adler"}, Identity("bussard (root)", "bussard")),
    "logged in as themselves": (1000, 1000, {}, Identity("adler", "adler")),
}


@pytest.mark.parametrize(("uid", "login", "environ", "expected"), CASES.values(), ids=CASES)
def test_the_person_behind_the_account(
    uid: int, login: int | None, environ: dict[str, str], expected: Identity
) -> None:
    """The login counts before the account, and the environment only where root alone can set it."""
    assert expected == identify(uid, login=login, environ=environ, name_of=NAMES.__getitem__)
