"""Reads what the target says of a Zustellung, asked or by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.rest.answer import Unreadable, code_at, json_of, value_at
from connectors.rest.login import is_signed, shows_token
from connectors.rest.settings import CallbackLogin, Verdict
from intermediary.connect.api import Callback, Delivered, Heard, Refused, Unheard

KEY = re.compile(r"[A-Za-z0-9-]{1,64}")
"""What an idempotency key looks like."""


def verdict_in(tree: Any, asked: Verdict, facts: Mapping[str, str]) -> Delivered | Refused | None:
    """The verdict that a JSON tells; None while it tells none. `facts` go into its proof."""
    state = value_at(tree, asked.state)
    proof = {**facts, "state": state}
    if state in asked.accepted:
        return Delivered(proof)
    return Refused(code_at(tree, asked.reason), proof) if state in asked.refused else None


def hear(asked: Verdict | None, callback: Callback, now: datetime) -> Heard | Unheard:
    """What a callback says, once it is sure who speaks. Raises as `read_secret`."""
    login = asked.callback if asked is not None else None
    if asked is None or login is None or not _is_target(login, callback, now):
        return Unheard.STRANGER
    try:
        tree = json_of(callback.body)
    except Unreadable:
        return Unheard.UNREADABLE
    key = value_at(tree, login.key) if login.key else callback.key
    if not KEY.fullmatch(key) or not value_at(tree, asked.state):
        return Unheard.UNREADABLE
    return Heard(key, verdict_in(tree, asked, {}))


def _is_target(login: CallbackLogin, callback: Callback, now: datetime) -> bool:
    if login.signature is not None:
        return is_signed(login.signature, callback.headers, callback.body, now)
    return login.token_file is not None and shows_token(login.token_file, callback.headers)
