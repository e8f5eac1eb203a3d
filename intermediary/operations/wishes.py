"""What replay and decide ask a second person for: exact parameters, and what they would do at present."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from intermediary.operations.approvals import Wish
from intermediary.operations.selection import Selection
from intermediary.settings.approvals import ApprovalVerb
from intermediary.store.records import NachrichtRecord

_SHORT = 13


def selection_asked(selection: Selection, chosen: Sequence[NachrichtRecord]) -> dict[str, Any]:
    """A selection in the form that is the same when it is asked again.

    Ids are written out. A business key is not written down: the Nachrichten that have it stand for it.
    """
    conditions = {
        "mandant": selection.mandant,
        "state": selection.state,
        "code": selection.code,
        "route": selection.route,
        "since": None if selection.since is None else selection.since.isoformat(),
        "until": None if selection.until is None else selection.until.isoformat(),
    }
    asked: dict[str, Any] = {name: str(value) for name, value in conditions.items() if value is not None}
    if selection.ids or selection.key is not None:
        asked["ids"] = sorted(one.id for one in chosen)
    return asked


def replay_wish(
    selection: Selection,
    chosen: Sequence[NachrichtRecord],
    effects: Iterable[tuple[str, str]],
    *,
    redeliver: str,
    with_current: bool,
    repeat_anyway: bool,
) -> Wish:
    """Of a replay; `effects` are the ids of the Nachrichten that would move, each with a line about it."""
    moved = list(effects)
    asked = {
        "selection": selection_asked(selection, chosen),
        "redeliver": redeliver,
        "with_current": with_current,
        "repeat_anyway": repeat_anyway,
    }
    ids = tuple(dict.fromkeys(nachricht_id for nachricht_id, _line in moved))
    verb: ApprovalVerb = "redeliver" if redeliver else "replay"
    return Wish(verb, asked, count=len(ids), lines=tuple(line for _id, line in moved), ids=ids)


def decision_wish(
    verb: ApprovalVerb, selection: Selection, chosen: Sequence[NachrichtRecord], *, target: str, proof: str
) -> Wish:
    """Of a decision about one Nachricht or several."""
    asked = {"selection": selection_asked(selection, chosen), "target": target, "proof": proof}
    lines = tuple(f"{verb}: {one.id[:_SHORT]} ({one.state.value} {one.code})".rstrip() for one in chosen)
    return Wish(verb, asked, count=len(chosen), lines=lines, ids=tuple(one.id for one in chosen))
