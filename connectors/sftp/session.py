"""One SSH session with the target's server: its host key is compared before anything of ours is shown."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from connectors.sftp.settings import SftpSettings
from intermediary.connect.api import Misconfigured, Transient, read_secret

_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
_WINDOW_BYTES = 4 * 1024 * 1024
_WHERE = "sftp"


@contextmanager
def opened_session(settings: SftpSettings) -> Iterator[paramiko.SFTPClient]:
    """A session that ends with the body, or after `total_seconds` in the midst of it.

    Raises `Transient` while the server cannot be reached, `Misconfigured` with `target.hostkey` for another server and
    with `target.credentials` when it does not let us in.
    """
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # it would name files; what matters is said by our faults
    with _naming(settings), _linked(settings) as link:
        transport = paramiko.Transport(link)
        limit = threading.Timer(settings.total_seconds, _cut, (link,))
        limit.daemon = True
        try:
            limit.start()
            yield _let_in(transport, settings)
        finally:
            limit.cancel()
            transport.close()


def examine(settings: SftpSettings) -> None:
    """Read the host keys that are known and our own key, without the network; raises `Misconfigured`."""
    _known_keys(settings)
    if settings.key_file is not None:
        _key(settings)


def _linked(settings: SftpSettings) -> socket.socket:
    try:
        return socket.create_connection((settings.host, settings.port), timeout=settings.connect_seconds)
    except OSError as error:
        raise Transient("target.unreachable", where=_WHERE) from error


@contextmanager
def _naming(settings: SftpSettings) -> Iterator[None]:
    """Whoever reads that a server cannot be reached, or went away in the midst, is told which one is meant."""
    try:
        yield
    except Transient as fault:
        if fault.code != "target.unreachable":
            raise
        raise Transient(fault.code, where=f"{fault.where}: {settings.host}:{settings.port}") from fault


def _let_in(transport: paramiko.Transport, settings: SftpSettings) -> paramiko.SFTPClient:
    seconds = settings.connect_seconds
    transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = seconds
    options = transport.get_security_options()
    options.ciphers = [cipher for cipher in _CIPHERS if cipher in options.ciphers]
    known = _known_keys(settings)
    if known:  # a server with several keys is asked for one that we know
        options.key_types = [name for name in options.key_types if _type_of(name) in known]
    try:
        transport.start_client(timeout=seconds)
        _demand_known(transport.get_remote_server_key(), settings, known)
        _log_in(transport, settings)
        channel = transport.open_session(window_size=_WINDOW_BYTES, timeout=seconds)
        channel.settimeout(settings.idle_seconds)
        channel.invoke_subsystem("sftp")
        return paramiko.SFTPClient(channel)
    except paramiko.AuthenticationException as error:
        if not transport.is_active() or "timeout" in str(error):  # said of a server that goes away meanwhile, too
            raise Transient("target.unreachable", where=f"{_WHERE}: while logging in") from error
        raise Misconfigured("target.credentials", where=_WHERE) from error
    except paramiko.ssh_exception.IncompatiblePeer as error:  # none of its keys or ciphers is one of ours
        raise Misconfigured("target.hostkey", where=f"{_WHERE}: no common algorithm") from error
    except (paramiko.SSHException, paramiko.SFTPError, OSError, EOFError) as error:
        raise Transient("target.unreachable", where=_WHERE) from error


def _demand_known(key: paramiko.PKey, settings: SftpSettings, known: dict[str, paramiko.PKey]) -> None:
    """What the server shows is public: the operator compares it with what its owner says."""
    shown = str(key.fingerprint)
    is_known = shown in settings.host_key or known.get(key.get_name()) == key
    if not is_known:
        raise Misconfigured("target.hostkey", where=f"{_WHERE}: {key.get_name()} {shown}")


def _known_keys(settings: SftpSettings) -> dict[str, paramiko.PKey]:
    if settings.known_hosts is None:
        return {}
    name = settings.host if settings.port == 22 else f"[{settings.host}]:{settings.port}"
    try:
        found = paramiko.HostKeys(str(settings.known_hosts)).lookup(name)
    except (OSError, paramiko.SSHException) as error:
        raise Misconfigured("target.hostkey", where=f"{_WHERE}: known_hosts") from error
    if not found:
        raise Misconfigured("target.hostkey", where=f"{_WHERE}: known_hosts does not have {name}")
    return dict(found)


def _type_of(algorithm: str) -> str:
    """The kind of key that a signature algorithm belongs to."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _log_in(transport: paramiko.Transport, settings: SftpSettings) -> None:
    if settings.key_file is None:
        assert settings.password_file is not None  # noqa: S101 - the settings demand one of both
        transport.auth_password(settings.user, read_secret(settings.password_file))
    else:
        transport.auth_publickey(settings.user, _key(settings))
    if not transport.is_authenticated():  # the server wants a second factor
        raise Misconfigured("target.credentials", where=f"{_WHERE}: more than one way to log in is demanded")


def _key(settings: SftpSettings) -> paramiko.PKey:
    assert settings.key_file is not None  # noqa: S101 - as above
    read_secret(settings.key_file)  # refuses a file that everybody may read
    password = read_secret(settings.key_password_file) if settings.key_password_file else None
    try:
        return paramiko.PKey.from_path(settings.key_file, password.encode() if password else None)  # type: ignore[arg-type] # bytes
    except (OSError, ValueError, TypeError, paramiko.SSHException) as error:
        raise Misconfigured("target.credentials", where="key_file") from error


def _cut(link: socket.socket) -> None:
    try:
        link.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended by itself
        return
