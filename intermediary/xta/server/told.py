"""The way back of a server that has no other: whoever sent by XTA asks for the transport report."""

from __future__ import annotations

from collections.abc import Mapping


class ToldInReport:
    """Implements `receipt.Answers`: hands nothing over; the Quittung stands in the report until the payload is erased."""

    def answer(
        self, quittung: bytes, *, quittung_id: str, message_id: str, correlation_id: str, reply_to: str
    ) -> Mapping[str, str]:
        return {"sent": "in the transport report"}

    def probe(self) -> None:
        """Nothing can be wrong with it that the door would not say itself."""
