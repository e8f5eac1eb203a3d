"""Answers the sender: builds the Quittung and hands it to the channel's way back, after the verdict is committed.

The Quittung is versioned JSON with codes and element paths, never content; `docs/reference/quittung.md` describes it.
Handing it over may happen twice (at least once): it is the same each time, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from intermediary.core.codes import CATALOGUE
from intermediary.core.ids import derived_id
from intermediary.core.states import NachrichtState
from intermediary.store.records import Claim, Headers, NachrichtRecord
from intermediary.store.store import Store

QUITTUNG_VERSION = 1


class Answers(Protocol):
    """The way back of one channel; returns what proves the handing over. Raises `Transient` or `Misconfigured`."""

    def answer(
        self, quittung: bytes, *, quittung_id: str, message_id: str, correlation_id: str, reply_to: str
    ) -> Mapping[str, str]: ...

    def probe(self) -> None:
        """Raise the fault that an answer would meet now, without sending one."""
        ...


def quittung(nachricht: NachrichtRecord, headers: Headers, decided_at: datetime) -> dict[str, Any]:
    """The Quittung of a decided Nachricht (state `answering`), as a JSON object."""
    body: dict[str, Any] = {
        "version": QUITTUNG_VERSION,
        "quittungId": quittung_id(nachricht),
        "nachrichtId": nachricht.id,
        "messageId": headers.message_id,
        "mandant": nachricht.mandant,
        "status": nachricht.verdict,
        "receivedAt": _iso(nachricht.received_at),
        "decidedAt": _iso(decided_at),
    }
    if headers.correlation_id:
        body["correlationId"] = headers.correlation_id
    if nachricht.verdict_code:
        body["code"] = nachricht.verdict_code
        body["meaning"] = CATALOGUE[nachricht.verdict_code].meaning
        body["findings"] = nachricht.plan.get("findings", [])
    return body


def quittung_id(nachricht: NachrichtRecord) -> str:
    """The id by which a receiver recognises a Quittung that was handed over twice."""
    return derived_id(nachricht.id, f"quittung/{nachricht.revision}")


def judged_quittung(nachricht: NachrichtRecord, message_id: str) -> bytes:
    """What a door says of a judged Nachricht in its response: as the Quittung, with the status `judged` while targets
    decide. Equal each time it is asked for; the later Quittung has an id of its own.
    """
    body = quittung(nachricht, Headers(message_id), nachricht.received_at) | {
        "quittungId": derived_id(nachricht.id, f"judged/{nachricht.revision}"),
        "status": "judged" if nachricht.route else "rejected",
    }
    for name in ("decidedAt", *(("code", "meaning", "findings") if nachricht.route else ())):
        body.pop(name, None)
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def decided_quittung(nachricht: NachrichtRecord, message_id: str) -> bytes:
    """The Quittung of a decided Nachricht, for a door that tells it when it is asked (XTA's transport report)."""
    body = quittung(nachricht, Headers(message_id), nachricht.state_since or nachricht.received_at)
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


class Receipts:
    """Sends Quittungen; one per worker process.

    `answers` gives the way back of a channel, or None where the channel has none: then there is nothing to send and the
    Nachricht is final at once.
    """

    def __init__(self, store: Store, answers: Callable[[str], Answers | None]) -> None:
        self._store = store
        self._answers = answers

    def answer(self, claim: Claim, headers_of: Callable[[], Headers], now: datetime) -> Claim:
        """Send the Quittung and commit that it was sent; faults are the worker's to decide."""
        nachricht = claim.nachricht
        way = self._answers(nachricht.channel)
        proof: Mapping[str, str] = {"sent": "no way back configured"}
        if way is not None:
            headers = headers_of()
            body = json.dumps(quittung(nachricht, headers, nachricht.state_since or now), ensure_ascii=False, indent=1)
            proof = way.answer(
                body.encode(),
                quittung_id=quittung_id(nachricht),
                message_id=headers.message_id,
                correlation_id=headers.correlation_id,
                reply_to=headers.reply_to,
            )
        state = NachrichtState.COMPLETED if nachricht.verdict == "accepted" else NachrichtState.REJECTED
        return self._store.answered(claim, state=state, proof=dict(proof), now=now)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
