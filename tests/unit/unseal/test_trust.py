"""Paths to anchors and key usage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from intermediary.unseal.trust import is_trusted, may_sign

AT = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def issue(
    name: str,
    by: Pair | None = None,
    *,
    is_ca: bool = False,
    start: datetime = AT - DAY,
    end: datetime = AT + DAY,
    usage: str | None = None,
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(by[0].subject if by else subject, subject, key.public_key(), 7)
    builder = builder.not_valid_before(start).not_valid_after(end)
    builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
    if usage:
        names = [
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ]
        builder = builder.add_extension(x509.KeyUsage(**{n: n == usage for n in names}), critical=True)
    return builder.sign(by[1] if by else key, hashes.SHA256()), key


@pytest.fixture(scope="module")
def root() -> Pair:
    return issue("root", is_ca=True, usage="key_cert_sign")


def test_direct(root: Pair) -> None:
    """Issued by an anchor: trusted; no anchor: undetermined; another anchor of the same name: not trusted."""
    leaf, _ = issue("leaf", root)

    assert is_trusted(leaf, [root[0]], AT) is True
    assert is_trusted(leaf, [], AT) is None
    assert is_trusted(leaf, [issue("root", is_ca=True)[0]], AT) is False


def test_over_an_issuing_authority(root: Pair) -> None:
    """A certificate between is found among the hints, and only if it may issue."""
    middle = issue("middle", root, is_ca=True, usage="key_cert_sign")
    leaf, _ = issue("leaf", middle)

    assert is_trusted(leaf, [root[0]], AT, [middle[0]]) is True
    assert is_trusted(leaf, [root[0]], AT) is False


def test_a_leaf_issues_nothing(root: Pair) -> None:
    """A certificate that is no authority, or whose usage excludes issuing, leads nowhere."""
    for middle in (issue("middle", root), issue("middle", root, is_ca=True, usage="digital_signature")):
        leaf, _ = issue("leaf", middle)

        assert is_trusted(leaf, [root[0]], AT, [middle[0]]) is False


@pytest.mark.parametrize(("start", "end"), [(AT - 3 * DAY, AT - DAY), (AT + DAY, AT + 3 * DAY)])
def test_validity_at_the_moment(root: Pair, start: datetime, end: datetime) -> None:
    """Out of its validity at the moment asked about: not trusted, though it was or will be."""
    leaf, _ = issue("leaf", root, start=start, end=end)
    wide = issue("root", is_ca=True, start=AT - 9 * DAY, end=AT + 9 * DAY)
    other, _ = issue("leaf", wide, start=start, end=end)

    assert is_trusted(leaf, [root[0]], AT) is False
    assert is_trusted(other, [wide[0]], start + timedelta(hours=1)) is True


def test_a_pinned_certificate() -> None:
    """A certificate that is itself an anchor is trusted while it is valid."""
    leaf, _ = issue("leaf")

    assert is_trusted(leaf, [leaf], AT) is True
    assert is_trusted(leaf, [leaf], AT + 2 * DAY) is False


def test_circles_end() -> None:
    """Two authorities that issued each other do not keep the search going."""
    first = issue("first", is_ca=True)
    second = issue("second", first, is_ca=True)
    again = issue("first", second, is_ca=True)
    leaf, _ = issue("leaf", again)

    assert is_trusted(leaf, [issue("root", is_ca=True)[0]], AT, [first[0], second[0], again[0]]) is False


@pytest.mark.parametrize(
    ("usage", "may"),
    [(None, True), ("digital_signature", True), ("content_commitment", True), ("key_encipherment", False)],
)
def test_key_usage(usage: str | None, may: bool) -> None:
    """A stated usage must allow signatures (digest §11)."""
    assert may_sign(issue("leaf", usage=usage)[0]) is may
