"""A drop on an SFTP server and its consumer, for the tests of the connector `sftp`.

Where the whole suite is run, the connector's requests go straight to the file system, which does what OpenSSH's server
does with them; what a real server, its session and its losses are like is tested with one of its own.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.sftp.connector import CONNECTOR, Sftp
from connectors.sftp.remote import Facts, Failure, RemoteError
from connectors.sftp.settings import SftpSettings
from intermediary.connect.settings import build_settings
from intermediary.core.values import Zustellauftrag
from intermediary.testing.connectors import Arrival
from intermediary.testing.sshd import PrivateSshd


class Disk:
    """`Remote` without a server."""

    def facts(self, path: str) -> Facts | None:
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return None
        return Facts(found.st_size, int(found.st_mtime), stat.S_ISDIR(found.st_mode))

    def names(self, folder: str) -> list[str]:
        with said():
            return sorted(os.listdir(folder))

    def make_folder(self, path: str) -> None:
        with said():
            Path(path).mkdir(exist_ok=True)

    def upload(self, path: str, pieces: Iterable[bytes], length: int) -> Facts:
        with said(), open(path, "xb") as file:
            for piece in pieces:
                file.write(piece)
                file.flush()
        assert Path(path).stat().st_size == length
        found = self.facts(path)
        assert found is not None
        return found

    def note(self, path: str) -> bytes | None:
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None

    def sha256(self, path: str, length: int) -> str:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()

    def rename(self, source: str, target: str) -> None:
        with said():
            os.rename(source, target)

    def remove(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)

    def remove_folder(self, path: str) -> None:
        with said():
            Path(path).rmdir()

    def file_system(self, path: str) -> int | None:
        return Path(path).stat().st_dev


@contextmanager
def said() -> Iterator[None]:
    """The server's few words for what the system says."""
    try:
        yield
    except FileNotFoundError as error:
        raise RemoteError(Failure.MISSING) from error
    except OSError as error:
        raise RemoteError(Failure.FAILED) from error


@dataclass(frozen=True)
class SftpTarget:
    """A drop and a consumer that moves everything out of it by renaming; without a server, on the disk."""

    root: Path
    server: PrivateSshd | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("drop", "staging", "taken", "answers"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    @property
    def drop(self) -> Path:
        return self.root / "drop"

    @property
    def staging(self) -> Path:
        return self.root / "staging"

    @property
    def answers(self) -> Path:
        return self.root / "answers"

    def settings(self, **changed: Any) -> SftpSettings:
        server = self.server
        table: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": server.port if server else 22,
            "user": server.user if server else "nobody",
            "drop": str(self.drop),
            "staging": str(self.staging),
            "host_key": [server.host_key if server else "SHA256:" + "a" * 43],
            "key_file": str(server.client_key if server else self.root / "key"),
            **self.options,
            **changed,
        }
        present = {key: value for key, value in table.items() if value is not None}
        return build_settings(SftpSettings, present, base=self.root, where="settings")

    def connect(self, **changed: Any) -> Sftp:
        made = CONNECTOR.build(self.settings(**changed), self.root)
        if self.server is None:
            made._remote = on_disk  # type: ignore[method-assign]
        return made

    def consume(self) -> None:
        for file in list(self.drop.iterdir()):
            file.rename(self.root / "taken" / f"{time.monotonic_ns()}-{os.getpid()}_{file.name}")

    def arrived(self) -> list[Arrival]:
        taken = [(file.name.partition("_")[2], file) for file in (self.root / "taken").iterdir()]
        waiting = [(file.name, file) for file in self.drop.iterdir()]
        found = []
        for name, path in taken + waiting:
            if path.is_dir():
                found += [Arrival(f"{name}/{one.name}", _sha256(one.read_bytes())) for one in path.iterdir()]
            else:
                found.append(Arrival(name, _sha256(path.read_bytes())))
        return found

    def expects(self, auftrag: Zustellauftrag) -> list[Arrival]:
        layout = self.options.get("layout", "package")
        files = [*(auftrag.dokumente if layout != "package" else ()), auftrag.package]
        arrivals = [Arrival(one.file_name, one.content.sha256) for one in files]
        lines = {one.file_name: f"{one.content.sha256}  {one.file_name}\n".encode() for one in files}
        if self.options.get("checksum") and layout != "folder":
            arrivals += [Arrival(f"{name}.sha256", _sha256(line)) for name, line in lines.items()]
        elif self.options.get("checksum"):
            arrivals.append(Arrival("SHA256SUMS", _sha256(b"".join(lines.values()))))
        if layout == "folder":
            return [Arrival(f"{auftrag.package.file_name}/{one.name}", one.sha256) for one in arrivals]
        return arrivals

    def snapshot(self) -> object:
        files = sorted(self.root.rglob("*"))
        return [(file, file.stat().st_mtime_ns, file.read_bytes() if file.is_file() else b"") for file in files]


@contextmanager
def on_disk() -> Iterator[Disk]:
    """In place of a session."""
    yield Disk()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
