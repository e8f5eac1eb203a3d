"""The keyring file and what a keyring does: open, list, never hand out."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Misconfigured
from intermediary.keys.private import KeyTransport
from intermediary.keys.ring import POLICIES, Keyring, named_files
from intermediary.unseal.policy import PROFILES

KEYS = Path(__file__).parents[2] / "vectors" / "osci" / "keys"
OAEP = KeyTransport("rsa-oaep", "sha256", "sha256")
OLD = KeyTransport("rsa-1_5")

GOOD = """
policy = "legacy"
policy_until = 2027-01-01T00:00:00Z
require = ["content-signature"]
[[key]]
p12 = "reader-cipher.p12"
password_file = "password.txt"
[[key]]
p12 = "reader2-cipher.p12"
password_file = "password.txt"
[[trust]]
pem = "test-ca.cert.pem"
purpose = ["content"]
[fit_connect]
destination = "for later"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with key files, for a keyring file beside them."""
    for path in KEYS.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


def load(folder: Path, text: str) -> Keyring:
    (folder / "ring.toml").write_text(text, "utf-8")
    return Keyring.load(folder / "ring.toml")


def refused(folder: Path, text: str) -> tuple[str, str]:
    with pytest.raises(Misconfigured) as refusal:
        load(folder, text)
    return refusal.value.code, refusal.value.where


def wrap(ring: Keyring, index: int, key: bytes, scheme: padding.AsymmetricPadding) -> tuple[bytes, bytes]:
    certificate = ring.certificates()[index]
    return certificate.public_bytes(Encoding.DER), certificate.public_key().encrypt(key, scheme)  # type: ignore[union-attr]


OAEP_PADDING = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def test_a_good_file(folder: Path) -> None:
    """Keys, anchors, policy with its end, and demands are read; paths are relative to the file."""
    ring = load(folder, GOOD)

    assert len(ring.certificates()) == 2
    assert ring.policy == "legacy"
    assert ring.policy_until == datetime(2027, 1, 1, tzinfo=UTC)
    assert ring.require == {"content-signature"}
    assert [len(ring.anchors("content")), len(ring.anchors("transport"))] == [1, 0]


def test_the_default_policy() -> None:
    """A keyring that names no profile has the doors' default."""
    assert Keyring().policy == "osci"


@pytest.mark.parametrize("index", [0, 1])
def test_each_key_opens_its_own(folder: Path, index: int) -> None:
    """Several keys stand side by side (overlap rotation): each opens what was wrapped for it."""
    ring = load(folder, GOOD)
    der, wrapped = wrap(ring, index, b"k" * 32, OAEP_PADDING)

    assert ring.has_key(der)
    assert ring.decrypt_key(der, wrapped, OAEP, key_bytes=32) == b"k" * 32


def test_a_stranger_has_no_key(folder: Path) -> None:
    """A certificate that is not ours is told apart before any key is used."""
    anchor = x509.load_pem_x509_certificate((folder / "test-ca.cert.pem").read_bytes())

    assert not load(folder, GOOD).has_key(anchor.public_bytes(Encoding.DER))


@pytest.mark.parametrize("transport", [OAEP, OLD], ids=["oaep", "rsa-1_5"])
@pytest.mark.parametrize("damage", ["bit", "length", "empty", "too large"])
def test_implicit_rejection(folder: Path, transport: KeyTransport, damage: str) -> None:
    """Whatever is wrong with a wrapped key, a key of the right length comes back that is not the wrapped one."""
    ring = load(folder, GOOD)
    scheme = OAEP_PADDING if transport is OAEP else padding.PKCS1v15()
    der, wrapped = wrap(ring, 0, b"k" * 32, scheme)
    broken = {
        "bit": bytes([wrapped[0] ^ 1]) + wrapped[1:],
        "length": wrapped[:-1],
        "empty": b"",
        "too large": b"\xff" * len(wrapped),
    }[damage]
    first = ring.decrypt_key(der, broken, transport, key_bytes=32)

    assert len(first) == 32
    assert first != b"k" * 32
    assert ring.decrypt_key(der, wrapped, transport, key_bytes=32) == b"k" * 32


