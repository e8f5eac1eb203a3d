"""The connector `sftp` against a real OpenSSH server: who is let in, what is lost, what is resumed, what is full."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import paramiko
import pytest

from connectors.sftp import session
from connectors.sftp.connector import MANIFEST
from connectors.sftp.remote import Remote, RemoteError
from connectors.sftp.session import opened_session
from connectors.sftp.settings import SftpSettings
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, NotDelivered, Refused
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument, MemoryContent
from intermediary.testing.connectors import (
    NOW,
    Check,
    code_of,
    deliver,
    delivers_large_packages,
    delivers_once,
    keeps_keys_apart,
    look_up,
    looks_up_honestly,
    make_auftrag,
    probes_without_effect,
    recover,
    repeats_without_effect,
)
from intermediary.testing.crashes import kill_at, stopped_at
from intermediary.testing.sshd import PrivateSshd, SshdMissing
from tests.conformance.sftp_target import SftpTarget


def started(**options: Any) -> Iterator[PrivateSshd]:
    """A server of our own; without OpenSSH the test is skipped, or fails if INTERMEDIARY_SERVERS_REQUIRED=1."""
    try:
        server = PrivateSshd(**options)
    except SshdMissing as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture(scope="module")
def sshd() -> Iterator[PrivateSshd]:
    yield from started()


@pytest.fixture
def target(sshd: PrivateSshd, tmp_path: Path) -> SftpTarget:
    return SftpTarget(tmp_path / "target", sshd)


@pytest.mark.parametrize(
    "check",
    [
        delivers_once,
        delivers_large_packages,
        keeps_keys_apart,
        repeats_without_effect,
        looks_up_honestly,
        probes_without_effect,
    ],
    ids=lambda check: check.__name__,
)
def test_conforms(check: Check, sshd: PrivateSshd, tmp_path: Path) -> None:
    """The contract of the port holds against a real server."""
    check(lambda name: SftpTarget(tmp_path / name, sshd, {"verify": "content", "checksum": True}))


@pytest.mark.parametrize("step", [40, 75, 110, 140, 170, 200])
def test_killed_and_overtaken(step: int, sshd: PrivateSshd, tmp_path: Path) -> None:
    """A worker that dies at a line, and one that is stopped there and goes on later: one effect (all lines: soak)."""
    auftrag = make_auftrag()
    target = SftpTarget(tmp_path / "killed", sshd)
    code = code_of(target.connect())
    kill_at(step, lambda: deliver(target.connect(), auftrag), code=code, meanwhile=target.consume)
    recover(target.connect(), auftrag)
    assert target.expects(auftrag) == target.arrived()

    rival = SftpTarget(tmp_path / "rival", sshd)
    with stopped_at(step, lambda: deliver(rival.connect(), auftrag), code=code):
        recover(rival.connect(), auftrag)
        rival.consume()
    rival.consume()
    recover(rival.connect(), auftrag)
    assert rival.expects(auftrag) == rival.arrived()


def test_an_unknown_server_gets_nothing(target: SftpTarget, sshd: PrivateSshd, tmp_path: Path) -> None:
    """Another host key, and one that known_hosts does not have, end before we log in; the fault tells the fingerprint."""
    other = tmp_path / "hosts"
    other.write_text(
        "elsewhere.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\n"
    )
    changed: list[dict[str, Any]] = [
        {"host_key": ["SHA256:" + "b" * 43]},
        {"host_key": None, "known_hosts": str(other)},
        {"host_key": None, "known_hosts": str(tmp_path / "none")},
    ]
    for one in changed:
        with pytest.raises(Misconfigured) as raised:
            deliver(target.connect(**one), make_auftrag())
        assert "target.hostkey" == raised.value.code
    assert not list(target.staging.iterdir())
    with pytest.raises(Misconfigured) as raised:
        target.connect(**changed[0]).probe()
    assert sshd.host_key in raised.value.where
    target.connect(host_key=None, known_hosts=str(sshd.known_hosts)).probe()


def test_who_is_let_in(target: SftpTarget, sshd: PrivateSshd, tmp_path: Path) -> None:
    """A wrong key, a wrong user, a wrong password and a key that everybody may read are the operator's."""
    stranger, secret = PrivateSshd(), tmp_path / "password"
    secret.write_text("geheim\n")
    secret.chmod(0o600)
    sealed = sshd.sealed_key("passphrase")
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("passphrase\n")
    passphrase.chmod(0o600)
    for changed in (
        {"key_file": str(stranger.client_key)},
        {"user": "nobody-at-all"},
        {"key_file": None, "password_file": str(secret)},
        {"key_file": str(sealed)},
        {"key_file": str(sealed), "key_password_file": str(secret)},
        {"key_file": str(secret)},
    ):
        with pytest.raises(Misconfigured) as raised:
            deliver(target.connect(**changed), make_auftrag())
        assert "target.credentials" == raised.value.code, changed
    target.connect(key_file=str(sealed), key_password_file=str(passphrase)).probe()
    open_key = tmp_path / "open"
    open_key.write_bytes(sshd.client_key.read_bytes())
    open_key.chmod(0o644)
    with pytest.raises(Misconfigured) as raised:
        target.connect(key_file=str(open_key)).probe()
    assert "target.secret.exposed" == raised.value.code
    stranger.__exit__(None, None, None)


