"""Targets that are folders: on this machine, or behind an SFTP server of the kit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from intermediary.testing.kit.http_target import fill
from intermediary.testing.kit.target import Effect, Trouble
from intermediary.testing.sshd import PrivateSshd

_PIECE = 1 << 20


class FolderTarget:
    """`Target` whose effects are the files in `drop`; `{drop}`, `{state}` and `{folder}` are folders for the settings.

    It refuses (`busy`) by being away until the next call of `misbehave`.
    """

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._settings = settings
        self._root = Path()
        self._marks: dict[str, frozenset[str]] = {}

    def start(self, folder: Path) -> Mapping[str, object]:
        self._root = folder
        for name in ("drop", "state", "staging"):
            (folder / name).mkdir()
        places = {name: str(folder / name) for name in ("drop", "state", "staging")}
        return fill(self._settings, {"folder": str(folder), **places})

    def effects(self, key: str) -> Sequence[Effect]:
        drop = self._drop()
        found = sorted(path for path in drop.rglob("*") if path.is_file())
        mark = self._marks.setdefault(key, frozenset(str(path.relative_to(drop)) for path in found))
        new = [path for path in found if str(path.relative_to(drop)) not in mark]
        return [Effect("file", _sha256(path)) for path in new]

    def misbehave(self, name: str, at: int = 0) -> bool:
        drop, away = self._root / "drop", self._root / "away"
        if name == Trouble.BUSY and at == 0:
            drop.rename(away)
            return True
        if away.exists():
            away.rename(drop)
        return not name

    def stop(self) -> None:
        """A folder has no end."""

    def _drop(self) -> Path:
        away = self._root / "away"
        return away if away.exists() else self._root / "drop"


class SftpTarget(FolderTarget):
    """The same behind OpenSSH's server, if that is installed; `{port}`, `{user}`, `{host_key}`, `{client_key}` as well.

    Raises `SshdMissing`. It refuses by being stopped.
    """

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._server = PrivateSshd()
        super().__init__(settings)
        self._is_up = False

    def start(self, folder: Path) -> Mapping[str, object]:
        self._server.start()
        self._is_up = True
        server = self._server
        known = {"port": str(server.port), "user": server.user, "host_key": server.host_key}
        return fill(super().start(folder), {**known, "client_key": str(server.client_key)})

    def misbehave(self, name: str, at: int = 0) -> bool:
        if name == Trouble.BUSY and at == 0:
            self._server.kill()
            self._is_up = False
            return True
        if not self._is_up:
            self._server.start()
            self._is_up = True
        return not name

    def stop(self) -> None:
        self._server.__exit__(None, None, None)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
