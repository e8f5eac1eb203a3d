"""What a replay would do to one Nachricht: pure, and the same for the dry run, a single replay and a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.states import FINAL, VERDICTS, NachrichtState, ZustellungState
from intermediary.store.doubt import may_have_arrived
from intermediary.store.records import NachrichtRecord, ZustellungRecord
from intermediary.store.vorgang import WAITS

_N, _Z = NachrichtState, ZustellungState

GROUNDS = {
    "resume": "läuft dort weiter, wo die Tatsachen enden",
    "send-again": "wurde sicher noch nicht gesendet",
    "now": "die Wartezeit wird beendet",
    "anew": "wird mit den heutigen Fassungen neu beurteilt",
    "redeliver": "neue Zustellung mit eigenem Schlüssel",
    "completed": "ist zugestellt und quittiert; eine erneute Zustellung verlangt --redeliver ZIEL",
    "rejected": "ist endgültig abgelehnt; der Sender muss neu einreichen",
    "discarded": "wurde von einer Person verworfen",
    "at-work": "ist bereits in Arbeit",
    "in-order": "wartet auf eine frühere Nachricht ihres Vorgangs; `explain` nennt sie",
    "no-target": "hat dieses Ziel nicht",
    "undecided": "ist dort noch nicht entschieden",
    "twice": "ist dort angekommen, und das Ziel erkennt Doppelte nicht; trotzdem: --repeat-anyway",
    "erased": "der Inhalt ist gelöscht",
    "look-first": "erst beim Ziel nachsehen, dann decide ID/ZIEL …",
    "tried": "eine Zustellung wurde schon versucht; ihre Ausgabe steht fest",
    "judged": "das Ergebnis steht schon fest",
    "redelivered": "wurde nach Erteilung des Auftrags von anderer Seite erneut zugestellt",
    "other-job": "gehört schon zu einem anderen offenen Auftrag an dieses Ziel",
    "gone": "gibt es nicht mehr",
    "busy": "wird gerade bearbeitet",
    "late": "ist erst während des Befehls möglich geworden und verlangt eine Freigabe: noch einmal verlangen",
    "other": "ist nicht mehr so, wie es freigegeben wurde, und verlangt eine neue Freigabe",
}
"""Why something is done, or nothing: a closed list, so that a job of 100,000 can be told in a few lines. German."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What replay does, or would do, to one Nachricht.

    `action`: `resume` (leave parked), `send-again` (a parked Zustellung that is certainly unsent), `now` (end a wait),
    `redeliver` (a new Zustellung), `anew` (judge again with today's versions), or `nothing`. `ground` is a word of
    `GROUNDS`, `why` German.
    """

    nachricht_id: str
    state: NachrichtState
    action: str
    target: str = ""
    why: str = ""
    ground: str = ""


def act_of(effect: Effect, nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord]) -> str:
    """What a second person agrees to by an effect: another one when another reason, target or try stands behind it."""
    of_target = [one for one in zustellungen if one.target == effect.target]
    match effect.action:
        case "resume":
            return f"resume {nachricht.code}"
        case "send-again":
            return f"send-again {effect.target} {of_target[-1].code}"
        case "redeliver":
            return f"redeliver {effect.target} {max(one.redelivery for one in of_target) + 1}"
        case _:
            return effect.action


def foresee(
    nachricht: NachrichtRecord,
    zustellungen: Sequence[ZustellungRecord],
    *,
    redeliver: str = "",
    with_current: bool = False,
    twice_hurts: bool = False,
) -> list[Effect]:
    """What a replay would do to one Nachricht: resumes where the durable facts end, and never repeats a verdict.

    Only `redeliver` (the name of a target) sends something again that has arrived; that makes a new Zustellung. Not where
    it has arrived and `twice_hurts`: the target cannot tell the second from the first, and nobody answers for it (G16).
    """
    if redeliver:
        return [_foresee_redelivery(nachricht, zustellungen, redeliver, twice_hurts=twice_hurts)]
    if nachricht.state in FINAL:
        return [_nothing(nachricht, nachricht.state.value)]
    if with_current:
        return [_foresee_anew(nachricht, zustellungen)]
    if nachricht.state is _N.PARKED:
        return [_some(nachricht, "resume")]
    stuck = [one for one in zustellungen if one.state is _Z.PARKED]
    if stuck:
        return [_foresee_stuck(nachricht, zustellung) for zustellung in stuck]
    if nachricht.wait_reason == WAITS and nachricht.due_at is None:
        return [_nothing(nachricht, "in-order")]
    return [_some(nachricht, "now") if nachricht.wait_reason else _nothing(nachricht, "at-work")]


def _foresee_redelivery(
    nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord], target: str, *, twice_hurts: bool
) -> Effect:
    of_target = [one for one in zustellungen if one.target == target]
    if not of_target:
        return _nothing(nachricht, "no-target", target, f"hat kein Ziel {target}")
    if nachricht.state is _N.DISCARDED:
        return _nothing(nachricht, "discarded", target)
    if max(of_target, key=lambda one: one.redelivery).state not in VERDICTS:
        return _nothing(nachricht, "undecided", target)
    if nachricht.payload != "present":
        return _nothing(nachricht, "erased", target)
    if twice_hurts and any(one.state is _Z.DELIVERED for one in of_target):
        return _nothing(nachricht, "twice", target)
    return _some(nachricht, "redeliver", target)


def _foresee_stuck(nachricht: NachrichtRecord, zustellung: ZustellungRecord) -> Effect:
    if zustellung.code == "output.changed" or CATALOGUE[zustellung.code].healer is Healer.TARGET:
        why = f"erst beim Ziel nachsehen, dann decide {nachricht.id}/{zustellung.target} …"
        return _nothing(nachricht, "look-first", zustellung.target, why)
    return _some(nachricht, "send-again", zustellung.target)


def _foresee_anew(nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord]) -> Effect:
    if any(may_have_arrived(one) for one in zustellungen):
        return _nothing(nachricht, "tried")
    return _nothing(nachricht, "judged") if nachricht.verdict else _some(nachricht, "anew")


def _some(nachricht: NachrichtRecord, action: str, target: str = "") -> Effect:
    return Effect(nachricht.id, nachricht.state, action, target, GROUNDS[action], action)


def _nothing(nachricht: NachrichtRecord, ground: str, target: str = "", why: str = "") -> Effect:
    return Effect(nachricht.id, nachricht.state, "nothing", target, why or GROUNDS[ground], ground)
