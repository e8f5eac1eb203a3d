"""A drop folder and its consumer, for the tests of the connector `ordner`."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from connectors.ordner.connector import CONNECTOR, Acknowledgement, OrdnerSettings
from intermediary.core.ports import Connector
from intermediary.core.values import Zustellauftrag
from intermediary.testing.connectors import Arrival


@dataclass(frozen=True)
class OrdnerTarget:
    """A drop folder and a consumer that moves everything out of it by renaming."""

    root: Path
    checksum: bool = False
    deadline_hours: int = 0

    def __post_init__(self) -> None:
        for name in ("drop", "state", "taken", "answers"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
            (self.root / name).chmod(0o755)

    @property
    def drop(self) -> Path:
        return self.root / "drop"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def answers(self) -> Path:
        return self.root / "answers"

    def kept(self) -> list[Path]:
        """What rests in the state folder, beside the file of the locks."""
        return [path for path in self.state.iterdir() if path.name != "keys.lock"]

    def connect(self) -> Connector:
        acknowledgement = Acknowledgement(self.answers, self.deadline_hours) if self.deadline_hours else None
        return CONNECTOR.build(OrdnerSettings(self.drop, self.state, self.checksum, acknowledgement), self.root)

    def consume(self) -> None:
        for file in list(self.drop.iterdir()):
            file.rename(self.root / "taken" / f"{time.monotonic_ns()}-{os.getpid()}_{file.name}")

    def arrived(self) -> list[Arrival]:
        taken = [(file.name.partition("_")[2], file) for file in (self.root / "taken").iterdir()]
        waiting = [(file.name, file) for file in self.drop.iterdir()]
        return [Arrival(name, hashlib.sha256(file.read_bytes()).hexdigest()) for name, file in taken + waiting]

    def expects(self, auftrag: Zustellauftrag) -> list[Arrival]:
        package = auftrag.package
        arrivals = [Arrival(package.file_name, package.content.sha256)]
        if self.checksum:
            line = f"{package.content.sha256}  {package.file_name}\n".encode()
            arrivals.append(Arrival(f"{package.file_name}.sha256", hashlib.sha256(line).hexdigest()))
        return arrivals

    def snapshot(self) -> object:
        files = sorted(self.root.rglob("*"))
        return [(file, file.stat().st_mtime_ns, file.read_bytes() if file.is_file() else b"") for file in files]