def test_a_key_of_another_length_is_not_used(folder: Path) -> None:
    """A well-wrapped key that is too short for the cipher counts as broken."""
    ring = load(folder, GOOD)
    der, wrapped = wrap(ring, 0, b"k" * 16, OAEP_PADDING)

    assert len(ring.decrypt_key(der, wrapped, OAEP, key_bytes=32)) == 32


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("polic = 'osci'", "keyring.invalid", "ring.toml: polic (did you mean policy?)"),
        ("require = ['content-signatur']", "keyring.invalid", "ring.toml: require (did you mean content-signature?)"),
        ("policy = 7", "keyring.invalid", "ring.toml: policy"),
        ("policy = 'strickt'", "policy.unknown", "ring.toml: policy (did you mean strict?)"),
        ("policy_until = 2027-01-01T00:00:00", "keyring.invalid", "ring.toml: policy_until"),
        ("not toml", "keyring.invalid", "ring.toml"),
        ("[[key]]\npassword_file = 'password.txt'", "keyring.invalid", "ring.toml: key[1]"),
        ("[[key]]\np12 = 'a'\npem = 'b'", "keyring.invalid", "ring.toml: key[1]"),
        ("[[key]]\np12 = 7", "keyring.invalid", "ring.toml: key[1].p12"),
        ("[[key]]\np12 = 'a'\npasword_file = 'b'", "keyring.invalid",
         "ring.toml: key[1].pasword_file (did you mean password_file?)"),
        ("[[trust]]\npem = 'test-ca.cert.pem'\npurpose = ['tls']", "keyring.invalid", "ring.toml: trust[1].purpose"),
        ("[[key]]\njwk = 'a'", "key.unsupported", "ring.toml: key[1].jwk"),
        ("[[key]]\npkcs11 = 'pkcs11:token=x'", "keyring.invalid", "ring.toml: key[1].pkcs11"),
        ("[[key]]\npkcs11 = 'pkcs11:token=x;object=y'", "keyring.invalid", "ring.toml: key[1]"),
        ("[[key]]\npkcs11 = 'pkcs11:token=x;object=y?module-path=a'\nmodule = 'b'", "keyring.invalid",
         "ring.toml: key[1]"),
        ("[[key]]\npkcs11 = 'pkcs11:token=x;object=y?pin-value=1234'\nmodule = 'empty'", "keyring.invalid",
         "ring.toml: key[1].pkcs11"),
        ("[[key]]\npkcs11 = 'pkcs11:token=x;object=y'\np12 = 'a'\nmodule = 'empty'", "keyring.invalid",
         "ring.toml: key[1]"),
        ("[[key]]\npkcs11 = 'pkcs11:token=x;object=y'\nmodule = 'missing.so'", "key.unavailable", "missing.so"),
        ("[[key]]\npkcs11 = 'pkcs11:token=x;object=y'\nmodule = 'empty'\npassword_file = 'empty'", "key.unavailable",
         "empty"),
        ("[[key]]\npem = 'test-ca.cert.pem'\nmodule = 'empty'", "keyring.invalid", "ring.toml: key[1].module"),
        ("[[sign]]\np12 = 'missing.p12'", "key.unavailable", "missing.p12"),
        ("[[sign]]\np12 = 'reader-cipher.p12'\npassword_file = 'wrong'", "key.unavailable", "reader-cipher.p12"),
        ("[[key]]\np12 = 'missing.p12'", "key.unavailable", "missing.p12"),
        ("[[key]]\np12 = 'reader-cipher.p12'", "key.unavailable", "reader-cipher.p12"),
        ("[[key]]\np12 = 'reader-cipher.p12'\npassword_file = 'empty'", "key.unavailable", "empty"),
        ("[[key]]\np12 = 'reader-cipher.p12'\npassword_file = 'wrong'", "key.unavailable", "reader-cipher.p12"),
        ("[[key]]\npem = 'test-ca.cert.pem'", "key.unavailable", "test-ca.cert.pem"),
        ("[[trust]]\npem = 'reader-cipher.p12'", "key.unavailable", "reader-cipher.p12"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(folder: Path, text: str, code: str, where: str) -> None:
    """Unknown keys, wrong types and files that cannot be opened are told by dotted path or file name."""
    (folder / "empty").write_text("\n")
    (folder / "wrong").write_text("not the password")

    assert refused(folder, text) == (code, where)


def test_nothing_secret_is_told(folder: Path) -> None:
    """Neither a repr nor a fault shows a password or key."""
    ring = load(folder, GOOD)
    (folder / "wrong").write_text("CANARY-password")
    with pytest.raises(Misconfigured) as refusal:
        load(folder, "[[key]]\np12 = 'reader-cipher.p12'\npassword_file = 'wrong'")

    assert repr(ring) == "<keyring of 2 keys>"
    assert "CANARY" not in f"{refusal.value!r} {refusal.value.__cause__!r}"


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    """Each with its dotted path and what is allowed there; the fault itself names the first, and the file once."""
    with pytest.raises(Misconfigured) as refusal:
        load(
            folder,
            "polic = 'osci'\npolicy = 'strickt'\nrequire = ['content-signatur', 'x']\n"
            "[[key]]\np12 = 'missing.p12'\n[[key]]\np12 = 7\n[[trust]]\npem = 'test-ca.cert.pem'\npurpose = ['tls']\n",
        )

    assert ("keyring.invalid", "ring.toml: polic (did you mean policy?)") == (refusal.value.code, refusal.value.where)
    found = {(one.code, one.path): one.hint for one in refusal.value.findings}
    assert [
        ("keyring.invalid", "polic"),
        ("keyring.invalid", "require"),
        ("policy.unknown", "policy"),
        ("key.unavailable", "key[1].p12"),
        ("keyring.invalid", "key[2].p12"),
        ("keyring.invalid", "trust[1].purpose"),
    ] == list(found)
    assert 7 == len(refusal.value.findings)
    assert "did you mean policy?" in found["keyring.invalid", "polic"]
    assert "strict, osci, legacy" in found["policy.unknown", "policy"]
    assert "transport, content" in found["keyring.invalid", "trust[1].purpose"]
    assert str(folder / "missing.p12") in found["key.unavailable", "key[1].p12"]


def test_the_policies_are_those_of_the_profiles() -> None:
    """The keyring accepts the names that the room `unseal` has a profile for, and no other."""
    assert POLICIES == PROFILES


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('[[key]]\np12 = "a.p12"\npassword_file = "a.pass"\n[[trust]]\npem = "ca.pem"', ["a.p12", "a.pass", "ca.pem"]),
        ('[[key]]\npem = 7\n[key.more]\n[[trust]]\npem = "ca.pem"\nnonsense = 1', ["ca.pem"]),
        ('key = "x"\ntrust = [1, []]', []),
        ("[[key", []),
    ],
)
def test_the_files_it_names_can_be_watched(folder: Path, text: str, names: list[str]) -> None:
    """Also of a keyring that does not load: it is looked at again when one of them appears."""
    (folder / "watched.toml").write_text(text)

    assert names == [path.name for path in named_files(folder / "watched.toml")]


def test_a_missing_keyring_names_no_files(folder: Path) -> None:
    """It does not raise: loading says what is wrong."""
    assert () == named_files(folder / "absent.toml")
    assert () == named_files(folder)
