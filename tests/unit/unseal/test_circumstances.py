"""Exceptions and anchors of partners: they hold for who has proven to be one, layer by layer, until their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from intermediary.core.values import MemoryContent, Opened
from intermediary.keys import private
from intermediary.keys.entries import Anchor
from intermediary.keys.identity import HeldKey
from intermediary.keys.material import Crl, Material, Revocation
from intermediary.keys.partners import Partner, Partners
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.osci.write import Cipher, Letter, Random, SignatureMethod, seal
from intermediary.osci.write.algorithms import KeyTransport, Symmetric
from intermediary.osci.write.letter import Identity
from intermediary.testing.authority import root
from intermediary.testing.pki import Pki
from intermediary.unseal import NotOpened, profile, unseal
from intermediary.unseal.circumstances import NOBODY, Circle, Circles
from intermediary.unseal.formats import OSCI_TYPE
from tests.unit.unseal.conftest import NOW
from tests.vectors.cases import OWN_KEYS, PASSWORD, Case

OWN = ("recipient-cipher", "reader-cipher")
KENNUNG = "ags:05513000"
UNTIL = NOW + timedelta(days=100)
OLD = Cipher(Symmetric.AES256_CBC, key_transport=KeyTransport.RSA_1_5)
LABEL = f"legacy@1 for {KENNUNG} until {UNTIL.date().isoformat()}"


def partner(
    *signers: x509.Certificate,
    policy: str | None = "legacy",
    until: datetime | None = UNTIL,
    trust: tuple[Anchor, ...] = (),
) -> Partner:
    """Somebody with an exception."""
    return Partner(
        kennung=KENNUNG, name="Alt", signature=signers, policy=policy, policy_until=until, reason="alt", trust=trust
    )


def listed(one: Partner) -> Circle:
    """In the directory, on a channel of nobody."""
    return Circle(Partners([one]))


def on_channel(one: Partner) -> Circle:
    """In the directory, and whoever hands in here is this partner."""
    return Circle(Partners([one]), one)


class Post:
    """Seals letters and opens them."""

    def __init__(self, letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> None:
        self.letter, self.pki, self.keyring, self.randomness = letter, pki, keyring, randomness
        self.parties = pki.parties
        self.keys = [DecryptionKey(pki.members[name].private, pki.members[name].certificate) for name in OWN]

    def open(
        self,
        circle: Circle = NOBODY,
        *,
        policy: str = "osci",
        at: datetime = NOW,
        keyring: Keyring | None = None,
        **changes: Any,
    ) -> Opened:
        letter = replace(self.letter, **changes)
        message = MemoryContent(seal(letter, parties=self.parties, random=self.randomness, now=NOW))
        ring = keyring or self.keyring
        return unseal(message, content_type=OSCI_TYPE, keyring=ring, policy=profile(policy), at=at, circle=circle)

    def refused(self, circle: Circle = NOBODY, **changes: Any) -> NotOpened:
        with pytest.raises(NotOpened) as refusal:
            self.open(circle, **changes)
        return refusal.value

    @property
    def sender(self) -> x509.Certificate:
        return self.pki.members["intermediary-signature"].certificate


@pytest.fixture
def post(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random) -> Post:
    """The usual letter between the usual people."""
    return Post(letter, pki, keyring, randomness)


def test_content_for_who_has_signed_the_transport(post: Post) -> None:
    """Old content opens for the partner whose transport signature held, and the exception stands in the result."""
    opened = post.open(listed(partner(post.sender)), content_cipher=OLD, attachment_cipher=OLD)

    assert tuple(part.content.read() for part in opened.contents) == post.letter.contents
    assert (opened.policy, opened.signatures[0].partner) == (LABEL, KENNUNG)
    assert post.refused(content_cipher=OLD).code == "policy.algorithm"


def test_no_exception_by_a_claim(post: Post) -> None:
    """Neither the channel, nor a certificate in another role, nor a missing signature opens old content."""
    author = post.pki.members["author-signature"].certificate
    somebody = partner(post.pki.members["originator-signature"].certificate)
    circles = (on_channel(partner()), listed(partner(author)), listed(somebody))

    assert {post.refused(one, content_cipher=OLD).code for one in circles} == {"policy.algorithm"}
    unsigned = post.refused(on_channel(partner(post.sender)), content_cipher=OLD, transport_signature=None)
    assert unsigned.code == "policy.algorithm"


def test_the_envelope_by_the_channel_alone(post: Post) -> None:
    """Nobody has proven anything before the envelope is open: only the operator's word on the channel counts."""
    refusal = post.refused(listed(partner(post.sender)), transport_cipher=OLD)

    assert (refusal.code, refusal.osci_code) == ("policy.algorithm", "9202")
    assert refusal.known is not None
    assert refusal.known.policy == "osci@1"
    assert post.open(on_channel(partner()), transport_cipher=OLD).policy == LABEL