def test_nobody_listens(target: SftpTarget, sshd: PrivateSshd, tmp_path: Path) -> None:
    """A server that is away, and one that does not speak SSH, heal by time; it is back by itself."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        with pytest.raises(Transient) as raised:
            deliver(target.connect(port=port, connect_seconds=1), make_auftrag())
    with pytest.raises(Transient):
        deliver(target.connect(port=port), make_auftrag())

    assert ("target.unreachable", f"sftp: 127.0.0.1:{port}") == (raised.value.code, raised.value.where)


class Cutting(MemoryContent):
    """A content that has something happen in the midst of being read."""

    def __init__(self, data: bytes, happens: Callable[[], object]) -> None:
        super().__init__(data)
        self._happens = happens

    def open(self) -> BinaryIO:
        import io

        happens, at = self._happens, self.length // 2

        class Stream(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                before = self.tell()
                piece = super().read(size)
                if before < at <= self.tell():
                    happens()
                return piece

        return Stream(self.read())


def test_a_session_that_dies_in_an_upload(target: SftpTarget, sshd: PrivateSshd) -> None:
    """Nothing has arrived, half of it is not kept, and the next attempt delivers once."""
    data = bytes(range(256)) * 40_000
    auftrag = make_auftrag(data=data)
    cut = replace(auftrag, package=replace(auftrag.package, content=Cutting(data, sshd.kill_sessions)))
    with pytest.raises(Transient) as raised:
        deliver(target.connect(), cut)
    again = deliver(target.connect(), replace(auftrag, attempt=2))

    assert "target.unreachable" == raised.value.code
    assert raised.value.where.endswith(f": 127.0.0.1:{sshd.port}")
    assert isinstance(again, Delivered)
    assert target.expects(auftrag) == target.arrived()
    assert ["seal.json"] == [path.name for path in target.staging.rglob("*") if path.is_file()]


def test_a_session_that_hangs_ends(target: SftpTarget, sshd: PrivateSshd) -> None:
    """A server that is stopped in the midst holds a worker for `idle_seconds`, and `total_seconds` at the most."""
    import signal

    from intermediary.testing.sshd import _descendants

    assert sshd._process is not None
    stopped: list[int] = []

    def stop() -> None:
        for pid in _descendants(sshd._process.pid):  # type: ignore[union-attr]
            os.kill(pid, signal.SIGSTOP)
            stopped.append(pid)

    data = b"x" * 20_000_000  # more than any buffer between us holds
    auftrag = make_auftrag(data=data)
    hanging = replace(auftrag, package=replace(auftrag.package, content=Cutting(data, stop)))
    for limit in ({"idle_seconds": 1}, {"total_seconds": 2}):
        with pytest.raises(Transient):
            deliver(target.connect(**limit), hanging)
        for pid in stopped:
            os.kill(pid, signal.SIGKILL)
        stopped.clear()
    deliver(target.connect(), replace(auftrag, attempt=2))

    assert target.expects(auftrag) == target.arrived()


def test_a_server_that_goes_away_while_we_log_in(
    target: SftpTarget, sshd: PrivateSshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library calls that a failed login; it is none, and heals by time."""
    original = session._key

    def key(settings: SftpSettings) -> paramiko.PKey:
        sshd.kill_sessions()
        return original(settings)

    monkeypatch.setattr(session, "_key", key)
    with pytest.raises(Transient) as raised:
        deliver(target.connect(), make_auftrag())

    assert "target.unreachable" == raised.value.code


