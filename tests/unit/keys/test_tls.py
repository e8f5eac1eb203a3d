"""TLS of a door: what is negotiated, whose client is let in, and that a renewed certificate comes into force."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.keys.tls import TlsFiles, load_certificate, server_context
from tests.acceptance.osci_endpoint import write_tls


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    write_tls(tmp_path / "cert.pem", tmp_path / "key.pem")
    return TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem")


def shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLSocket:
    """Both ends shake hands; the client's end, or what it failed with."""
    ours, theirs = socket.socketpair()

    def accept() -> None:
        try:
            with server.wrap_socket(ours, server_side=True) as held:
                held.sendall(b"x")
        except (OSError, ssl.SSLError):
            ours.close()

    thread = threading.Thread(target=accept)
    thread.start()
    connected = None
    try:
        connected = client.wrap_socket(theirs, server_hostname="localhost")
        if connected.recv(1) != b"x":
            raise ssl.SSLError("turned away")
    except OSError:
        (connected or theirs).close()
        raise
    finally:
        thread.join(10)
    return connected


def trusting(files: TlsFiles) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(files.certificate))


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_is_negotiated(files: TlsFiles, highest: ssl.TLSVersion) -> None:
    """TLS 1.3, or 1.2 with forward secrecy and AEAD."""
    client = trusting(files)
    client.maximum_version = highest
    connected = shaken(server_context(files), client)
    name, version, _bits = connected.cipher() or ("", "", 0)

    assert highest.name.replace("_", ".") == version
    assert "GCM" in name or "CHACHA20" in name
    connected.close()


@pytest.mark.parametrize("weak", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA"])
def test_what_is_refused(files: TlsFiles, weak: str) -> None:
    """No RSA key exchange, no CBC (policy C)."""
    client = trusting(files)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(weak)

    with pytest.raises(OSError):
        shaken(server_context(files), client)


def test_old_versions_are_refused(files: TlsFiles) -> None:
    """A client that ends at TLS 1.1 gets nothing."""
    assert ssl.TLSVersion.TLSv1_2 is server_context(files).minimum_version


def test_only_clients_of_the_named_ca(files: TlsFiles, tmp_path: Path) -> None:
    """With a client CA a client without its certificate is turned away."""
    write_tls(tmp_path / "client.pem", tmp_path / "client.key", name="client")
    server = server_context(TlsFiles(files.certificate, files.key, tmp_path / "client.pem"))
    with pytest.raises(OSError):
        shaken(server, trusting(files))

    known = trusting(files)
    known.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
    shaken(server, known).close()


def test_a_renewed_certificate_comes_into_force(files: TlsFiles) -> None:
    """Under the same names and in the same context; a broken one leaves the old in force."""
    server, before = server_context(files), files.stamps()
    write_tls(files.certificate, files.key, name="renewed")
    load_certificate(server, files)
    assert before != files.stamps()
    connected = shaken(server, trusting(files))
    assert ((("commonName", "renewed"),),) == connected.getpeercert()["subject"]  # type: ignore[index]
    connected.close()

    client = trusting(files)
    files.key.write_text("rubbish")
    with pytest.raises(Misconfigured):
        load_certificate(server, files)
    shaken(server, client).close()


@pytest.mark.parametrize("spoiled", ["certificate", "key"])
def test_what_cannot_be_read_is_named(files: TlsFiles, spoiled: str) -> None:
    """A missing file is a fault with its path, for the operator."""
    getattr(files, spoiled).unlink()
    with pytest.raises(Misconfigured) as caught:
        server_context(files)

    assert ("key.unavailable", str(getattr(files, spoiled))) == (caught.value.code, caught.value.where)


def test_files_that_do_not_fit_are_both_named(files: TlsFiles) -> None:
    """The key is not blamed for a certificate that is none, or another key's."""
    files.certificate.write_text("rubbish")
    with pytest.raises(Misconfigured) as caught:
        server_context(files)

    assert f"{files.certificate} with {files.key}" == caught.value.where


def test_a_passphrase_is_not_asked_for(files: TlsFiles) -> None:
    """An encrypted key is refused instead of waiting at a terminal that is not there."""
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", files.key, "-passout", "pass:geheim", "-out", f"{files.key}.enc"],
        check=True,
    )
    with pytest.raises(Misconfigured):
        server_context(TlsFiles(files.certificate, Path(f"{files.key}.enc")))
