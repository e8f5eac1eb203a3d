"""What replay and decide ask a second person for: exact parameters, and what they would do at present."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from intermediary.core.states import NachrichtState
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
    effects: Iterable[tuple[str, str, str]],
    *,
    redeliver: str,
    with_current: bool,
    repeat_anyway: bool,
) -> Wish:
    """Of a replay; `effects` are the ids of the Nachrichten that would move, each with a line about it and its act."""
    moved = list(effects)
    asked = {
        "selection": selection_asked(selection, chosen),
        "redeliver": redeliver,
        "with_current": with_current,
        "repeat_anyway": repeat_anyway,
    }
    acts: dict[str, tuple[str, ...]] = {}
    for nachricht_id, _line, act in moved:
        acts[nachricht_id] = (*acts.get(nachricht_id, ()), act)
    verb: ApprovalVerb = "redeliver" if redeliver else "replay"
    lines = tuple(line for _id, line, _act in moved)
    return Wish(verb, asked, count=len(acts), lines=lines, ids=tuple(acts), acts=acts)


def decision_wish(
    verb: ApprovalVerb, selection: Selection, chosen: Sequence[NachrichtRecord], *, target: str, proof: str
) -> Wish:
    """Of a decision about one Nachricht or several.

    Those that are named must stand as they stood when it was approved; of those that meet conditions, each that does not
    is left out (`Consent.allows`).
    """
    acts = {one.id: (decision_act(verb, one, target),) for one in chosen}
    asked = {"selection": selection_asked(selection, chosen), "target": target, "proof": proof}
    if selection.ids:
        asked["stand"] = sorted(act for one in acts.values() for act in one)
    lines = tuple(f"{verb}: {one.id[:_SHORT]} ({one.state.value} {one.code})".rstrip() for one in chosen)
    return Wish(verb, asked, count=len(chosen), lines=lines, ids=tuple(acts), acts=acts)


def decision_act(verb: str, nachricht: NachrichtRecord, target: str) -> str:
    """What a second person agrees to by a decision: another one when it waits for another reason."""
    code = nachricht.code if nachricht.state is NachrichtState.PARKED else ""
    return f"{verb} {target} {nachricht.state.value} {code}".strip()
