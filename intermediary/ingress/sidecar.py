"""Reads what a sender put beside a file of the watched folder: `NAME.json` for the file `NAME`."""

from __future__ import annotations

import json
from typing import Any

from intermediary.core.faults import Rejected
from intermediary.ingress.doors import Angaben
from intermediary.ingress.regular import open_regular

SUFFIX = ".json"
_MAX_BYTES = 64 * 1024
_FIELDS = frozenset({"content_type", "message_id", "mandant", "reply_to", "correlation_id", "vorgang"})


def read_sidecar(name: str, folder_fd: int, *, content_type: str) -> Angaben:
    """What the sender stated about the file `name`; without a sidecar its name is the message id.

    A sidecar is one JSON object; every field is optional text, unknown fields are refused. Raises `Rejected`, OSError.
    """
    try:
        with open_regular(name + SUFFIX, folder_fd) as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return Angaben(content_type=content_type, message_id=name)
    stated = _parsed(raw)
    return Angaben(**{"content_type": content_type, "message_id": name, **stated})


def _parsed(raw: bytes) -> dict[str, Any]:
    if len(raw) > _MAX_BYTES:
        raise Rejected("intake.header.invalid")
    try:
        stated = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Rejected("intake.header.invalid") from error
    if not isinstance(stated, dict) or not stated.keys() <= _FIELDS:
        raise Rejected("intake.header.invalid")
    return stated
