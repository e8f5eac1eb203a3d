"""What one message is judged under: keys, policy, moment of receipt, and the partners it may come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.keys.entries import Purpose
from intermediary.keys.partners import Partner, Partners
from intermediary.keys.ring import Keyring
from intermediary.unseal import trust
from intermediary.unseal.policy import Policy, profile
from intermediary.unseal.trust import Hints, Trust


@dataclass(frozen=True, slots=True)
class Circle:
    """Who may hand in: the partner directory, and the partner whose channel a message came through, if it has one."""

    partners: Partners = field(default_factory=Partners)
    channel: Partner | None = None


NOBODY = Circle()


@dataclass(frozen=True, slots=True)
class Circles:
    """The circle of every channel: the directory, and the partners of the channels that belong to one."""

    partners: Partners = field(default_factory=Partners)
    channels: Mapping[str, Partner] = field(default_factory=dict)

    def of(self, channel: str) -> Circle:
        """Who may hand in through this channel; one that is gone from the configuration belongs to no partner."""
        return Circle(self.partners, self.channels.get(channel))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The arguments of a judgement; `proven` is the partner whose transport signature was verified.

    An exception never applies by a claim. Which one does, depends on the layer:

    - opening the envelope: that of the channel's partner, whom the operator named, for nobody has proven anything yet;
    - a transport signature: that of the partner who lists exactly the signer's certificate;
    - content, its keys and signatures: that of the partner whose transport signature held.
    """

    keyring: Keyring
    policy: Policy
    at: datetime
    circle: Circle = NOBODY
    proven: Partner | None = None

    def envelope_policy(self) -> Policy:
        """What holds for the transport encryption, before any key is used."""
        return self._policy_of(self.circle.channel)

    def transport_policy(self, signer: x509.Certificate | None) -> Policy:
        """What holds for the transport signature of this signer."""
        return self._policy_of(None if signer is None else self._listed(signer))

    def content_policy(self) -> Policy:
        """What holds for the content."""
        return self._policy_of(self.proven)

    def proven_by(self, signer: x509.Certificate, standing: Trust) -> Circumstances:
        """The same, after a transport signature by this certificate has held over the whole message."""
        return self if standing.code == "signature.revoked" else replace(self, proven=self._listed(signer))

    def judge(self, signer: x509.Certificate, purpose: Purpose, hints: Hints = tuple, *, signs: bool = True) -> Trust:
        """Whether the signer of this layer is trusted, by the anchors of the keyring and of the partners concerned."""
        concerned = self._concerned(signer)
        modes = [partner.revocation for partner in concerned if partner.revocation is not None]
        revocation = self.keyring.revocation
        return trust.judge(
            signer,
            anchors=(
                *self.keyring.anchors(purpose),
                *(one for partner in concerned for one in partner.anchors(purpose)),
            ),
            between=(*self.keyring.intermediates, *(one for partner in concerned for one in partner.intermediates)),
            hints=hints,
            at=self.at,
            signs=signs,
            revocation=replace(revocation, mode=modes[0]) if modes else revocation,
        )

    def partner_of(self, signer: x509.Certificate) -> str:
        """The Behoerdenkennung of the partner who lists exactly this certificate; empty if nobody does."""
        partner = self._listed(signer)
        return partner.kennung if partner else ""

    def _listed(self, signer: x509.Certificate) -> Partner | None:
        """The partner who lists exactly this certificate, while it is valid."""
        partner = self.circle.partners.by_signature(_der(signer))
        if partner is None or not signer.not_valid_before_utc <= self.at <= signer.not_valid_after_utc:
            return None
        return partner

    def _concerned(self, signer: x509.Certificate) -> tuple[Partner, ...]:
        """Whose anchors count: who lists the signer, whose transport signature held, whose channel it is."""
        candidates = (self._listed(signer), self.proven, self.circle.channel)
        return tuple(dict.fromkeys(partner for partner in candidates if partner is not None))

    def _policy_of(self, partner: Partner | None) -> Policy:
        if partner is None or partner.policy is None:
            return self.policy
        exception = profile(partner.policy, until=partner.policy_until, partner=partner.kennung)
        return self.policy.for_partner(exception, self.at)


@lru_cache(maxsize=1024)
def _der(certificate: x509.Certificate) -> bytes:
    """Made anew by the library each time it is asked for."""
    return certificate.public_bytes(Encoding.DER)
