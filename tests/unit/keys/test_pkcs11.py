"""A reader's key on a token (SoftHSM): opens as a file does, and never takes a lost token for a wrong block."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from intermediary.core.faults import Fault, Misconfigured, Transient
from intermediary.keys.private import KeyTransport, oaep_or_pkcs1
from intermediary.keys.ring import Keyring, key_entries
from intermediary.testing.tokens import PIN, SoftToken, store_key
from tests.unit.keys.certificates import certificate_of

OAEP, OLD = KeyTransport("rsa-oaep"), KeyTransport("rsa-1_5")
LEGACY = KeyTransport("rsa-oaep", "sha1", "sha1")
MIXED = KeyTransport("rsa-oaep", "sha256", "sha1")
TRANSPORTS = [OAEP, OLD, LEGACY, MIXED, KeyTransport("rsa-oaep", "sha512", "sha512")]
CONTENT_KEY = b"k" * 32


def ring_of(token: SoftToken, folder: Path, *, label: str = "leser", pem: str = "", pin: str = "hsm/pin.txt") -> Path:
    """A keyring file that names one key on the token."""
    lines = [
        "[[key]]",
        f"pkcs11 = '{token.uri(label)}'",
        f"module = '{token.module}'",
        f"password_file = '{pin}'",
        f"pem = '{pem}'" if pem else "",
    ]
    (folder / "ring.toml").write_text("\n".join(lines))
    return folder / "ring.toml"


@pytest.fixture
def ring(token: SoftToken, tmp_path: Path, reader_key: rsa.RSAPrivateKey) -> Keyring:
    """A keyring whose only key is on the token, with its certificate in a file."""
    certificate = certificate_of(reader_key)
    (tmp_path / "leser.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    store_key(token, "leser", reader_key, certificate)
    return Keyring.load(ring_of(token, tmp_path, pem="leser.pem"))


def wrapped(ring: Keyring, transport: KeyTransport = OAEP, key: bytes = CONTENT_KEY) -> bytes:
    """A content key sealed for the keyring's certificate."""
    public = ring.certificates()[0].public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    return public.encrypt(key, oaep_or_pkcs1(transport))


def opened(ring: Keyring, block: bytes, transport: KeyTransport = OAEP) -> bytes:
    """What the keyring makes of it."""
    return ring.decrypt_key(ring.certificates()[0].public_bytes(Encoding.DER), block, transport, key_bytes=32)


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda t: f"{t.scheme} {t.digest} {t.mgf}")
def test_it_opens_what_is_sealed_for_it(ring: Keyring, transport: KeyTransport) -> None:
    """Every key transport, although this token refuses OAEP with SHA-256."""
    assert CONTENT_KEY == opened(ring, wrapped(ring, transport), transport)


@pytest.mark.parametrize("transport", [OAEP, OLD, LEGACY], ids=["oaep", "rsa-1_5", "oaep-sha1"])
@pytest.mark.parametrize("damage", ["bit", "short", "empty", "beyond the modulus", "another length"])
def test_implicit_rejection(ring: Keyring, transport: KeyTransport, damage: str) -> None:
    """A wrong block gives a fresh random key, whatever is wrong with it, and the next good one opens."""
    good = wrapped(ring, transport)
    broken = {
        "bit": bytes([good[0] ^ 1]) + good[1:],
        "short": good[:-1],
        "empty": b"",
        "beyond the modulus": b"\xff" * len(good),
        "another length": wrapped(ring, transport, b"k" * 16),
    }[damage]

    first, second = opened(ring, broken, transport), opened(ring, broken, transport)
    assert (32, 32) == (len(first), len(second))
    assert first != second
    assert CONTENT_KEY not in (first, second)
    assert CONTENT_KEY == opened(ring, good, transport)


def test_the_certificate_may_lie_on_the_token(token: SoftToken, tmp_path: Path, reader_key: rsa.RSAPrivateKey) -> None:
    """Without `pem` the certificate with the id of the key is taken."""
    certificate = certificate_of(reader_key)
    store_key(token, "leser", reader_key, certificate)

    assert (certificate,) == Keyring.load(ring_of(token, tmp_path)).certificates()


