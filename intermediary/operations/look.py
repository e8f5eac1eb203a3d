"""What people see: lists, one Nachricht in full, and in German what it waits for and who can help. No content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from intermediary.core.codes import CATALOGUE, HEALERS
from intermediary.core.decide import DEADLINES
from intermediary.core.faults import Fault
from intermediary.core.states import VERDICTS, NachrichtState, ZustellungState
from intermediary.core.targets import POST_BOX
from intermediary.operations.selection import Selection
from intermediary.store.due import GIVEN_UP, REFUSED_AGAIN, is_refused_again, refused_again
from intermediary.store.errors import Ambiguous, NotFound
from intermediary.store.holds import held_by
from intermediary.store.post_box import FETCHED
from intermediary.store.precedence import MOST_COUNTED, Standing
from intermediary.store.records import NachrichtRecord, Place, ZustellungRecord
from intermediary.store.steps import StepRecord
from intermediary.store.store import Store

_N, _Z = NachrichtState, ZustellungState
_ALL = 2**31 - 1


def row(nachricht: NachrichtRecord) -> dict[str, Any]:
    """One line of `list`, JSON-ready."""
    return {
        "id": nachricht.id,
        "mandant": nachricht.mandant,
        "channel": nachricht.channel,
        "state": nachricht.state.value,
        "code": nachricht.code or nachricht.wait_reason,
        "route": nachricht.route,
        "receivedAt": _iso(nachricht.received_at),
        "dueAt": _iso(nachricht.due_at),
        "length": nachricht.body_length,
        "payload": nachricht.payload,
        "heldSince": _iso(nachricht.held_since),
    }


def state_line(store: Store, line: Any, *, with_message_id: bool) -> dict[str, Any]:
    """One line of `state --all --json`: stable, read by checkers (DESIGN §5)."""
    result: dict[str, Any] = {"id": line.id, "state": line.state.value, "code": line.code}
    if with_message_id:
        result["messageId"] = _message_id(store, line.id)
    result["zustellungen"] = [
        {"target": target, "key": key, "state": state.value} for target, key, state in line.zustellungen
    ]
    return result


def detail(store: Store, nachricht_id: str) -> dict[str, Any]:
    """Everything about one Nachricht but its content: facts, pins, Zustellungen with proof, audit chain."""
    nachricht = store.get(nachricht_id)
    steps = store.steps.of(nachricht_id)
    return {
        **row(nachricht),
        "messageId": _message_id(store, nachricht_id),
        "contentType": nachricht.content_type,
        "direction": nachricht.direction,
        "verdict": nachricht.verdict,
        "verdictCode": nachricht.verdict_code,
        "attempts": nachricht.attempts,
        "revision": nachricht.revision,
        "heldWithAll": held_by(replace(nachricht, held_since=None), store.retention.holds.standing()),
        "bodySha256": nachricht.body_sha256,
        "pins": dict(nachricht.pins),
        "plan": dict(nachricht.plan),
        "vorgang": _order(store.order.standing(nachricht_id)),
        "zustellungen": [_zustellung(z, steps) for z in store.zustellungen(nachricht_id)],
        "events": [
            {"seq": e.seq, "at": _iso(e.at), "event": e.name, "actor": e.actor, "fields": dict(e.fields)}
            for e in (entry.event for entry in store.events(nachricht_id))
        ],
    }


def find(store: Store, text: str, mandanten: tuple[str, ...]) -> Iterator[NachrichtRecord]:
    """Search by our id or its beginning, the sender's id, a LeikaId or business key (exact), a state or a code."""
    seen: set[str] = set()

    def fresh(nachricht: NachrichtRecord) -> bool:
        return nachricht.id not in seen and not seen.add(nachricht.id)  # type: ignore[func-returns-value]

    for mandant in mandanten:
        yield from filter(fresh, store.find_by_message_id(mandant, text))
    too_little = None
    try:
        yield from filter(fresh, (store.get(store.resolve(text)),))
    except NotFound:
        pass
    except Ambiguous as many:  # it may still be somebody's own id
        too_little = many
    yield from filter(fresh, store.find(search_key=text))
    if text in CATALOGUE:
        yield from filter(fresh, store.find(code=text))
    if text in {state.value for state in _N}:
        yield from filter(fresh, store.find(state=_N(text)))
    if too_little is not None and not seen:
        raise too_little