def test_a_transport_signature_by_its_exact_certificate(post: Post) -> None:
    """A weaker signature is accepted from the very certificate a partner lists; the channel does not matter."""
    wide = {"policy": "osci", "until": None}

    assert post.refused(policy="strict", transport_cipher=None).code == "policy.algorithm"
    refused = post.refused(on_channel(partner(**wide)), policy="strict", transport_cipher=None)
    assert refused.code == "policy.algorithm"
    opened = post.open(listed(partner(post.sender, **wide)), policy="strict")
    assert opened.policy == f"osci@1 for {KENNUNG}"


@pytest.mark.parametrize(
    ("layer", "changes"),
    [("transport", {"transport_cipher": OLD}), ("content", {"content_cipher": OLD})],
)
def test_the_end_of_an_exception(post: Post, layer: str, changes: dict[str, Cipher]) -> None:
    """From its end on the exception is refused by itself, naming partner and date; what is current goes on."""
    circle = on_channel(partner(post.sender))
    before, after = UNTIL - timedelta(seconds=1), UNTIL
    refusal = post.refused(circle, at=after, **changes)

    assert post.open(circle, at=before, **changes).policy == LABEL
    assert (refusal.code, refusal.where) == ("policy.expired", f"{layer}, {LABEL.removeprefix('legacy@1 for ')}")
    assert [(one.code, KENNUNG in one.hint) for one in refusal.findings] == [("policy.expired", True)]
    assert post.open(circle, at=after).policy == "osci@1"


def test_an_exception_may_be_narrower(post: Post) -> None:
    """A partner's profile replaces the Mandant's, also where it accepts less."""
    refusal = post.refused(listed(partner(post.sender, policy="strict", until=None)))

    assert refusal.code == "policy.algorithm"


def test_a_partner_without_a_policy(post: Post) -> None:
    """Who is only listed is judged as everybody, and recognised all the same."""
    opened = post.open(on_channel(partner(post.sender, policy=None, until=None)))

    assert (opened.policy, opened.signatures[0].partner) == ("osci@1", KENNUNG)


def test_a_listed_certificate_that_is_over(post: Post, pki: Pki) -> None:
    """A certificate that is out of its validity proves nobody to be a partner."""
    late = pki.ca.not_valid_after_utc + timedelta(days=1)

    assert (
        post.refused(listed(partner(post.sender, until=None)), at=late, content_cipher=OLD).code == "policy.algorithm"
    )


def test_a_listed_certificate_that_is_revoked(post: Post) -> None:
    """Neither does one that was revoked before the receipt; from the receipt on it is too late to change anything."""
    day = timedelta(days=1)
    ca = root("Wurzel", start=NOW - 9 * day, end=NOW + 9 * day)
    signer = ca.issue("Unterzeichner", start=NOW - day, end=NOW + day)
    post.parties = replace(
        post.parties, intermediary_signature=Identity(signer.certificate, HeldKey(signer.key, signer.certificate))
    )
    anchors = (Anchor(ca.certificate, frozenset({"transport"})),)

    def keyring(since: datetime) -> Keyring:
        data = ca.crl({signer.certificate: since}, made=NOW - timedelta(minutes=1), until=NOW + day)
        material = Material([Crl("list", "00", x509.load_der_x509_crl(data))])
        return Keyring(post.keys, revocation=Revocation("hard", day, material))

    circle = listed(partner(signer.certificate, trust=anchors))
    changes = {"content_cipher": OLD, "transport_signature": SignatureMethod.ECDSA_SHA256}
    later = post.open(circle, keyring=keyring(NOW + timedelta(hours=1)), **changes)

    assert (later.policy, later.signatures[0].reason) == (LABEL, "signature.revoked-later")
    assert post.refused(circle, keyring=keyring(NOW - timedelta(hours=1)), **changes).code == "policy.algorithm"