def test_a_lost_session_at_the_rename_is_looked_up(target: SftpTarget, sshd: PrivateSshd) -> None:
    """The request is lost with its session: unclear, and the look-up tells what the server did."""
    auftrag = make_auftrag()
    connector = target.connect()
    original = Remote.rename

    def rename(self: Remote, source: str, final: str) -> None:
        if "/drop/" in final:
            sshd.kill_sessions()
        original(self, source, final)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Remote, "rename", rename)
        with pytest.raises(Unclear) as raised:
            deliver(connector, auftrag)
    found = look_up(connector, auftrag.key)

    assert "target.no-answer" == raised.value.code
    assert NotDelivered() == found
    recover(connector, auftrag)
    assert target.expects(auftrag) == target.arrived()


def test_a_full_disk_is_noticed_at_the_last_byte(tmp_path: Path) -> None:
    """Writes run ahead of their answers; that of the very last one is read too, and nothing truncated is delivered."""
    for server in started(most_bytes=1_000_000):
        target = SftpTarget(tmp_path / "full", server)
        for length in (1_000_001, 5_000_000):
            with pytest.raises(Transient) as raised:
                deliver(target.connect(), make_auftrag(data=b"x" * length))
            assert "target.full" == raised.value.code
        assert [] == target.arrived()
        auftrag = make_auftrag(2, data=b"x" * 1_000_000)
        deliver(target.connect(), auftrag)
        assert target.expects(auftrag) == target.arrived()


def test_a_server_that_lets_nobody_write(tmp_path: Path) -> None:
    """Missing rights are the operator's; probing changes nothing even there."""
    for server in started(sftp="internal-sftp -R"):
        target = SftpTarget(tmp_path / "readonly", server)
        target.connect().probe()
        with pytest.raises(Misconfigured) as raised:
            deliver(target.connect(), make_auftrag())

        assert ("target.misconfigured", "staging") == (raised.value.code, raised.value.where)


def test_a_server_without_extensions(tmp_path: Path) -> None:
    """Where there is no posix-rename, no fsync and no statvfs, SFTP's own rename is used."""
    for server in started(sftp="internal-sftp -P posix-rename,fsync,statvfs"):
        target, auftrag = SftpTarget(tmp_path / "old", server), make_auftrag()
        target.connect().probe()
        deliver(target.connect(), auftrag)
        assert target.expects(auftrag) == target.arrived()


