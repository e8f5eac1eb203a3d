"""Heads to syslog beside the folder: sent by the daemon, missed ones follow, and a file of them is a second place."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from intermediary.audit.syslog import heads_in
from intermediary.audit.verify import Defect
from intermediary.daemon.chores import Chores
from intermediary.operations.durable import durable
from intermediary.operations.prove import verify_installation
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Installation, installation_id, open_installation
from tests.acceptance.rig import Rig


class Server:
    """A local syslog that can go away and come back; `written` is what it wrote, with a header of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log"
        self.lines: list[bytes] = []
        self._socket: socket.socket | None = None
        self.start()

    def start(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)

    def stop(self) -> None:
        self.written()
        if self._socket is not None:
            self._socket.close()
        self.path.unlink(missing_ok=True)

    def written(self) -> list[bytes]:
        while self._socket is not None and self._socket.fileno() >= 0:
            try:
                self.lines.append(b"Nov 21 12:00:00 amt-1 " + self._socket.recv(65_536))
            except BlockingIOError:
                break
        return self.lines


class Sender:
    """An installation whose daemon sends its heads there."""

    def __init__(self, rig: Rig, server: Server) -> None:
        config = rig.site.config
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("[audit]", f'[audit]\nheads_syslog = "unix:{server.path}"'), encoding="utf-8")
        self.rig, self.server = rig, server
        self.installation: Installation = open_installation(config)
        self.chores = self.started()
        self.submitted = 0

    def started(self) -> Chores:
        return Chores(self.installation, self.rig.configuration, now=self.rig.clock)

    def tick(self) -> list[tuple[str, object]]:
        """Something happens and is sealed; the errors that were logged."""
        self.submitted += 1
        self.rig.submit(sample_letter(self.submitted, now=self.rig.clock()), f"portal/{self.submitted}")
        self.rig.clock.advance(timedelta(seconds=10))
        with structlog.testing.capture_logs() as said:
            self.chores.do()
        return [(one["code"], one["where"]) for one in said if one["log_level"] == "error"]

    def sent(self) -> list[int]:
        name = str(installation_id(self.installation.settings.installation.name))
        return [head.size for head in heads_in(self.server.written(), name)]

    def sealed(self) -> list[int]:
        return [head.size for head in self.installation.store.heads()]


@pytest.fixture
def sender(tmp_path: Path, pki: Pki) -> Iterator[Sender]:
    """Two heads are sealed and sent."""
    rig, server = Rig(tmp_path / "site", pki), Server(tmp_path)
    made = Sender(rig, server)
    assert [[], []] == [made.tick(), made.tick()]
    yield made
    made.installation.store.close()
    rig.close()
    server.stop()


def test_every_head_is_sent(sender: Sender) -> None:
    """Once each, in order; nothing is sent again when nothing has happened."""
    sender.rig.clock.advance(timedelta(seconds=10))
    sender.chores.do()

    assert sender.sealed() == sender.sent()
    assert 2 == len(sender.server.written())


def test_a_failing_syslog_alarms_and_stops_nothing(sender: Sender) -> None:
    """It is said once and stays known, heads go on to the folder, and what was missed follows when the server is back."""
    sender.server.stop()
    address = sender.installation.settings.audit.heads_syslog

    assert [[("audit.syslog", f"audit.heads_syslog: {address}")], []] == [sender.tick(), sender.tick()]
    assert ["audit.syslog"] == list(sender.chores.failing.values())
    assert ["bad"] == [one.verdict for one in durable(sender.installation.settings) if one.subject == "audit syslog"]
    assert verify_installation(sender.installation).is_ok

    sender.server.start()
    assert [] == sender.tick()
    assert {} == sender.chores.failing
    assert ["ok"] == [one.verdict for one in durable(sender.installation.settings) if one.subject == "audit syslog"]
    assert sender.sealed() == sender.sent()
    assert 5 == len(sender.sent())


def test_a_daemon_that_starts_anew_sends_what_it_seals(sender: Sender) -> None:
    """What an earlier daemon could not send is covered by the first head of this one."""
    sender.server.stop()
    sender.tick()
    sender.server.start()
    sender.chores = sender.started()
    sender.tick()

    assert sender.sealed()[-1] == sender.sent()[-1]


def test_a_syslog_file_is_a_second_place(sender: Sender, tmp_path: Path) -> None:
    """A database put back together with the folder of heads is found by what the syslog server wrote."""
    data, folder = sender.installation.settings.installation.data, sender.installation.settings.audit.heads_folder
    shutil.copytree(data, tmp_path / "older")
    shutil.copytree(folder, tmp_path / "older-heads")
    sender.tick()
    file = tmp_path / "messages"
    file.write_bytes(b"\n".join(sender.server.written()) + b"\n")
    assert verify_installation(sender.installation, heads_folder=file).is_ok

    sender.installation.store.close()
    sender.rig.close()
    for place, copy in ((data, tmp_path / "older"), (folder, tmp_path / "older-heads")):
        shutil.rmtree(place)
        shutil.copytree(copy, place)
    older = open_installation(sender.rig.site.config)
    alone, compared = verify_installation(older), verify_installation(older, heads_folder=file)
    older.store.close()

    assert alone.is_ok
    assert [Defect.ROLLED_BACK] == [problem.defect for problem in compared.problems]


def test_an_empty_file_is_no_second_place(sender: Sender, tmp_path: Path) -> None:
    """Nothing was compared, and the report says so."""
    (tmp_path / "messages").touch()

    report = verify_installation(sender.installation, heads_folder=tmp_path / "messages")
    assert [Defect.SECOND_PLACE_MISSING] == [problem.defect for problem in report.problems]