def test_anchors_of_a_partner(post: Post, pki: Pki) -> None:
    """A partner's anchors count for their signatures of that layer only, beside those of the keyring."""
    bare = Keyring(post.keys)
    for purpose, trusted in (("transport", [True, None]), ("content", [None, True])):
        anchor = Anchor(pki.ca, frozenset({purpose}))
        opened = post.open(on_channel(partner(trust=(anchor,))), keyring=bare)

        assert [fact.trusted for fact in opened.signatures] == trusted

    by_signature = listed(partner(post.sender, trust=(Anchor(pki.ca, frozenset({"content"})),)))
    assert [fact.trusted for fact in post.open(by_signature, keyring=bare).signatures] == [None, True]
    stranger = partner(pki.members["originator-cipher"].certificate, trust=(Anchor(pki.ca, frozenset({"content"})),))
    assert [fact.trusted for fact in post.open(listed(stranger), keyring=bare).signatures] == [None, None]


def test_revocation_by_keyring_and_partner(post: Post, pki: Pki) -> None:
    """The keyring's mode holds for everybody, a partner's own for theirs; going on in spite of it is a finding."""
    anchor = Anchor(pki.ca, frozenset({"transport", "content"}))
    soft, hard = (Keyring(post.keys, [anchor], revocation=Revocation(mode)) for mode in ("soft", "hard"))
    relaxed = replace(partner(post.sender, policy=None, until=None), revocation="off")

    assert [(f.trusted, f.reason) for f in post.open(keyring=hard).signatures] == [
        (None, "signature.undetermined"),
        (None, "signature.undetermined"),
    ]
    opened = post.open(keyring=soft)
    assert [(f.trusted, f.reason) for f in opened.signatures] == [(True, "signature.revocation-unknown")] * 2
    assert [one.code for one in opened.findings] == ["signature.revocation-unknown"] * 2
    assert [f.trusted for f in post.open(listed(relaxed), keyring=hard).signatures] == [True, True]


def test_weak_signatures_of_an_exception_meet_no_demand(shared: Path) -> None:
    """SHA-1 verifies for the partner whose exception names it, is reported as weak, and counts for nothing."""
    case = Case("positive", "accept-19-weak-sha1", shared / "vectors" / "osci")
    keys = case.folder / "keys"
    signer = x509.load_pem_x509_certificate((keys / "intermediary-signature.cert.pem").read_bytes())
    circle = listed(partner(signer))

    def opened(given: Circle, *require: str) -> Opened:
        ring = Keyring([private.from_p12(keys / f"{name}.p12", PASSWORD, name) for name in OWN_KEYS], require=require)
        content = MemoryContent(case.message)
        return unseal(content, content_type=OSCI_TYPE, keyring=ring, policy=profile("osci"), at=NOW, circle=given)

    assert {fact.weak for fact in opened(circle).signatures} == {True}
    assert opened(circle).policy == LABEL
    for given, require in ((NOBODY, ()), (circle, ("transport-signature",))):
        with pytest.raises(NotOpened) as refusal:
            opened(given, *require)
        assert refusal.value.code == ("osci.transport-signature.missing" if require else "policy.algorithm")


def test_the_circle_of_a_channel() -> None:
    """A channel belongs to its partner; any other, and one that is gone, to nobody, with the same directory."""
    one = partner()
    circles = Circles(Partners([one]), {"alt": one})

    assert circles.of("alt").channel is one
    assert circles.of("neu").channel is None
    assert KENNUNG in circles.of("neu").partners
