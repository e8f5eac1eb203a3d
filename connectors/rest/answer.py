"""Reads what a target says: JSON of bounded depth, and single facts of it by a path."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from intermediary.connect.api import HttpAnswer

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_LONGEST_FACT = 256
UNSPECIFIED = "unspecified"


class Unreadable(Exception):
    """The answer is not what was agreed."""


def tree_of(answer: HttpAnswer) -> Any:
    """The JSON of an answer, or None when it has no body. `Unreadable` for any other media type, and for no JSON."""
    if not answer.body:
        return None
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Unreadable
    return json_of(answer.body)


def json_of(body: bytes) -> Any:
    """The JSON in these bytes, or `Unreadable`."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error


def facts_of(answer: HttpAnswer, tree: Any, take: Mapping[str, str]) -> dict[str, str]:
    """Every fact that is asked for; `Unreadable` when one of them is missing or no short text."""
    return {name: _fact(answer, tree, path) for name, path in take.items()}


def value_at(tree: Any, path: str) -> str:
    """The text, number or truth value at a path (`vorgang.id`, `dateien.0.id`), or empty."""
    for step in path.split("."):
        if isinstance(tree, Mapping):
            tree = tree.get(step)
        elif isinstance(tree, list) and step.isascii() and step.isdigit() and int(step) < len(tree):
            tree = tree[int(step)]
        else:
            return ""
    if isinstance(tree, bool):
        return "true" if tree else "false"
    return str(tree) if isinstance(tree, str | int) else ""


def code_at(tree: Any, path: str) -> str:
    """The code of a refusal. Anything that does not look like one may be about a citizen and is left out."""
    found = value_at(tree, path) if path else ""
    return found if _CODE.fullmatch(found) else UNSPECIFIED


def _fact(answer: HttpAnswer, tree: Any, path: str) -> str:
    header = path.removeprefix("header:")
    found = answer.headers.get(header.lower(), "") if header != path else value_at(tree, path)
    if not found or len(found) > _LONGEST_FACT or not found.isprintable():
        raise Unreadable
    return found
