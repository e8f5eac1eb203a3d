"""Revocation by cached material: who may speak about a certificate, when it counts, and what becomes of trust."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from intermediary.keys.material import Material, Mode, Revocation
from intermediary.testing.authority import Authority, root, source_of
from intermediary.unseal.trust import Trust, judge

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START, END = AT - 30 * DAY, AT + 30 * DAY


class Span(TypedDict):
    """When material was made, and until when it holds."""

    made: datetime
    until: datetime


FRESH: Span = {"made": AT - DAY, "until": AT + DAY}


@pytest.fixture(scope="module")
def ca() -> Authority:
    """An anchor that also signs lists."""
    return root("Wurzel", start=START, end=END)


@pytest.fixture(scope="module")
def leaf(ca: Authority) -> Authority:
    """A signer."""
    return ca.issue("Unterzeichner", start=START, end=END)


def trust(
    folder: Path,
    leaf: Authority,
    ca: Authority,
    *material: bytes,
    mode: Mode = "hard",
    grace: timedelta = HOUR,
    between: tuple[Authority, ...] = (),
) -> Trust:
    """The judgement with this material in a folder."""
    for number, data in enumerate(material):
        (folder / f"{number}.bin").write_bytes(data)
    return judge(
        leaf.certificate,
        anchors=[ca.certificate],
        at=AT,
        between=[one.certificate for one in between],
        revocation=Revocation(mode, grace, Material.load(folder)),
    )


UNDETERMINED = Trust(None, "signature.undetermined", "no-revocation-material")


def test_modes_without_material(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """Nothing at hand: hard is undetermined, soft goes on and says so, off does not look."""
    assert trust(tmp_path, leaf, ca) == UNDETERMINED
    assert trust(tmp_path, leaf, ca, mode="soft") == Trust(
        True, "signature.revocation-unknown", "no-revocation-material"
    )
    assert trust(tmp_path, leaf, ca, mode="off") == Trust(True)


@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_a_list_decides(tmp_path: Path, leaf: Authority, ca: Authority, mode: Mode) -> None:
    """Not on a fresh list: trusted; on it since before the receipt: revoked; since after: trusted as of the receipt."""
    good = ca.crl({}, **FRESH)
    revoked = ca.crl({leaf.certificate: AT - HOUR}, **FRESH)
    later = ca.crl({leaf.certificate: AT + HOUR}, made=AT + 2 * HOUR, until=AT + DAY)

    assert trust(tmp_path, leaf, ca, good, mode=mode) == Trust(True, material=(source_of(good),))
    assert trust(tmp_path, leaf, ca, revoked, mode=mode) == Trust(
        False, "signature.revoked", "revoked", (source_of(revoked),)
    )
    assert trust(tmp_path, leaf, ca, later, mode=mode) == Trust(
        True, "signature.revoked-later", "revoked-later", (source_of(later),)
    )


def test_an_answer_decides(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """The same by OCSP, signed by the authority itself."""
    good = ca.ocsp(leaf.certificate, **FRESH)
    revoked = ca.ocsp(leaf.certificate, revoked=AT - HOUR, **FRESH)
    unknown = ca.ocsp(leaf.certificate, is_known=False, **FRESH)

    assert trust(tmp_path, leaf, ca, good) == Trust(True, material=(source_of(good, "ocsp"),))
    assert trust(tmp_path, leaf, ca, revoked).code == "signature.revoked"
    assert trust(tmp_path, leaf, ca, unknown) == UNDETERMINED


def test_freshness(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """Material counts until its end and the grace after it, as of the receipt and not of today."""
    stale = ca.crl({}, made=AT - 3 * DAY, until=AT - 2 * HOUR)
    endless = ca.ocsp(leaf.certificate, made=AT - 2 * HOUR, until=None)

    assert trust(tmp_path, leaf, ca, stale, grace=HOUR) == UNDETERMINED
    assert trust(tmp_path, leaf, ca, stale, grace=2 * HOUR).trusted is True
    assert trust(tmp_path, leaf, ca, endless, grace=HOUR) == UNDETERMINED
    assert trust(tmp_path, leaf, ca, endless, grace=2 * HOUR).trusted is True


def test_what_was_there_at_the_receipt_decides(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """The newest list of before the receipt wins over older and later ones, so that later lists change no replay."""
    old = ca.crl({leaf.certificate: AT - 3 * DAY}, made=AT - 2 * DAY, until=AT + DAY)
    newest = ca.crl({}, **FRESH)
    later = ca.crl({leaf.certificate: AT - HOUR}, made=AT + HOUR, until=AT + DAY)

    assert trust(tmp_path, leaf, ca, later, old, newest).material == (source_of(newest),)
    assert trust(tmp_path, leaf, ca, later, old, newest).trusted is True


def test_a_later_list_heals_a_wait(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """Where nothing fresh was there, the first list that comes later says what held at the receipt."""
    later = ca.crl({leaf.certificate: AT - HOUR}, made=AT + DAY, until=AT + 2 * DAY)

    assert trust(tmp_path, leaf, ca) == UNDETERMINED
    assert trust(tmp_path, leaf, ca, later).code == "signature.revoked"


def test_a_list_after_the_end_says_nothing(tmp_path: Path, ca: Authority) -> None:
    """Authorities drop expired certificates from their lists: a list of after the end proves nothing good."""
    short = ca.issue("Kurz", start=START, end=AT + HOUR)

    assert trust(tmp_path, short, ca, ca.crl({}, made=AT + 2 * HOUR, until=AT + DAY)) == UNDETERMINED


def test_who_may_speak(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """Lists and answers of another key, or of a key that signs no lists, say nothing."""
    forger = root("Wurzel", start=START, end=END)
    mute = root("Stumm", start=START, end=END)
    mute_ca = mute.issue("Ohne Listen", start=START, end=END, is_ca=True, usage=("key_cert_sign",))
    below = mute_ca.issue("Unterzeichner", start=START, end=END)
    lists = (mute.crl({}, **FRESH), mute_ca.crl({}, **FRESH))

    assert trust(tmp_path, leaf, ca, forger.crl({}, **FRESH), forger.ocsp(leaf.certificate, **FRESH)) == UNDETERMINED
    assert trust(tmp_path, below, mute, *lists, between=(mute_ca,)).trusted is None


def responder(ca: Authority, *usages: x509.ObjectIdentifier, end: datetime = END) -> Authority:
    """Whom an authority lets answer in its name, if it has the usage."""
    extensions = [(x509.ExtendedKeyUsage(usages), False)] if usages else []
    return ca.issue("Auskunft", start=START, end=end, usage=("digital_signature",), extensions=extensions)


def test_delegated_answers(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """A responder counts with the usage for it, issued by the very authority, valid, and not withdrawn."""
    usage = ExtendedKeyUsageOID.OCSP_SIGNING
    good = responder(ca, usage)
    wrong = (
        responder(ca),
        responder(ca, ExtendedKeyUsageOID.SERVER_AUTH),
        responder(ca, usage, end=AT - 2 * DAY),
        responder(root("Wurzel", start=START, end=END), usage),
    )

    assert trust(tmp_path, leaf, ca, ca.ocsp(leaf.certificate, responder=good, **FRESH)).trusted is True
    for one in wrong:
        assert trust(tmp_path, leaf, ca, ca.ocsp(leaf.certificate, responder=one, **FRESH)) == UNDETERMINED
    withdrawn = ca.crl({good.certificate: AT - 2 * DAY}, made=AT - 9 * DAY, until=AT - 8 * DAY)
    answer = ca.ocsp(leaf.certificate, responder=good, **FRESH)
    assert trust(tmp_path, leaf, ca, answer, withdrawn) == UNDETERMINED


def test_answers_about_somebody_else(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """The same serial number of another authority is another certificate; critical extensions are not passed over."""
    other = root("Andere", start=START, end=END)
    usual = (hashes.SHA256(), ocsp.OCSPCertStatus.GOOD, AT - DAY, AT + DAY, None, None)

    def answer(issuer: Authority, *, is_critical: bool) -> bytes:
        builder = ocsp.OCSPResponseBuilder().add_response(leaf.certificate, issuer.certificate, *usual)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, ca.certificate)
        builder = builder.add_extension(x509.OCSPNonce(b"12345678"), critical=is_critical)
        return builder.sign(ca.key, hashes.SHA256()).public_bytes(Encoding.DER)

    assert trust(tmp_path, leaf, ca, answer(ca, is_critical=False)).trusted is True
    assert trust(tmp_path, leaf, ca, answer(other, is_critical=False)) == UNDETERMINED
    assert trust(tmp_path, leaf, ca, answer(ca, is_critical=True)) == UNDETERMINED


def test_entries_of_an_indirect_list(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """An entry that says it is of another authority decides nothing, and the list is not taken for good news."""
    issuer = x509.CertificateIssuer([x509.DirectoryName(root("Andere", start=START, end=END).certificate.subject)])
    entry = x509.RevokedCertificateBuilder(leaf.certificate.serial_number, AT - DAY).add_extension(
        issuer, critical=True
    )
    builder = x509.CertificateRevocationListBuilder(ca.certificate.subject, AT - DAY, AT + DAY)
    crl = builder.add_revoked_certificate(entry.build()).sign(ca.key, hashes.SHA256())

    assert trust(tmp_path, leaf, ca, crl.public_bytes(Encoding.DER)) == UNDETERMINED


def test_every_step_of_the_path(tmp_path: Path, ca: Authority) -> None:
    """The authority between is looked up as well, and its revocation counts for all below it."""
    middle = ca.issue("Mitte", start=START, end=END, is_ca=True)
    leaf = middle.issue("Unterzeichner", start=START, end=END)
    below, above = middle.crl({}, **FRESH), ca.crl({}, **FRESH)
    broken = ca.crl({middle.certificate: AT - HOUR}, **FRESH)

    assert trust(tmp_path, leaf, ca, below, between=(middle,)) == Trust(
        None, "signature.undetermined", "no-revocation-material", (source_of(below),)
    )
    assert trust(tmp_path, leaf, ca, below, above, between=(middle,)).trusted is True
    assert trust(tmp_path, leaf, ca, below, broken, between=(middle,)).code == "signature.revoked"


POINT = x509.UniformResourceIdentifier("http://crl.example/part-1.crl")


def scope(**options: object) -> tuple[x509.IssuingDistributionPoint, bool]:
    """The scope of a list."""
    values: dict[str, object] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(values | options)), True  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("extension", "trusted"),
    [
        (scope(only_contains_user_certs=True), True),
        (scope(only_contains_ca_certs=True), None),
        (scope(indirect_crl=True), None),
        (scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})), None),
        (scope(full_name=[POINT]), True),
        (scope(full_name=[x509.UniformResourceIdentifier("http://crl.example/part-2.crl")]), None),
        ((x509.DeltaCRLIndicator(1), True), None),
    ],
)
def test_lists_about_something_else(
    tmp_path: Path, ca: Authority, extension: tuple[x509.ExtensionType, bool], trusted: bool | None
) -> None:
    """A list that would not name this certificate, or not fully, does not say that it is good."""
    points = x509.CRLDistributionPoints([x509.DistributionPoint([POINT], None, None, None)])
    leaf = ca.issue("Unterzeichner", start=START, end=END, extensions=[(points, False)])

    assert trust(tmp_path, leaf, ca, ca.crl({}, extensions=[extension], **FRESH)).trusted is trusted


def test_the_folder(tmp_path: Path, leaf: Authority, ca: Authority) -> None:
    """DER and PEM are read whatever their names; what is neither is told and takes nothing else away."""
    pem = b"".join(
        x509.load_der_x509_crl(data).public_bytes(Encoding.PEM) for data in (ca.crl({}, **FRESH), ca.crl({}, **FRESH))
    )
    (tmp_path / "two.pem").write_bytes(b"# comment\n" + pem)
    (tmp_path / "answer.der").write_bytes(ca.ocsp(leaf.certificate, **FRESH))
    (tmp_path / "refused.ors").write_bytes(bytes.fromhex("30030a0106"))
    (tmp_path / "half.crl").write_bytes(ca.crl({}, **FRESH)[:-9])
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    found = Material.load(tmp_path)

    assert (len(found.all_crls), len(found.all_responses)) == (2, 1)
    assert found.unreadable == ("half.crl", "refused.ors")