def is_word(text: str) -> bool:
    """Whether a search is for one of our own words, a state or a code, and so for nobody in particular."""
    return text in CATALOGUE or text in {state.value for state in _N}


def note_search(store: Store, found: int, *, actor: str, reason: str, now: datetime) -> None:
    """Write down that somebody searched for an identifier, before the result is shown; not which (DSGVO Art. 15)."""
    store.record_of_installation("person.searched", now=now, actor=actor, fields={"found": found, "reason": reason})


def note_selection(store: Store, selection: Selection, *, actor: str, reason: str, now: datetime) -> None:
    """Write down that somebody selects by an identifier (`key=`), before a verb shows or does anything with it."""
    if selection.key is None:
        return
    if selection.ids:
        found = sum(1 for _ in selection.of(store))
    else:
        found = store.jobs.count(selection.chosen(store), most=selection.limit or _ALL)
    note_search(store, found, actor=actor, reason=reason, now=now)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a Nachricht stands where it stands, in German: a headline and lines of text."""

    headline: str
    lines: tuple[str, ...]


def explain(
    nachricht: NachrichtRecord,
    zustellungen: tuple[ZustellungRecord, ...],
    now: datetime,
    standing: Standing | None = None,
    steps: Sequence[StepRecord] = (),
) -> Explanation:
    """What happened, what it waits for, who can help and how; pure. The commands are in `operations/explained.py`."""
    lines: list[str] = []
    code = nachricht.code or nachricht.verdict_code or nachricht.wait_reason
    if code:
        lines += _about(code)
    for z in zustellungen:
        lines += _about_zustellung(z, code, now)
        lines += _about_steps([one for one in steps if one.key == z.key], z)
    lines += _about_order(standing)
    if nachricht.payload == "erased":
        lines.append("Der Inhalt ist gelöscht (wann und warum: show); Tatsachen, Nachweise und Protokoll bleiben.")
    elif nachricht.held_since is not None:
        lines.append(f"Vor dem Löschen gesperrt seit {_local(nachricht.held_since)}.")
    findings = nachricht.plan.get("findings", [])
    if findings:
        lines.append(f"Befunde ({len(findings)}):")
        lines += [f"  {line}" for finding in findings for line in about_finding(finding)]
    lines += about_remarks(nachricht.plan.get("remarks", {}))
    is_waiting = nachricht.state is not _N.PARKED and nachricht.wait_reason not in DEADLINES
    is_told = any(z.due_at == nachricht.due_at for z in zustellungen)
    if is_waiting and not is_told and nachricht.due_at is not None and nachricht.due_at > now:
        lines.append(f"Nächster Versuch: {_local(nachricht.due_at)}.")
    return Explanation(_headline(nachricht.state, zustellungen), tuple(lines))


def _headline(state: NachrichtState, zustellungen: Sequence[ZustellungRecord]) -> str:
    """What the state says, and of what goes on beside it what a person has to know first."""
    needs_person = any(_needs_person(z) for z in zustellungen)
    if state is _N.PLANNED and needs_person:
        return "Geöffnet, geprüft und umgesetzt; eine Zustellung wartet auf eine Entscheidung."
    if state is _N.COMPLETED and needs_person:
        return "Zugestellt und quittiert; eine weitere Zustellung wartet auf eine Entscheidung."
    if state is _N.COMPLETED and refused_again(zustellungen):
        return "Zugestellt und quittiert; eine erneute Zustellung hat das Ziel abgelehnt."
    if state is _N.COMPLETED and any(z.state not in VERDICTS for z in zustellungen):
        return "Zugestellt und quittiert; eine weitere Zustellung ist noch offen."
    return _HEADLINES[state]


def about_finding(finding: Mapping[str, Any]) -> tuple[str, str]:
    """One Befund in two lines: where, then what."""
    line = f" (Zeile {finding['line']})" if finding.get("line") else ""
    code = CATALOGUE.get(finding.get("code", ""))
    what = finding.get("hint") or (code.meaning if code else finding.get("code", ""))
    rule = f" [{finding['rule']}]" if finding.get("rule") and not finding.get("hint") else ""
    return f"- {finding.get('path') or '/'}{line}", f"  {what}{rule}"


def about_remarks(remarks: Mapping[str, Any]) -> Iterator[str]:
    """What rules remarked without refusing, and what of an output nobody checked; lines of text."""
    if remarks.get("not_checked"):
        yield "Die Ausgabe ist NICHT vollständig geprüft; nur eine Route der Stufe test lässt das zu:"
        yield from (f"  - {line}" for line in remarks["not_checked"])
    for name, of_what in (("warnings", "zum Antrag"), ("output_warnings", "zur Ausgabe")):
        found = remarks.get(name, [])
        if found:
            yield f"Hinweise von Regeln {of_what} ({len(found)}), die nichts verhindern:"
            yield from (f"  {line}" for one in found for line in about_finding(one))


_HEADLINES = {
    _N.RECEIVED: "Angenommen und gesichert, noch nicht beurteilt.",
    _N.PLANNED: "Geöffnet, geprüft und umgesetzt; die Zustellung läuft.",
    _N.ANSWERING: "Das Ergebnis steht fest; die Quittung an den Sender steht noch aus.",
    _N.COMPLETED: "Zugestellt und quittiert.",
    _N.REJECTED: "Abgelehnt; der Sender hat eine negative Quittung.",
    _N.DISCARDED: "Von einer Person verworfen.",
    _N.PARKED: "Geparkt: wartet auf eine Entscheidung.",
}

_ZUSTELLUNG = {
    _Z.DUE: "steht an",
    _Z.INTENDED: "ist gerade unterwegs",
    _Z.DELIVERED: "ist angekommen",
    _Z.REFUSED: "wurde vom Ziel abgelehnt",
    _Z.UNCLEAR: "ist ungewiss: sie kann angekommen sein",
    _Z.AWAITING: "ist übergeben; die Bestätigung des Ziels steht aus",
    _Z.PARKED: "ist geparkt",
}

_WAITS = "Sie wartet auf das Ziel {} und geht von selbst weiter (intermediary targets list)."
_RETURNS = "Das Ziel {} nimmt wieder an: Was wartet, geht nach und nach von selbst dorthin."


def _about(code: str) -> list[str]:
    entry = CATALOGUE.get(code)
    if entry is None:
        return [code]
    return [f"{code}: {entry.meaning}", f"Es hilft: {HEALERS[entry.healer]}. {entry.remedy}"]


def _about_zustellung(z: ZustellungRecord, told: str, now: datetime) -> Iterator[str]:
    """One Zustellung; `told` is the code that was explained already."""
    kind = " (erneut)" if z.redelivery else "" if z.required else " (freiwillig)"
    times = f" nach {z.attempts} {'Versuch' if z.attempts == 1 else 'Versuchen'}" if z.attempts else ""
    yield f"Zustellung an {z.target}{kind} {_ZUSTELLUNG[z.state]}{times}."
    if z.code == GIVEN_UP:
        yield "  Eine Person hat entschieden, dass es dabei bleibt."
    elif is_refused_again(z):
        yield from (f"  {line}" for line in _about(REFUSED_AGAIN) if told != REFUSED_AGAIN)
    elif z.code and z.state is not _Z.DELIVERED and z.code != told:
        yield from (f"  {line}" for line in _about(z.code))
    if z.code and z.code not in DEADLINES and z.state not in VERDICTS and z.proof.get("where"):
        yield f"  Fundort: {z.proof['where']}"
    if waits_for_target(z):
        yield f"  {_WAITS if z.code else _RETURNS}".format(z.waits_for)
    elif not _needs_person(z) and z.due_at is not None and z.due_at > now and POST_BOX not in z.correlation:
        yield f"  Nächster Blick: {_local(z.due_at)}."
    if z.state is _Z.AWAITING:
        yield from _about_confirmation(z)


def _about_confirmation(z: ZustellungRecord) -> Iterator[str]:
    """Who has to confirm it, and until when nobody is asked."""
    if POST_BOX in z.correlation:
        fetched = z.correlation.get(FETCHED)
        how_far = "abgeholt hat der Leser sie noch nicht"
        if fetched:
            how_far = f"abgeholt am {_local(datetime.fromisoformat(fetched))}, aber noch nicht bestätigt"
        yield f"  Sie liegt im Postfach von {z.correlation[POST_BOX]}; {how_far}."
    if z.until is not None:
        yield f"  Bleibt die Bestätigung bis {_local(z.until)} aus, wartet sie auf einen Menschen."


def _about_steps(steps: Sequence[StepRecord], z: ZustellungRecord) -> Iterator[str]:
    """How far it came at the target, as long as it is not over."""
    if steps and z.state not in VERDICTS:
        last = steps[-1]
        count = f"{len(steps)} Schritte sind" if len(steps) > 1 else "Ein Schritt ist"
        yield f"  {count} am Ziel schon getan, zuletzt {last.step} ({_local(last.done_at)}); weiter geht es danach."


def waits_for_target(z: ZustellungRecord) -> bool:
    """Whether it waits until its target is free, or (without a code) until its turn comes after that."""
    return z.waits_for != "" and z.state in (_Z.DUE, _Z.UNCLEAR) and (z.code in DEADLINES or not z.code)


def _needs_person(z: ZustellungRecord) -> bool:
    return z.state is _Z.PARKED or (z.state is _Z.UNCLEAR and z.due_at is None)


def _about_order(standing: Standing | None) -> Iterator[str]:
    """Where it stands in its Vorgang, as far as anybody waits there."""
    if standing is None:
        return
    for target, earlier in standing.waits_for.items():
        yield f"An {target} wartet sie als Nr. {standing.number} ihres Vorgangs auf die frühere Nachricht {earlier}."
    if standing.behind == 1:
        yield "Eine spätere Nachricht ihres Vorgangs wartet auf sie."
    elif standing.behind:
        most = "Mindestens " if standing.behind == MOST_COUNTED else ""
        yield f"{most}{standing.behind} spätere Nachrichten ihres Vorgangs warten auf sie."
    if standing.place is Place.PASSED:
        yield "Spätere Nachrichten ihres Vorgangs warten nicht auf sie: so hat es eine Person entschieden."


def _order(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {"number": standing.number, "waitsFor": dict(standing.waits_for), "behind": standing.behind}


def _zustellung(z: ZustellungRecord, steps: Sequence[StepRecord]) -> dict[str, Any]:
    return {
        "target": z.target,
        "key": z.key,
        "required": z.required,
        "state": z.state.value,
        "code": z.code,
        "waitsFor": z.waits_for,
        "attempts": z.attempts,
        "dueAt": _iso(z.due_at),
        "postBox": z.correlation.get(POST_BOX, ""),
        "fetchedAt": z.correlation.get(FETCHED),
        "confirmedUntil": _iso(z.until) if z.state is _Z.AWAITING else None,
        "intendedAt": _iso(z.intended_at),
        "outputSha256": z.output_sha256,
        "redelivery": z.redelivery,
        "redelivers": z.redelivers,
        "reason": z.reason,
        "proof": dict(z.proof),
        "steps": [
            {"step": one.step, "attempt": one.attempt, "doneAt": _iso(one.done_at), "facts": dict(one.facts)}
            for one in steps
            if one.key == z.key
        ],
    }


def _message_id(store: Store, nachricht_id: str) -> str | None:
    """The sender's id, opened for the one who asks; None once the payload is erased or its key is out of reach."""
    try:
        return store.headers(nachricht_id).message_id
    except Fault:
        return None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%d.%m.%Y %H:%M:%S")
