"""Who runs a command: the account for the audit trail, and the person behind it for the second person's rule.

As the system knows it, not as the environment says. Linux remembers who logged in, over `sudo` and `su`
(`/proc/self/loginuid`, set by pam_loginuid): only root can forge that. Where it remembers nothing (containers, services),
root behind `sudo` is the one sudo names, and anybody else is their account: operators who share one account are one person.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_UNSET = 0xFFFFFFFF
_LOGIN = Path("/proc/self/loginuid")


@dataclass(frozen=True, slots=True)
class Identity:
    """`actor` is what the audit trail says, `subject` the person: the account that logged in."""

    actor: str
    subject: str


def identity() -> Identity:
    """Of the calling process."""
    return identify(os.getuid(), login=_login(), environ=os.environ, name_of=_name_of)


def identify(uid: int, *, login: int | None, environ: Mapping[str, str], name_of: Callable[[int], str]) -> Identity:
    """Of a process with this real user id; `login` is who logged in, None where nobody knows."""
    account = name_of(uid)
    subject = account
    if login is not None:
        subject = name_of(login)
    elif uid == 0:
        subject = environ.get("SUDO_USER", "") or account
    return Identity(subject if subject == account else f"{subject} ({account})", subject)


def _login() -> int | None:
    with suppress(OSError, ValueError):
        login = int(_LOGIN.read_text(encoding="ascii"))
        return None if login == _UNSET else login
    return None


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"uid-{uid}"
