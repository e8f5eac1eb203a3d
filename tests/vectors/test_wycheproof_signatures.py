"""Wycheproof at our verification of XML signatures: RSA-PSS, RSA PKCS#1 v1.5 and ECDSA."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from intermediary.core.faults import Rejected
from intermediary.unseal import xmldsig
from intermediary.unseal.algorithms import SIGNATURES, SignatureScheme
from intermediary.unseal.policy import profile
from intermediary.unseal.xmldsig import Signature
from tests.vectors import wycheproof as w

PSS = {
    "rsa_pss_2048_sha256_mgf1_32": {"agrees": 108},
    "rsa_pss_3072_sha256_mgf1_32": {"agrees": 108},
    "rsa_pss_4096_sha256_mgf1_32": {"agrees": 108},
    "rsa_pss_4096_sha384_mgf1_48": {"agrees": 141},
    "rsa_pss_4096_sha512_mgf1_32": {"salt of another length": 132, "agrees": 45},
    "rsa_pss_4096_sha512_mgf1_64": {"agrees": 179},
    "rsa_pss_misc": {"hash without a URI": 60, "mask by another hash": 72, "salt of another length": 15, "agrees": 3},
}
PKCS1 = {
    "rsa_signature_3072_sha256": {"agrees": 258, "small exponent": 1},
    "rsa_signature_4096_sha256": {"agrees": 258},
    "rsa_signature_4096_sha512": {"agrees": 259},
}
ECDSA = {
    "ecdsa_brainpoolP256r1_sha256_p1363": {"agrees": 261},
    "ecdsa_brainpoolP384r1_sha384_p1363": {"agrees": 292},
    "ecdsa_brainpoolP512r1_sha512_p1363": {"agrees": 337},
    "ecdsa_secp256r1_sha256_p1363": {"agrees": 262},
    "ecdsa_secp384r1_sha384_p1363": {"agrees": 280},
    "ecdsa_secp521r1_sha512_p1363": {"agrees": 318},
}
ECDSA_DER = {
    "ecdsa_secp256r1_sha256": {"DER form": 174, "agrees": 310},
    "ecdsa_secp384r1_sha384": {"DER form": 194, "agrees": 310},
}
LENGTHS = {"sha256": 32, "sha384": 48, "sha512": 64}
POLICY = profile("legacy")


@cache
def certificate(pem: str) -> x509.Certificate:
    public = load_pem_public_key(pem.encode())
    assert isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    return w.certificate_for(public)


def accepts(group: w.Group, case: w.Case, scheme: SignatureScheme) -> bool:
    """Whether our entry point takes the signature for the certificate's; Rejected when its key is not allowed."""
    uri = next(uri for uri, known in SIGNATURES.items() if known == scheme)
    signature = Signature(uri, scheme, (), w.octets(case, "msg"), w.octets(case, "sig"), None, ())
    return xmldsig.verifies(signature, certificate(group["publicKeyPem"]), POLICY, "content-signature")


def judge_pss(group: w.Group, case: w.Case) -> str:
    digest = w.HASHES.get(group["sha"], "")
    scheme = SignatureScheme("rsa-pss", digest)
    if scheme not in SIGNATURES.values():
        return "hash without a URI"
    accepted = accepts(group, case, scheme)
    if group["mgfSha"] != group["sha"]:
        return w.outside(case, "mask by another hash", accepted)
    if group["sLen"] != LENGTHS[digest]:
        return w.outside(case, "salt of another length", accepted)
    return w.agrees(case, accepted)


def judge_pkcs1(group: w.Group, case: w.Case) -> str:
    try:
        return w.agrees(case, accepts(group, case, SignatureScheme("rsa-pkcs1", w.HASHES[group["sha"]])))
    except Rejected as refusal:
        return "small exponent" if refusal.code == "policy.key-length" else "FAILED: another code"


def judge_ecdsa(group: w.Group, case: w.Case) -> str:
    return w.agrees(case, accepts(group, case, SignatureScheme("ecdsa", w.HASHES[group["sha"]])))


def judge_der(group: w.Group, case: w.Case) -> str:
    return w.outside(case, "DER form", accepts(group, case, SignatureScheme("ecdsa", w.HASHES[group["sha"]])))


@pytest.mark.parametrize("name", PSS)
def test_pss(shared: Path, name: str) -> None:
    """As marked; a salt or mask that no URI of XML signature names is refused."""
    assert PSS[name] == dict(w.tally(shared, name, judge_pss))


@pytest.mark.parametrize("name", PKCS1)
def test_pkcs1(shared: Path, name: str) -> None:
    """As marked; `acceptable` (a missing NULL) is refused, and keys with a small exponent are."""
    assert PKCS1[name] == dict(w.tally(shared, name, judge_pkcs1))


@pytest.mark.parametrize("name", ECDSA)
def test_ecdsa(shared: Path, name: str) -> None:
    """As marked, r‖s in fixed length."""
    assert ECDSA[name] == dict(w.tally(shared, name, judge_ecdsa))


@pytest.mark.parametrize("name", ECDSA_DER)
def test_ecdsa_in_der(shared: Path, name: str) -> None:
    """XML signatures carry r‖s: a signature in DER form is none, not even a good one."""
    assert ECDSA_DER[name] == dict(w.tally(shared, name, judge_der))
