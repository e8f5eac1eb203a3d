"""The refusal of unseal: a `Rejected` that knows the protocol's code and what was found before it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intermediary.core.faults import Rejected
from intermediary.core.values import Befund, Opened


class NotOpened(Rejected):
    """A sealed message that was refused.

    `osci_code` is what an OSCI door answers, or None where the protocol has no code (content). `known` holds what was
    established before the refusal (message type, signatures, algorithms) and never any content; it is for the
    operator, not for the sender: to the outside every decryption failure is the same (rule R3).
    """

    def __init__(
        self,
        code: str,
        *,
        where: str = "",
        findings: tuple[Befund, ...] = (),
        osci_code: str | None = None,
        known: Opened | None = None,
    ) -> None:
        super().__init__(code, where=where, findings=findings)
        self.osci_code = osci_code
        self.known = known


class Refusal(Rejected):
    """A refusal of what could be opened; `known` is what was established before it, for the record, without content."""

    def __init__(self, cause: Rejected, known: Mapping[str, Any]) -> None:
        super().__init__(cause.code, where=cause.where, findings=cause.findings)
        earlier = cause.known if isinstance(cause, Refusal) else {}
        self.known: Mapping[str, Any] = {**known, **earlier}