def test_answers_and_layout(target: SftpTarget) -> None:
    """A folder per Zustellung with documents and checksums, and a refusal of the target as verdict."""
    acknowledgement = {"folder": str(target.answers), "deadline_hours": 1}
    documents = (Dokument("plan.pdf", "application/pdf", MemoryContent(b"plan" * 1000)),)
    auftrag = replace(make_auftrag(), dokumente=documents)
    connector = target.connect(layout="folder", name="{key}", checksum=True, acknowledgement=acknowledgement)
    awaiting = connector.deliver(auftrag, Checkpoints(MANIFEST.steps), NOW)
    assert isinstance(awaiting, Awaiting)
    before = connector.collect(auftrag.key, awaiting.correlation, NOW)
    (target.answers / f"{auftrag.key}.error").write_text("E12\n")
    verdict = connector.collect(auftrag.key, awaiting.correlation, NOW)

    assert before is None
    assert isinstance(verdict, Refused)
    assert "E12" == verdict.reason
    (folder,) = target.drop.iterdir()
    sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert {one.name for one in folder.iterdir()} == {"SHA256SUMS", *sums}
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == value for name, value in sums.items())


@pytest.mark.parametrize("changed", [{"drop": "missing"}, {"staging": "missing"}, {"staging": "DROP"}])
def test_probe_finds_what_does_not_fit(changed: dict[str, str], target: SftpTarget) -> None:
    """Missing folders, and a staging folder that the consumer would look into."""
    place = {name: str(target.drop if value == "DROP" else target.root / value) for name, value in changed.items()}
    with pytest.raises(Misconfigured) as raised:
        target.connect(**place).probe()

    assert raised.value.where.startswith(next(iter(changed)))


def test_another_file_system_is_found(target: SftpTarget) -> None:
    """A rename would not pass from one to the other."""
    with pytest.raises(Misconfigured) as raised:
        target.connect(staging="/dev/shm").probe()

    assert "not on the file system of staging" in raised.value.where


def test_requests_of_one_session(sshd: PrivateSshd, target: SftpTarget) -> None:
    """What the requests promise of a server: missing is not a failure where it is no surprise, folders are told apart."""
    folder = target.root / "own"
    folder.mkdir()
    with opened_session(target.settings()) as client:
        remote = Remote(client)
        remote.make_folder(str(folder))
        remote.remove(str(folder / "none"))
        remote.remove_folder(str(folder / "none"))
        facts = remote.upload(str(folder / "a"), [b"1", b"", b"234" * 50_000], 150_001)
        with pytest.raises(RemoteError):
            remote.upload(str(folder / "a"), [b"1"], 1)
        with pytest.raises(RemoteError):
            remote.upload(str(folder / "short"), [b"1"], 2)
        (folder / "large").write_bytes(b"x" * 300_000)
        with pytest.raises(RemoteError):
            remote.note(str(folder / "large"))

        assert (150_001, False) == (facts.length, facts.is_folder)
        assert remote.facts(str(folder / "none")) is None
        assert remote.note(str(folder / "none")) is None
        assert remote.sha256(str(folder / "a"), 150_001) == hashlib.sha256((folder / "a").read_bytes()).hexdigest()
        found = remote.facts(str(folder))
        assert found is not None
        assert found.is_folder


def test_after_a_kill_only_faults(sshd: PrivateSshd, tmp_path: Path) -> None:
    """Whatever a killed attempt left on the server, the next one ends in a verdict or a Fault."""
    target, auftrag = SftpTarget(tmp_path / "left", sshd), make_auftrag()
    kill_at(120, lambda: deliver(target.connect(), auftrag), code=code_of(target.connect()), meanwhile=lambda: None)
    try:
        deliver(target.connect(), replace(auftrag, attempt=2))
    except Fault:
        pytest.fail("nobody else is at work on this key")


def test_two_at_once(target: SftpTarget) -> None:
    """Two workers with one key at the same time: one effect, and whoever was slower says so or agrees."""
    auftrag, said = make_auftrag(data=b"x" * 3_000_000), []
    start = threading.Barrier(2)

    def work(attempt: int) -> None:
        start.wait()
        try:
            said.append(deliver(target.connect(), replace(auftrag, attempt=attempt)))
        except (Transient, Misconfigured, Unclear) as fault:
            said.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recover(target.connect(), replace(auftrag, attempt=3))

    assert target.expects(auftrag) == target.arrived()
