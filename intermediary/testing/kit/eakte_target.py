"""An e-file behind each transport of `eakte_xdomea`: the kit's targets of those, and folders for its answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intermediary.testing.kit.amqp_target import Queue
from intermediary.testing.kit.folder_target import FolderTarget, SftpTarget
from intermediary.testing.kit.http_target import HttpTarget
from intermediary.testing.kit.soap_target import Soap

_ANSWERS = ("folder", "archive", "unmatched")
_REST: Mapping[str, object] = {
    "url": "{url}",
    "idempotency": "native",
    "http": {"idle_seconds": 2, "total_seconds": 10, "max_answer_bytes": 100_000},
    "request": [{"path": "zustellungen", "body": "raw", "take": {"id": "id", "sha256": "sha256"}}],
}
_SFTP: Mapping[str, object] = {
    "host": "127.0.0.1",
    "port": "{port}",
    "user": "{user}",
    "drop": "{drop}",
    "staging": "{staging}",
    "host_key": ["{host_key}"],
    "key_file": "{client_key}",
}


class OverRest(HttpTarget):
    """An e-file with an HTTP interface that takes a key only once."""

    def __init__(self) -> None:
        super().__init__(_REST, routes=(), removes_doubles=True)

    def start(self, folder: Path) -> Mapping[str, object]:
        return _behind("rest", super().start(folder), folder)


class OverSoap(Soap):
    """An e-file with a SOAP interface that can be asked."""

    def start(self, folder: Path) -> Mapping[str, object]:
        return _behind("soap", super().start(folder), folder)


class OverSftp(SftpTarget):
    """An e-file with an import folder on a server."""

    def __init__(self) -> None:
        super().__init__(_SFTP)

    def start(self, folder: Path) -> Mapping[str, object]:
        return _behind("sftp", super().start(folder), folder)


class OverAmqp(Queue):
    """An e-file that reads a queue and takes a key only once."""

    def start(self, folder: Path) -> Mapping[str, object]:
        return _behind("amqp", super().start(folder), folder)


class ImportFolder(FolderTarget):
    """An e-file with an import folder on this machine, for the connector `eakte_ordner`."""

    def __init__(self) -> None:
        super().__init__({"drop": "{drop}", "state": "{state}"})

    def start(self, folder: Path) -> Mapping[str, object]:
        return {**super().start(folder), "answers": _answers(folder / "eakte")}


KIT = OverRest


def _behind(transport: str, settings: Mapping[str, object], folder: Path) -> Mapping[str, object]:
    """The settings of the e-file over a transport with these; its folders are made."""
    home = folder / "eakte"
    answers, state = _answers(home), home / "state"
    state.mkdir()
    return {"transport": transport, "state": str(state), transport: settings, "answers": answers}


def _answers(home: Path) -> dict[str, Any]:
    for name in _ANSWERS:
        (home / name).mkdir(parents=True)
    return {name: str(home / name) for name in _ANSWERS}
