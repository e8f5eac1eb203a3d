"""Decides whether a campaign broke a promise, from what was written down outside of the product and what it says of itself.

It reads what was given and taken, the sink's journal, `state --all --json`, `audit export` and `audit verify`. It knows
nothing of the faults that were made, so no fault excuses anything. One excuse there is: at a target of kind `none` an
ambiguous attempt waits for a person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FINAL = frozenset({"completed", "rejected", "discarded"})
_AMBIGUOUS = "delivery.unclear"


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that was not kept: which, and for whom."""

    kind: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the checker looks at.

    `given` and `sink` are journal lines; `taken` ids that a door or broker has confirmed; `states` and `events` lines of the
    CLI; `quittungen` pairs of id and status; `corrupted` Nachrichten whose payload was damaged on purpose.
    """

    given: Sequence[Mapping[str, Any]]
    taken: frozenset[str]
    sink: Sequence[Mapping[str, Any]]
    states: Sequence[Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]
    quittungen: Sequence[tuple[str, str]]
    verify: str = ""
    ended: Sequence[int] = ()
    stop_status: int = 0
    is_settled: bool = True
    corrupted: frozenset[str] = frozenset()
    chains: Mapping[str, list[Mapping[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        chains: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for line in self.events:
            chains[line["event"]["chain"]].append(line["event"])
        object.__setattr__(self, "chains", chains)


def check(evidence: Evidence) -> list[Finding]:
    """Every promise that was broken; empty when all were kept."""
    rules = (_intake, _ends, _effects, _order, _audit, _quittungen, _daemon)
    return [finding for rule in rules for finding in rule(evidence)]


def _intake(evidence: Evidence) -> Iterator[Finding]:
    """G1, G2, G13: what was taken is there once; what is there was given."""
    found = Counter(line["messageId"] for line in evidence.states)
    given = {line["id"] for line in evidence.given}
    for one in sorted(evidence.taken):
        if not found[one]:
            yield Finding("lost", one, "taken, and not in the store")
    for one, count in found.items():
        if one not in given:
            yield Finding("phantom", str(one), "in the store, and nobody gave it")
        elif count > 1:
            yield Finding("twice-taken", str(one), f"{count} Nachrichten")


def _ends(evidence: Evidence) -> Iterator[Finding]:
    """G2, G6: everything is delivered and answered; nothing good is parked or refused."""
    for line in evidence.states:
        own, state, code = line["id"], line["state"], line["code"]
        if own in evidence.corrupted:
            if (state, code) != ("parked", "payload.corrupt"):
                yield Finding("corrupt-unnoticed", own, f"{state} {code}")
            continue
        parked = [one for one in line["zustellungen"] if one["state"] == "parked"]
        is_excused = bool(parked) and all(one["target"] == "none" for one in parked)
        if state == "parked" or (parked and not is_excused):
            yield Finding("parked", own, f"{state} {code}: {_told(line)}")
        elif state == "rejected":
            yield Finding("refused", own, str(code))
        elif state not in FINAL and not is_excused:
            yield Finding("stuck", own, f"{state} {code}: {_told(line)}")
    if not evidence.is_settled:
        yield Finding("not-settled", "campaign", "work was left when the patience was over")


def _effects(evidence: Evidence) -> Iterator[Finding]:
    """G3, G4: one key, the same bytes, one effect; and an effect for everything that is called delivered."""
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    contents: dict[str, set[str]] = defaultdict(set)
    effects: Counter[tuple[str, str]] = Counter()
    for line in evidence.sink:
        if line["what"] in ("arrival", "effect"):
            place = (line["nachricht"], line["target"])
            keys[place].add(line["key"])
            contents[line["key"]].add(line["sha256"])
            effects[place] += line["what"] == "effect"
    for (own, target), used in keys.items():
        if len(used) > 1:
            yield Finding("key-changed", f"{own}/{target}", f"{len(used)} keys")
    for key, hashes in contents.items():
        if len(hashes) > 1:
            yield Finding("bytes-changed", key, f"{len(hashes)} contents under one key")
    for (own, target), count in effects.items():
        if count > 1:
            yield Finding("doubled", f"{own}/{target}", f"{count} effects")
    known = {line["id"] for line in evidence.states}
    for own, target in effects:
        if own in evidence.corrupted:
            yield Finding("corrupt-unnoticed", f"{own}/{target}", "delivered")
        if own not in known:
            yield Finding("phantom-effect", f"{own}/{target}")
    for line in evidence.states:
        for one in line["zustellungen"]:
            if one["state"] == "delivered" and not effects[(line["id"], one["target"])]:
                yield Finding("not-arrived", f"{line['id']}/{one['target']}", "delivered, and no effect at the sink")


def _order(evidence: Evidence) -> Iterator[Finding]:
    """G5: first effects of a Vorgang at a target follow the order of acceptance."""
    vorgaenge = {line["id"]: line["vorgang"] for line in evidence.given if "vorgang" in line}
    ids = {line["id"]: line["messageId"] for line in evidence.states}
    accepted = {
        line["event"]["chain"]: place
        for place, line in enumerate(evidence.events)
        if line["event"]["name"] == "intake.taken"
    }
    reached: dict[tuple[str, str], tuple[int, str]] = {}
    seen: set[tuple[str, str]] = set()
    for line in evidence.sink:
        if line["what"] != "effect" or (line["nachricht"], line["target"]) in seen:
            continue
        own, target = line["nachricht"], line["target"]
        seen.add((own, target))
        vorgang = vorgaenge.get(str(ids.get(own)))
        if vorgang is None or own not in accepted:
            continue
        before = reached.get((vorgang, target))
        if before is not None and before[0] > accepted[own]:
            yield Finding("order-broken", f"{vorgang}/{target}", f"{own} after {before[1]}")
        else:
            reached[(vorgang, target)] = (accepted[own], own)


def _audit(evidence: Evidence) -> Iterator[Finding]:
    """G17: accepted = audit(accepted), effects = audit(delivered); and the trail verifies."""
    if evidence.verify:
        yield Finding("audit-broken", "audit verify", evidence.verify)
    delivered: Counter[tuple[str, str]] = Counter()
    for line in evidence.states:
        events = evidence.chains.get(line["id"], [])
        taken = sum(event["name"] in ("intake.taken", "intake.conflict") for event in events)
        if taken != 1:
            yield Finding("audit-gap", line["id"], f"{taken} events of its acceptance")
        for event in events:
            if event["name"] == "delivery.delivered":
                delivered[(line["id"], event["fields"]["target"])] += 1
    effects = {(line["nachricht"], line["target"]) for line in evidence.sink if line["what"] == "effect"}
    states = {(line["id"], one["target"]): one["state"] for line in evidence.states for one in line["zustellungen"]}
    for (own, target), state in states.items():
        count = delivered[(own, target)]
        if state == "delivered" and count != 1:
            yield Finding("audit-gap", f"{own}/{target}", f"delivered, {count} events of it")
        elif state != "delivered" and count:
            yield Finding("audit-gap", f"{own}/{target}", f"{state}, and an event says delivered")
        elif (own, target) in effects and not count and not (target == "none" and state == "parked"):
            yield Finding("audit-gap", f"{own}/{target}", f"an effect, {state}, and no event of it")


def _quittungen(evidence: Evidence) -> Iterator[Finding]:
    """DESIGN 2.1: an answer for everything completed, none before the verdict, and always the same."""
    told: dict[str, set[str]] = defaultdict(set)
    for own, status in evidence.quittungen:
        told[own].add(status)
    for line in evidence.states:
        status = told.get(line["messageId"], set())
        if line["state"] == "completed" and status != {"accepted"}:
            yield Finding("unanswered", line["id"], f"Quittungen: {sorted(status)}")
        elif line["state"] not in FINAL and status:
            yield Finding("answered-early", line["id"], f"{line['state']}: {sorted(status)}")


def _daemon(evidence: Evidence) -> Iterator[Finding]:
    """The supervisor ends when it is told to, with 0, and otherwise only by our hand."""
    for status in evidence.ended:
        yield Finding("daemon-ended", "supervisor", f"by itself, status {status}")
    if evidence.stop_status:
        yield Finding("not-stopped", "supervisor", f"status {evidence.stop_status} after SIGTERM")


def kinds(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings of each kind."""
    return dict(sorted(Counter(finding.kind for finding in findings).items()))


def _told(line: Mapping[str, Any]) -> str:
    return " ".join(f"{one['target']}={one['state']}" for one in line["zustellungen"])
