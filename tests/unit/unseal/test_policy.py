"""The crypto policy: three profiles, each an allow-list by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.unseal import algorithms as a
from intermediary.unseal.policy import PROFILES, not_allowed, profile

NEVER = ("http://www.w3.org/2001/04/xmldsig-more#rsa-md5", "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "")


def allows(check: str, uri: str) -> list[str]:
    """The profiles that allow this URI."""
    allowed = []
    for name in PROFILES:
        try:
            getattr(profile(name), f"check_{check}")(uri, "test")
        except Rejected as refusal:
            assert refusal.code == "policy.algorithm"
        else:
            allowed.append(name)
    return allowed


@pytest.mark.parametrize(
    ("check", "uri", "profiles"),
    [
        ("cipher", a.XMLENC11 + "aes256-gcm", ["strict", "osci", "legacy"]),
        ("cipher", a.XMLENC + "aes256-cbc", ["legacy"]),
        ("cipher", a.XMLENC + "tripledes-cbc", ["legacy"]),
        ("key_transport", a.RSA_OAEP, ["strict", "osci", "legacy"]),
        ("key_transport", a.RSA_15, ["legacy"]),
        ("key_transport", a.RSA_OAEP_MGF1P, ["legacy"]),
        ("signature", a.MORE_2007 + "sha256-rsa-MGF1", ["strict", "osci", "legacy"]),
        ("signature", a.MORE + "ecdsa-sha384", ["strict", "osci", "legacy"]),
        ("signature", a.MORE + "rsa-sha256", ["osci", "legacy"]),
        ("signature", a.RSA_SHA1, ["legacy"]),
        ("digest", a.XMLENC + "sha512", ["strict", "osci", "legacy"]),
        ("digest", a.MORE_2007 + "sha3-256", ["strict", "osci", "legacy"]),
        ("digest", a.SHA1, ["legacy"]),
        ("digest", a.XMLENC + "ripemd160", []),
        *((check, uri, []) for check in ("cipher", "key_transport", "signature", "digest") for uri in NEVER),
    ],
)
def test_profiles(check: str, uri: str, profiles: list[str]) -> None:
    """Which profile allows what is the table of the threats' section C."""
    assert allows(check, uri) == profiles


def test_every_allowed_name_is_known() -> None:
    """No profile allows a URI that nothing implements."""
    for name in PROFILES:
        rules = profile(name)

        assert rules.ciphers <= a.CIPHERS.keys()
        assert rules.signatures <= a.SIGNATURES.keys()
        assert rules.digests <= a.DIGESTS.keys()


@pytest.mark.parametrize(("name", "lengths"), [("strict", {12}), ("osci", {12, 16}), ("legacy", {12, 16})])
def test_iv_lengths(name: str, lengths: set[int]) -> None:
    """GCM has 96 bits; 128 only where OSCI's older libraries are let in; nothing else."""
    rules = profile(name)
    allowed = set()
    for length in (0, 8, 12, 13, 16, 32):
        try:
            allowed.add(rules.check_iv(length, "test"))
        except Rejected as refusal:
            assert refusal.code == "policy.parameter"

    assert allowed == lengths


@pytest.mark.parametrize(
    ("name", "digest", "mgf", "is_allowed"),
    [
        ("strict", "sha256", "sha256", True),
        ("strict", "sha512", "sha256", False),
        ("osci", "sha512", "sha256", True),
        ("osci", "sha256", "sha1", False),
        ("legacy", "sha256", "sha1", True),
        ("legacy", "sha1", "sha1", False),
        ("osci", "", "sha256", False),
    ],
)
def test_oaep(name: str, digest: str, mgf: str, is_allowed: bool) -> None:
    """OAEP with SHA-2 on both sides, equal in the strict profile; MGF1 with SHA-1 in legacy only."""
    if is_allowed:
        assert profile(name).check_oaep(digest, mgf, "test") is None
        return
    with pytest.raises(Rejected):
        profile(name).check_oaep(digest, mgf, "test")


def test_key_lengths() -> None:
    """Signers need 3072 bits, 2048 in legacy; readers 3072 in strict, 2048 elsewhere; never less."""
    lengths = {name: (profile(name).min_signer_bits, profile(name).min_reader_bits) for name in PROFILES}

    assert lengths == {"strict": (3072, 3072), "osci": (3072, 2048), "legacy": (2048, 2048)}


def test_name_and_end() -> None:
    """A policy says its name and version and ends at the very moment it is told to."""
    end = datetime(2027, 1, 1, tzinfo=UTC)
    rules = profile("legacy", until=end)

    assert rules.label == "legacy@1"
    assert rules.check_date(end.replace(year=2026)) is None
    with pytest.raises(Rejected):
        rules.check_date(end)
    with pytest.raises(Misconfigured):
        profile("lax")


def test_a_refused_algorithm_is_named_only_if_it_is_one_we_know():
    """The finding says which algorithm; a sender's own text is never repeated."""
    known = not_allowed("http://www.w3.org/2001/04/xmlenc#tripledes-cbc", "content")
    unknown = not_allowed("urn:geheim:Erika", "content")

    assert ["tripledes-cbc", "unknown"] == [fault.findings[0].rule for fault in (known, unknown)]
