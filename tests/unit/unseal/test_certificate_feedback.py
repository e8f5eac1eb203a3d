"""What an answer says about the certificates of a request (digest §15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from intermediary.keys.material import Crl, Material, Mode, Revocation
from intermediary.keys.ring import Anchor, Keyring
from intermediary.testing.authority import Authority, root
from intermediary.unseal.circumstances import Circumstances
from intermediary.unseal.osci.certificate_feedback import Client, certificate_feedback
from intermediary.unseal.policy import profile

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
START, END = AT - 30 * DAY, AT + 30 * DAY
CA = root("Wurzel", start=START, end=END)
GOOD = CA.issue("Gut", start=START, end=END)
OLD = CA.issue("Alt", start=START, end=AT - DAY)
REVOKED = CA.issue("Gesperrt", start=START, end=END)
STRANGER = root("Fremd", start=START, end=END)


def _forged() -> Authority:
    """Says it is by the authority, which never signed it."""
    builder = x509.CertificateBuilder(CA.certificate.subject, GOOD.certificate.subject, GOOD.key.public_key(), 99)
    builder = builder.not_valid_before(START).not_valid_after(END)
    return Authority(builder.sign(STRANGER.key, hashes.SHA256()), GOOD.key)


FORGED = _forged()


def circumstances(mode: Mode = "hard", *, has_anchor: bool = True, with_list: bool = True) -> Circumstances:
    """The receiver's view: one anchor for everything, one list."""
    listed = x509.load_der_x509_crl(CA.crl({REVOKED.certificate: AT - DAY}, made=AT - DAY, until=AT + DAY))
    material = Material([Crl("list", "00", listed)] if with_list else ())
    anchors = [Anchor(CA.certificate, frozenset({"transport", "content"}))] if has_anchor else []
    keyring = Keyring([], anchors, revocation=Revocation(mode, DAY, material))
    return Circumstances(keyring, profile("osci"), AT)


def feedback(role: str, one: Authority, given: Circumstances | None = None, client: Client = "Intermediary") -> str:
    certificates = {role: (one.certificate.public_bytes(Encoding.DER),)}
    return " ".join(certificate_feedback(certificates, given or circumstances(), client=client))


@pytest.mark.parametrize(
    ("role", "outdated", "forged", "revoked", "unknown"),
    [
        ("CipherCertificateIntermediary", "3500", "9501", "9502", "3501"),
        ("SignatureCertificateIntermediary", "3700", "9700", "9701", "3707"),
        ("SignatureCertificateOtherAuthor", "3701", "3702", "3703", "3707"),
        ("CipherCertificateOtherAuthor", "3704", "9704", "9705", "3707"),
        ("SignatureCertificateOriginator", "3701", "3702", "3703", "3707"),
        ("CipherCertificateAddressee", "3705", "9706", "9707", "3707"),
        ("CipherCertificateOtherReader", "3706", "9708", "9709", "3707"),
        ("SignatureCertificateAddressee", "3708", "9711", "9712", "3707"),
    ],
)
def test_every_role(role: str, outdated: str, forged: str, revoked: str, unknown: str) -> None:
    """Each role has its codes for out of validity, issuer's signature wrong, revoked, and not to be checked."""
    assert [feedback(role, one) for one in (OLD, FORGED, REVOKED, STRANGER)] == [outdated, forged, revoked, unknown]
    assert feedback(role, GOOD) == ""


def test_who_the_client_is() -> None:
    """Towards an intermediary the Originator is the client; towards a passive recipient an author."""
    assert feedback("SignatureCertificateOriginator", REVOKED, client="Originator") == "9701"
    assert feedback("SignatureCertificateOriginator", REVOKED, client="Intermediary") == "3703"
    assert feedback("SignatureCertificateIntermediary", REVOKED, client="Originator") == ""


def test_without_material() -> None:
    """Hard and soft say that the check is incomplete; where nobody looks at revocation nothing is missing."""
    found = [feedback("CipherCertificateOtherReader", GOOD, circumstances(mode, with_list=False)) for mode in MODES]

    assert found == ["3707", "3707", ""]


MODES: tuple[Mode, ...] = ("hard", "soft", "off")


def test_without_anchors() -> None:
    """What nobody wants checked is not told as incomplete; the validity is looked at all the same."""
    given = circumstances(has_anchor=False)

    assert feedback("CipherCertificateOtherReader", GOOD, given) == ""
    assert feedback("CipherCertificateOtherReader", OLD, given) == "3706"


def test_several_at_once() -> None:
    """All codes of a message, ascending, each once; a certificate that cannot be read could not be checked."""
    der = [one.certificate.public_bytes(Encoding.DER) for one in (OLD, REVOKED, OLD)]
    certificates = {"CipherCertificateOtherReader": tuple(der), "SignatureCertificateOtherAuthor": (b"\x30\x00",)}

    assert certificate_feedback(certificates, circumstances(), client="Intermediary") == ("3706", "3707", "9709")


def test_what_is_encrypted_for_need_not_sign() -> None:
    """The extended usage of a cipher certificate says nothing about signing messages; that of a signer does."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    server = CA.issue("Server", start=START, end=END, extensions=[(usage, False)])

    assert feedback("CipherCertificateOtherReader", server) == ""
    assert feedback("SignatureCertificateIntermediary", server) == "3707"