def test_a_token_that_is_gone_turns_nobody_away(token: SoftToken, ring: Keyring) -> None:
    """While it is pulled out a fault says so, of a kind that waits; once it is back everything opens again."""
    block = wrapped(ring)
    assert CONTENT_KEY == opened(ring, block)
    token.pull_out()
    for _ in range(3):
        with pytest.raises((Misconfigured, Transient)) as fault:
            opened(ring, block)
        assert fault.value.code in ("key.unavailable", "key.token.failed")
    token.put_back()

    assert CONTENT_KEY == opened(ring, block)


def test_a_token_that_comes_late(token: SoftToken, ring: Keyring) -> None:
    """The keyring is loaded without it, and works as soon as it is there."""
    block = wrapped(ring)
    token.pull_out()
    with pytest.raises((Misconfigured, Transient)):
        opened(ring, block)
    token.put_back()

    assert CONTENT_KEY == opened(ring, block)


def test_another_key_under_the_same_name_is_noticed(
    token: SoftToken, tmp_path: Path, ring: Keyring, other_key: rsa.RSAPrivateKey
) -> None:
    """A key that is not the certificate's would reject every citizen in silence: a block made here finds it first."""
    store_key(token, "anderer", other_key, identifier=b"\2")
    wrong = Keyring.load(ring_of(token, tmp_path, label="anderer", pem="leser.pem"))
    with pytest.raises(Misconfigured) as fault:
        opened(wrong, wrapped(wrong))

    assert "key.unavailable" == fault.value.code
    assert "not that of the certificate" in fault.value.where


@pytest.mark.parametrize("label", ["fehlt", "Leser"])
def test_a_key_that_is_not_there(token: SoftToken, tmp_path: Path, ring: Keyring, label: str) -> None:
    """Names are compared exactly; the fault says what is missing."""
    absent = Keyring.load(ring_of(token, tmp_path, label=label, pem="leser.pem"))
    with pytest.raises(Misconfigured) as fault:
        opened(absent, wrapped(absent))

    assert f"{label} on Musterstadt: no private key of this name on the token" == fault.value.where


def test_a_key_that_came_later_is_found(
    token: SoftToken, tmp_path: Path, ring: Keyring, other_key: rsa.RSAPrivateKey
) -> None:
    """A successor is put on the token while the daemon works with the old key: no restart is needed."""
    later = certificate_of(other_key)
    (tmp_path / "neu.pem").write_bytes(later.public_bytes(Encoding.PEM))
    text = (tmp_path / "ring.toml").read_text()
    (tmp_path / "ring.toml").write_text(
        text + "\n" + text.replace("object=leser", "object=neu").replace("leser.pem", "neu.pem")
    )
    both = Keyring.load(tmp_path / "ring.toml")
    block = both.certificates()[1].public_key().encrypt(CONTENT_KEY, oaep_or_pkcs1(OAEP))  # type: ignore[union-attr]
    assert CONTENT_KEY == opened(both, wrapped(both))
    store_key_elsewhere(token, other_key)

    assert CONTENT_KEY == both.decrypt_key(later.public_bytes(Encoding.DER), block, OAEP, key_bytes=32)
    assert CONTENT_KEY == opened(both, wrapped(both))


def store_key_elsewhere(token: SoftToken, key: rsa.RSAPrivateKey) -> None:
    """By a process of its own, as an operator does."""
    pem = token.folder / "neu.key"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    words = ["softhsm2-util", "--import", str(pem), "--token", token.label, "--label", "neu", "--id", "02"]
    subprocess.run([*words, "--pin", PIN], check=True, capture_output=True)


def test_a_wrong_pin_is_tried_once(token: SoftToken, tmp_path: Path, ring: Keyring) -> None:
    """Three wrong PINs lock a token, so a refused one is not tried again until its file is written anew."""
    (tmp_path / "wrong.txt").write_text("0000")
    refused = Keyring.load(ring_of(token, tmp_path, pem="leser.pem", pin="wrong.txt"))
    block = wrapped(refused)
    with pytest.raises(Misconfigured) as first:
        opened(refused, block)
    with pytest.raises(Misconfigured) as second:
        opened(refused, block)
    (tmp_path / "wrong.txt").write_text((token.folder / "pin.txt").read_text())

    assert "refused this PIN" in first.value.where
    assert "it is not tried again" in second.value.where
    assert CONTENT_KEY == opened(refused, block)


