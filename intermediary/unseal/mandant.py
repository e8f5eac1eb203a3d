"""Opens a submission with the keys of its Mandant: what is no fault of the sender waits instead of being refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from intermediary.core.faults import Misconfigured, Rejected, Transient
from intermediary.core.values import Befund, Content, Opened
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal.circumstances import Circle
from intermediary.unseal.formats import unseal
from intermediary.unseal.policy import Policy
from intermediary.unseal.refusal import NotOpened
from intermediary.unseal.require import is_undetermined, missing, reasons

_NO_KEY = ("osci.transport.no-key", "osci.content.no-key", "xta.content.no-key")


@dataclass(frozen=True, slots=True)
class Mandantenschluessel:
    """What one Mandant opens with: its keyring, the crypto policy that applies, and what signatures it demands."""

    name: str
    keyring: Keyring
    policy: Policy

    def open(
        self,
        raw: Content,
        *,
        content_type: str,
        at: datetime,
        circle: Circle,
        spool: Spool | None,
        is_judged: bool = False,
    ) -> Opened:
        """Decrypt and verify (`unseal`), and demand the signatures that the keyring requires.

        What `is_judged` is only opened again, and not asked for its signatures once more. Raises `Misconfigured` for a key
        that is missing, and when it cannot be told whether a signer is trusted: no reason to turn a citizen away. Raises
        `Transient` when the spool's disk is full or away.
        """
        ring = self.keyring.undemanding() if is_judged else self.keyring
        try:
            return unseal(
                raw, content_type=content_type, keyring=ring, policy=self.policy, at=at, spool=spool, circle=circle
            )
        except NotOpened as refusal:
            where = f"mandant {self.name}"
            if refusal.code in _NO_KEY:
                raise Misconfigured("key.reader.missing", where=where) from refusal
            if refusal.code == "signature.undetermined":
                raise Misconfigured(refusal.code, where=where, findings=refusal.findings) from refusal
            raise
        except OSError as failure:
            raise Transient("store.unavailable", where="spool") from failure


def demand_signatures(opened: Opened, require: Collection[str], where: str) -> None:
    """What a route demands beyond the keyring: `route.signature.required`, or `signature.undetermined` (it waits)."""
    lacking = missing(opened, require)
    if not lacking:
        return
    why = reasons(opened.signatures)
    if is_undetermined(opened, require):
        raise Misconfigured("signature.undetermined", where=where, findings=why)
    findings = tuple(Befund(code="route.signature.required", rule=name) for name in lacking)
    raise Rejected("route.signature.required", where=where, findings=findings + why)
