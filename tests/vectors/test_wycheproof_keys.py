"""Wycheproof at our key transport: RSA-OAEP and RSA-1.5, by a key in a file and by the padding of keys on tokens."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from intermediary.core.faults import Rejected
from intermediary.keys.private import DecryptionKey, KeyTransport, fitting
from intermediary.keys.unpadding import unpad
from intermediary.unseal.algorithms import DIGESTS, MGFS
from intermediary.unseal.policy import profile
from tests.vectors import wycheproof as w

OAEP = {
    "rsa_oaep_2048_sha1_mgf1sha1": {"empty message": 1, "agrees": 28, "label": 7},
    "rsa_oaep_2048_sha256_mgf1sha1": {"empty message": 1, "agrees": 27, "label": 3},
    "rsa_oaep_2048_sha256_mgf1sha256": {"empty message": 1, "agrees": 28, "label": 8},
    "rsa_oaep_3072_sha256_mgf1sha1": {"empty message": 1, "agrees": 28, "label": 3},
    "rsa_oaep_3072_sha256_mgf1sha256": {"empty message": 1, "agrees": 28, "label": 8},
    "rsa_oaep_3072_sha512_mgf1sha512": {"empty message": 1, "agrees": 27, "label": 5},
    "rsa_oaep_4096_sha256_mgf1sha256": {"empty message": 1, "agrees": 28, "label": 8},
    "rsa_oaep_4096_sha512_mgf1sha512": {"empty message": 1, "agrees": 28, "label": 7},
    "rsa_oaep_misc": {
        "key below 2048 bits": 72,
        "hash without a URI": 123,
        "empty message": 60,
        "agrees": 120,
        "label": 20,
    },
}
PKCS1 = {
    "rsa_pkcs1_2048": {"empty message": 1, "agrees": 66},
    "rsa_pkcs1_4096": {"empty message": 1, "agrees": 66},
}
POLICY = profile("legacy")


@cache
def key(pem: str) -> tuple[rsa.RSAPrivateKey, DecryptionKey]:
    private = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(private, rsa.RSAPrivateKey)
    return private, DecryptionKey(private, w.certificate_for(private.public_key()))


def raw(private: rsa.RSAPrivateKey, block: bytes) -> bytes:
    """The bare RSA operation that a token does, by the Chinese remainder theorem."""
    n, c = private.private_numbers(), int.from_bytes(block, "big")
    one, two = pow(c, n.dmp1, n.p), pow(c, n.dmq1, n.q)
    return (two + n.q * ((one - two) * n.iqmp % n.p)).to_bytes((private.key_size + 7) // 8, "big")


def opens(group: w.Group, case: w.Case, transport: KeyTransport, length: int) -> bool:
    """Whether the message comes out; up to 4096 bits both implementations must say the same."""
    private, ours = key(group["privateKeyPem"])
    message, wrapped = w.octets(case, "msg"), w.octets(case, "ct")
    by_file = ours.unwrap(wrapped, transport, length)
    if private.key_size > 4096:  # the bare operation in Python takes a second
        return by_file == message
    block, fits = fitting(wrapped, private.public_key())
    substitute = bytes(length)[::-1] if not message else bytes(b ^ 0x5A for b in message[:length]).ljust(length, b"?")
    by_token = unpad(raw(private, block), transport, length, substitute) if fits else substitute

    assert (length, length) == (len(by_file), len(by_token))
    assert by_token in (message, substitute), case["tcId"]
    assert (by_file == message) == (by_token == message), case["tcId"]
    return by_file == message


def judge_oaep(group: w.Group, case: w.Case) -> str:
    if group["sha"] not in w.HASHES or group["mgfSha"] not in w.HASHES:
        names = {name.lower().replace("-", "") for name in (group["sha"], group["mgfSha"])}
        return "FAILED: a URI" if names <= {*DIGESTS.values(), *MGFS.values()} else "hash without a URI"
    transport = KeyTransport("rsa-oaep", w.HASHES[group["sha"]], w.HASHES[group["mgfSha"]])
    return judge(group, case, transport)


def judge_pkcs1(group: w.Group, case: w.Case) -> str:
    return judge(group, case, KeyTransport("rsa-1_5"))


def judge(group: w.Group, case: w.Case, transport: KeyTransport) -> str:
    length = len(w.octets(case, "msg"))
    try:
        POLICY.check_reader(group["keySize"], "content")
    except Rejected as refusal:
        return "key below 2048 bits" if refusal.code == "policy.key-length" else "FAILED: another code"
    if not length:  # no content key has no bytes: one of any other length must not come out
        return w.outside(case, "empty message", accepted=opens(group, case, transport, 32))
    accepted = opens(group, case, transport, length)
    return w.outside(case, "label", accepted) if case.get("label") else w.agrees(case, accepted)


@pytest.mark.parametrize("name", OAEP)
def test_oaep(shared: Path, name: str) -> None:
    """Valid blocks open, invalid ones give a substitute; labels, foreign hashes and short keys are not in our profile."""
    assert OAEP[name] == dict(w.tally(shared, name, judge_oaep))


@pytest.mark.parametrize("name", PKCS1)
def test_pkcs1(shared: Path, name: str) -> None:
    """RSA-1.5 for `legacy`: valid blocks open, invalid ones give a substitute."""
    assert PKCS1[name] == dict(w.tally(shared, name, judge_pkcs1))


@pytest.mark.parametrize("name", ["strict", "osci"])
def test_pkcs1_is_refused_elsewhere(name: str) -> None:
    """Outside `legacy` no RSA-1.5 block reaches a key at all."""
    with pytest.raises(Rejected) as refusal:
        profile(name).check_key_transport("http://www.w3.org/2001/04/xmlenc#rsa-1_5", "transport")

    assert "policy.algorithm" == refusal.value.code
