"""The way back of an endpoint that has no other: its own responses, for as long as they tell the verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping

_AFTER_THE_RESPONSE = frozenset({"target.refused", "person.rejected"})


class ToldInResponse:
    """Implements `receipt.Answers`: hands nothing over, because the one who delivered was told, or is when it repeats.

    A verdict that came after the response (a target refused, a person rejected) reaches nobody; the proof says so.
    """

    def answer(
        self, quittung: bytes, *, quittung_id: str, message_id: str, correlation_id: str, reply_to: str
    ) -> Mapping[str, str]:
        if json.loads(quittung).get("code") in _AFTER_THE_RESPONSE:
            return {"sent": "no way back configured"}
        return {"sent": "in the response to the delivery"}

    def probe(self) -> None:
        """Nothing can be wrong with it that the door would not say itself."""
