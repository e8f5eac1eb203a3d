"""Wycheproof at our content ciphers: AES-GCM and AES-CBC, in memory and in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.unseal.algorithms import Cipher
from intermediary.unseal.cipher import Undecryptable, decrypt, decrypt_content
from intermediary.unseal.policy import profile
from tests.vectors import wycheproof as w

GCM = {"agrees": 202, "IV of another length": 61, "additional data": 53}
CBC = {"agrees": 216}
NOT_APPLICABLE = {
    "a128cbc_hs256": "JOSE: no door takes it",
    "a256cbc_hs512": "JOSE: no door takes it",
    "aes_kwp": "key wrap is not offered",
    "aes_wrap": "key wrap is not offered",
    "ecdh_brainpoolP256r1": "key agreement is not offered",
    "ecdh_secp256r1": "key agreement is not offered",
    "ecdh_secp256r1_webcrypto": "key agreement is not offered",
    "ecdh_secp384r1": "key agreement is not offered",
    "ecdh_secp521r1": "key agreement is not offered",
    "hkdf_sha256": "derives our own keys only: never at a door",
    "hmac_sha256": "no MAC at a door",
    "hmac_sha512": "no MAC at a door",
    "json_web_crypto": "JOSE: no door takes it",
    "json_web_encryption": "JOSE: no door takes it",
    "json_web_key": "JOSE: no door takes it",
    "json_web_signature": "JOSE: no door takes it",
}
"""Files that no entry point of ours is for, and why."""


def plaintext(octets: bytes, key: bytes, cipher: Cipher, iv_bytes: int, spool: Spool) -> bytes | None:
    """What comes out, None if nothing does; in memory and in pieces it must be the same."""
    try:
        in_memory = decrypt(octets, key, cipher, iv_bytes)
    except Undecryptable:
        in_memory = None
    try:
        in_pieces = decrypt_content(MemoryContent(octets), key, cipher, iv_bytes, spool).read()
    except Undecryptable:
        in_pieces = None

    assert in_memory == in_pieces
    return in_memory


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool that keeps nothing in memory, so that everything is done in pieces."""
    return Spool(tmp_path, memory_bytes=0)


def test_gcm(shared: Path, spool: Spool) -> None:
    """As marked for IVs of 12 and 16 bytes; other IVs are refused by the policy, additional data is not in our form."""

    def judge(group: w.Group, case: w.Case) -> str:
        iv_bytes = group["ivSize"] // 8
        try:
            profile("osci").check_iv(iv_bytes, "content")
        except Rejected as refusal:
            return "IV of another length" if refusal.code == "policy.parameter" else "FAILED: another code"
        octets = w.octets(case, "iv") + w.octets(case, "ct") + w.octets(case, "tag")
        cipher = Cipher("gcm", "aes", group["keySize"] // 8)
        opened = plaintext(octets, w.octets(case, "key"), cipher, iv_bytes, spool)
        if case["aad"]:
            return w.outside(case, "additional data", accepted=opened is not None)
        return w.agrees(case, accepted=opened is not None and opened == w.octets(case, "msg"))

    assert GCM == dict(w.tally(shared, "aes_gcm", judge))


def test_cbc(shared: Path, spool: Spool) -> None:
    """As marked: every wrong padding is refused."""

    def judge(group: w.Group, case: w.Case) -> str:
        cipher = Cipher("cbc", "aes", group["keySize"] // 8)
        octets = w.octets(case, "iv") + w.octets(case, "ct")
        opened = plaintext(octets, w.octets(case, "key"), cipher, 12, spool)
        return w.agrees(case, accepted=opened is not None and opened == w.octets(case, "msg"))

    assert CBC == dict(w.tally(shared, "aes_cbc_pkcs5", judge))


def test_no_file_is_left_out(shared: Path) -> None:
    """Every file of the selection is run by a test or named here with the reason why not."""
    from tests.vectors import test_wycheproof_keys as keys
    from tests.vectors import test_wycheproof_signatures as signatures

    run = {*keys.OAEP, *keys.PKCS1, *signatures.PSS, *signatures.PKCS1, *signatures.ECDSA, *signatures.ECDSA_DER}
    files = {path.name.removesuffix("_test.json") for path in (shared / "vectors/wycheproof").glob("*_test.json")}

    assert files == {*run, "aes_gcm", "aes_cbc_pkcs5", *NOT_APPLICABLE}
    assert run.isdisjoint(NOT_APPLICABLE)