def test_a_wrong_pin_does_not_use_the_session_of_the_right_one(token: SoftToken, tmp_path: Path, ring: Keyring) -> None:
    """Two Mandanten on one token: whoever has not the PIN does not profit from the other's login."""
    block = wrapped(ring)
    assert CONTENT_KEY == opened(ring, block)
    (tmp_path / "wrong.txt").write_text("0000")
    with pytest.raises(Misconfigured):
        opened(Keyring.load(ring_of(token, tmp_path, pem="leser.pem", pin="wrong.txt")), block)

    assert CONTENT_KEY == opened(ring, block)


def test_nothing_secret_is_told(token: SoftToken, tmp_path: Path, ring: Keyring) -> None:
    """No PIN in a repr, a fault, or what hangs on it."""
    (tmp_path / "wrong.txt").write_text("CANARY")
    ring = Keyring.load(ring_of(token, tmp_path, pem="leser.pem", pin="wrong.txt"))
    with pytest.raises(Fault) as fault:
        opened(ring, b"")
    told = f"{fault.value!r} {fault.value.findings!r} {fault.value.__cause__!r} {fault.value.__context__!r}"

    assert "CANARY" not in told + repr(vars(ring)) + repr(key_entries(tmp_path / "ring.toml"))
    assert fault.value.__context__ is None


def test_a_module_that_is_none(tmp_path: Path, token: SoftToken, ring: Keyring) -> None:
    """A file that is no shared library is told by its path."""
    (tmp_path / "no.so").write_text("nothing")
    text = (tmp_path / "ring.toml").read_text().replace(str(token.module), str(tmp_path / "no.so"))
    (tmp_path / "ring.toml").write_text(text)
    ring = Keyring.load(tmp_path / "ring.toml")
    with pytest.raises(Misconfigured) as fault:
        opened(ring, wrapped(ring))

    assert str(tmp_path / "no.so") in fault.value.where


def test_entries_say_what_does_not_work(token: SoftToken, tmp_path: Path, ring: Keyring) -> None:
    """A key on a token is there by its certificate and in trouble while the token is gone."""
    (entry,) = key_entries(tmp_path / "ring.toml")

    assert ("decrypt", True, "leser on Musterstadt") == (entry.use, entry.is_on_token, entry.name)
    assert entry.certificate == ring.certificates()[0]
    assert entry.trouble() is None
    token.pull_out()
    trouble = entry.trouble()
    assert trouble is not None
    assert trouble.code in ("key.unavailable", "key.token.failed")


def test_four_threads_open_at_once(ring: Keyring) -> None:
    """Without the one lock this ends the process by SIGSEGV."""
    block, together = wrapped(ring), threading.Barrier(4)

    def work(_: int) -> set[bytes]:
        together.wait()
        return {opened(ring, block) for _ in range(50)}

    with ThreadPoolExecutor(4) as pool:
        assert [{CONTENT_KEY}] * 4 == list(pool.map(work, range(4)))


def test_a_process_forked_in_between_works_too(ring: Keyring) -> None:
    """Parent and child go on with sessions of their own."""
    block = wrapped(ring)
    assert CONTENT_KEY == opened(ring, block)
    child = os.fork()
    if child == 0:
        os._exit(0 if opened(ring, block) == CONTENT_KEY else 1)

    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert CONTENT_KEY == opened(ring, block)


def test_a_process_that_has_used_a_token_ends_in_peace(tmp_path: Path, ring: Keyring) -> None:
    """Neither the end of the interpreter nor the module's own makes it crash."""
    program = (
        "import sys; from pathlib import Path; from intermediary.keys.ring import key_entries\n"
        "sys.exit(any(one.trouble() for one in key_entries(Path(sys.argv[1]))))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "ring.toml")], check=False)

    assert 0 == done.returncode
