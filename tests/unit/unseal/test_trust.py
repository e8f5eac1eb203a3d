"""Trust in a signer: paths to anchors, and every rule that keeps one from counting."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from intermediary.testing.authority import Authority, root
from intermediary.unseal.path import MOST_HINTS, MOST_SIGNATURES, PathFinder
from intermediary.unseal.trust import Trust, judge, may_sign

AT = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
START, END = AT - 9 * DAY, AT + 9 * DAY
Extension = tuple[x509.ExtensionType, bool]


@pytest.fixture(scope="module")
def ca() -> Authority:
    """An anchor."""
    return root("Wurzel", start=START, end=END)


def below(by: Authority, name: str = "Unterzeichner", *extensions: Extension, **options: object) -> Authority:
    """Somebody issued for the usual span."""
    return by.issue(name, start=START, end=END, extensions=extensions, **options)  # type: ignore[arg-type]


def trust(signer: Authority, *anchors: Authority, hints: tuple[Authority, ...] = (), at: datetime = AT) -> Trust:
    return judge(
        signer.certificate,
        anchors=[one.certificate for one in anchors],
        at=at,
        hints=lambda: [one.certificate for one in hints],
    )


def test_direct(ca: Authority) -> None:
    """Issued by an anchor: trusted; no anchor: undetermined; another anchor of the same name: not trusted."""
    leaf = below(ca)

    assert trust(leaf, ca) == Trust(True)
    assert trust(leaf) == Trust(None, "signature.undetermined", "no-anchor")
    assert trust(leaf, root("Wurzel", start=START, end=END)) == Trust(False, "signature.untrusted", "no-path")


def test_over_an_issuing_authority(ca: Authority) -> None:
    """A certificate between may come from our files or from the message, and is believed by neither."""
    middle = below(ca, "Mitte", is_ca=True)
    leaf = below(middle)

    assert trust(leaf, ca, hints=(middle,)).trusted is True
    assert judge(leaf.certificate, anchors=[ca.certificate], at=AT, between=[middle.certificate]).trusted is True
    assert trust(leaf, ca).rule == "no-path"
    assert trust(leaf, root("Andere", start=START, end=END), hints=(middle,)).trusted is False


def test_hints_are_asked_for_only_when_needed(ca: Authority) -> None:
    """What a message brings along is not even read while our own certificates lead to an anchor."""
    asked = []

    def hints() -> tuple[x509.Certificate, ...]:
        asked.append(True)
        return ()

    judge(below(ca).certificate, anchors=[ca.certificate], at=AT, hints=hints)
    assert asked == []
    judge(root("x", start=START, end=END).certificate, anchors=[ca.certificate], at=AT, hints=hints)
    assert asked == [True]


def test_a_flood_of_hints_ends(ca: Authority) -> None:
    """Many authorities of one name that issued each other do not keep the search going."""
    ring = [root("Ring", start=START, end=END) for _ in range(20)]
    cross = [one.issue("Ring", start=START, end=END, is_ca=True) for one in ring]

    assert trust(below(ring[0]), ca, hints=(*ring, *cross)).trusted is False


def test_the_search_is_bounded() -> None:
    """Sixteen authorities of one name and one key could make a hundred thousand paths: few are looked at."""
    key = root("Ring", start=START, end=END).key
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ring")])

    def one(serial: int) -> x509.Certificate:
        builder = x509.CertificateBuilder(name, name, key.public_key(), serial)
        return builder.not_valid_before(START).not_valid_after(END).sign(key, hashes.SHA256())

    crowd = [one(serial) for serial in range(1, 40)]
    finder = PathFinder([root("Anker", start=START, end=END).certificate], [], lambda: crowd)

    assert list(finder.paths(one(99))) == []
    assert MOST_HINTS < finder.looked_at <= MOST_SIGNATURES


@pytest.mark.parametrize("is_first", [True, False])
def test_the_nearest_miss_is_told(is_first: bool) -> None:
    """Of several paths that do not hold, the reason is that of the one that comes nearest, in whatever order."""
    narrow = root("Mitte", start=START, end=END, path_length=0)
    over = Authority(_again(narrow, end=AT - DAY), narrow.key)
    between = narrow.issue("Unter", start=START, end=END, is_ca=True)
    leaf = below(between)

    assert trust(leaf, narrow, hints=(between,)).code == "signature.untrusted"
    anchors = (over, narrow) if is_first else (narrow, over)
    assert trust(leaf, *anchors, hints=(between,)).code == "signature.expired"


def _again(authority: Authority, *, end: datetime) -> x509.Certificate:
    """Another certificate of the same authority, with another end and no limit to the path below it."""
    name, key = authority.certificate.subject, authority.key
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5).not_valid_before(START).not_valid_after(end)
    builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    return builder.sign(key, hashes.SHA256())


def test_who_may_not_issue(ca: Authority) -> None:
    """No authority, or one whose usage excludes issuing, ends every path through it."""
    cases = {
        "no-authority": below(ca, "Mitte"),
        "key-usage": below(ca, "Mitte", is_ca=True, usage=("crl_sign",)),
    }

    assert {rule: trust(below(one), ca, hints=(one,)).rule for rule, one in cases.items()} == {x: x for x in cases}


def test_path_length(ca: Authority) -> None:
    """An authority says how many authorities may follow; those that issued themselves do not count."""
    narrow = root("Eng", start=START, end=END, path_length=0)
    first = below(narrow, "Erste", is_ca=True)
    renewed = below(narrow, "Eng", is_ca=True)

    assert trust(below(narrow), narrow).trusted is True
    assert trust(below(first), narrow, hints=(first,)).rule == "path-length"
    assert trust(below(renewed), narrow, hints=(renewed,)).trusted is True


@pytest.mark.parametrize(("start", "end"), [(AT - 3 * DAY, AT - DAY), (AT + DAY, AT + 3 * DAY)])
def test_validity_at_the_moment(ca: Authority, start: datetime, end: datetime) -> None:
    """Out of its validity at the moment asked about: not trusted, though it was or will be."""
    leaf = ca.issue("Unterzeichner", start=start, end=end)

    assert trust(leaf, ca) == Trust(False, "signature.expired", "validity")
    assert trust(leaf, ca, at=start + timedelta(hours=1)).trusted is True


def test_validity_of_the_path(ca: Authority) -> None:
    """An authority, or the anchor, that was out of its validity makes nobody trusted."""
    old = ca.issue("Mitte", start=START, end=AT - DAY, is_ca=True)
    short = root("Kurz", start=START, end=AT - DAY)

    assert trust(below(old), ca, hints=(old,)).code == "signature.expired"
    assert trust(below(short), short).code == "signature.expired"


def test_a_pinned_certificate() -> None:
    """A certificate that is itself an anchor is trusted while it is valid."""
    alone = root("Selbst", start=START, end=END)

    assert trust(alone, alone).trusted is True
    assert trust(alone, alone, at=END + DAY).trusted is False


def test_the_best_path_counts(ca: Authority) -> None:
    """One broken way does not spoil another good one."""
    other = root("Mitte", start=START, end=END)
    broken = ca.issue("Mitte", start=START, end=AT - DAY, is_ca=True)
    leaf = below(other)

    assert trust(leaf, ca, other, hints=(broken,)).trusted is True


def test_a_forged_signature_is_told_apart(ca: Authority) -> None:
    """An issuer at hand whose signature it is not: a forgery, not only an unknown issuer."""
    forger = root("Wurzel", start=START, end=END)
    forged = forger.issue("Unterzeichner", start=START, end=END)
    same_key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = x509.CertificateBuilder(ca.certificate.subject, forged.certificate.subject, forged.key.public_key(), 7)
    builder = builder.not_valid_before(START).not_valid_after(END).add_extension(same_key_id, critical=False)
    forged = Authority(builder.sign(forger.key, hashes.SHA256()), forged.key)

    assert trust(forged, ca) == Trust(False, "signature.untrusted", "forged")


def test_a_weak_hash_issues_nothing(ca: Authority) -> None:
    """A certificate signed with a hash that is not sound leads nowhere."""
    assert trust(below(ca, digest=hashes.SHA224()), ca).trusted is False


@pytest.mark.parametrize(
    ("usages", "trusted"),
    [
        ((ExtendedKeyUsageOID.EMAIL_PROTECTION,), True),
        ((ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH), True),
        ((ObjectIdentifier("1.3.6.1.5.5.7.3.36"),), True),
        ((ExtendedKeyUsageOID.SERVER_AUTH,), False),
        ((ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING), False),
    ],
)
def test_extended_key_usage(ca: Authority, usages: tuple[ObjectIdentifier, ...], trusted: bool) -> None:
    """A signer made for something else only, such as a web server, signs no messages."""
    leaf = below(ca, "Unterzeichner", (x509.ExtendedKeyUsage(usages), True))

    assert trust(leaf, ca).trusted is trusted


@pytest.mark.parametrize("is_middle", [False, True])
def test_a_critical_extension_nobody_understands(ca: Authority, is_middle: bool) -> None:
    """Whoever marks something critical wants to be refused by those who do not know it."""
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    middle = below(ca, "Mitte", *([(unknown, True)] if is_middle else []), is_ca=True)
    leaf = below(middle, "Unterzeichner", *([] if is_middle else [(unknown, True)]))

    assert trust(leaf, ca, hints=(middle,)).rule == "critical-extension"
    assert trust(below(ca, "Unterzeichner", (unknown, False)), ca).trusted is True


def names(*pairs: tuple[ObjectIdentifier, str]) -> x509.DirectoryName:
    return x509.DirectoryName(x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs]))


LAND = names((NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "MUSTERLAND "))
FOREIGN = names((NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Anderswo"))
MAIL = x509.SubjectAlternativeName([x509.RFC822Name("amt@post.musterland.example")])
HOST = x509.SubjectAlternativeName([x509.DNSName("osci.musterland.example")])
ADDRESS = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))])


@pytest.mark.parametrize(
    ("permitted", "excluded", "alternative", "trusted"),
    [
        ([LAND], None, None, True),
        ([FOREIGN], None, None, False),
        (None, [LAND], None, False),
        (None, [FOREIGN], None, True),
        ([x509.RFC822Name(".musterland.example")], None, MAIL, True),
        ([x509.RFC822Name("musterland.example")], None, MAIL, False),
        (None, [x509.RFC822Name("amt@post.musterland.example")], MAIL, False),
        ([x509.DNSName("musterland.example")], None, HOST, True),
        ([x509.DNSName("usterland.example")], None, HOST, False),
        ([x509.IPAddress(ipaddress.ip_network("192.0.2.0/24"))], None, ADDRESS, False),
        (None, [x509.IPAddress(ipaddress.ip_network("0.0.0.0/0"))], HOST, True),
        (None, [x509.IPAddress(ipaddress.ip_network("198.51.100.0/24"))], ADDRESS, False),
    ],
)
def test_name_constraints(
    permitted: list[x509.GeneralName] | None,
    excluded: list[x509.GeneralName] | None,
    alternative: x509.SubjectAlternativeName | None,
    trusted: bool,
) -> None:
    """An authority that may speak for some names only makes no others trusted; forms not understood admit nobody."""
    ca = root("Wurzel", start=START, end=END)
    middle = below(ca, "Mitte", (x509.NameConstraints(permitted, excluded), True), is_ca=True)
    leaf = below(middle, "Unterzeichner", *([(alternative, False)] if alternative else []))
    found = trust(leaf, ca, hints=(middle,))

    assert (found.trusted, found.rule) == (trusted, "" if trusted else "name-constraints")


def test_name_constraints_and_renewal() -> None:
    """An authority that issued itself a new certificate is not bound by its own constraints; everybody else is."""
    ca = root("Wurzel", start=START, end=END)
    middle = below(ca, "Mitte", (x509.NameConstraints([FOREIGN], None), True), is_ca=True)
    renewed = below(middle, "Mitte", is_ca=True)
    name = x509.Name([*FOREIGN.value, x509.NameAttribute(NameOID.COMMON_NAME, "Unterzeichner")])
    builder = x509.CertificateBuilder(renewed.certificate.subject, name, renewed.key.public_key(), 3)
    builder = builder.not_valid_before(START).not_valid_after(END)
    leaf = Authority(builder.sign(renewed.key, hashes.SHA256()), renewed.key)

    assert trust(leaf, ca, hints=(middle, renewed)).trusted is True
    assert trust(below(renewed), ca, hints=(middle, renewed)).rule == "name-constraints"


@pytest.mark.parametrize(
    ("usage", "may"),
    [((), True), (("digital_signature",), True), (("content_commitment",), True), (("key_encipherment",), False)],
)
def test_key_usage(ca: Authority, usage: tuple[str, ...], may: bool) -> None:
    """A stated usage must allow signatures (digest §11)."""
    assert may_sign(below(ca, usage=usage).certificate) is may
