"""TLS of a door or client: its key is opened here, protocol and ciphers are chosen here (policy C: 1.3; 1.2 with AEAD)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from intermediary.core.faults import Misconfigured

_CIPHERS_OF_TLS_1_2 = "ECDHE+AESGCM"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the server's certificate chain and key (PEM) lie; with `client_ca`, only its holders' clients are let in."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def stamps(self) -> tuple[object, ...]:
        """What changes when a file is replaced; a missing file is a stamp too."""
        return tuple(_stamp(path) for path in (self.certificate, self.key))


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """A context for `loop.create_server`. Raises `Misconfigured("key.unavailable")` naming the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS_OF_TLS_1_2)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    load_certificate(context, files)
    if files.client_ca is not None:
        try:
            context.load_verify_locations(cafile=files.client_ca)
        except OSError as error:  # SSLError is one
            raise Misconfigured("key.unavailable", where=str(files.client_ca)) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(files: TlsFiles, *, ca_file: Path | None) -> ssl.SSLContext:
    """A context for a client that shows this certificate and verifies chain and name of whom it calls (TLS 1.2 or better).

    `ca_file` replaces the system's authorities. Raises `Misconfigured("key.unavailable")` naming the file.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:  # SSLError is one
        raise Misconfigured("key.unavailable", where=str(ca_file)) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, files)
    return context


def load_certificate(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Put the certificate and key of these files into force, for connections from now on; the old stay when it fails."""
    for path in (files.certificate, files.key):
        try:
            path.read_bytes()
        except OSError as error:
            raise Misconfigured("key.unavailable", where=str(path)) from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key, password=_no_password)
    except (OSError, ValueError) as error:
        raise Misconfigured("key.unavailable", where=f"{files.certificate} with {files.key}") from error
    context.load_cert_chain(files.certificate, files.key, password=_no_password)


def _no_password() -> str:
    """Without this, OpenSSL asks the terminal for the passphrase of an encrypted key."""
    raise ValueError("the key of a door has no passphrase: its file is for the daemon's account alone")


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
