"""The settings of one SFTP target, checked as far as that goes without a connection."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_OF_A_FOLDER = frozenset({"mandant"})
_OF_A_NAME = frozenset({"file_name", "key", "nachricht", "mandant"})


class RemoteFolder(str):
    """A folder of the server, absolute or from the login folder on; `{mandant}` stands for the Mandant."""

    __slots__ = ()

    def __new__(cls, text: str) -> RemoteFolder:
        _demand_known(text, _OF_A_FOLDER)
        if not text or not text.isprintable() or text.strip() != text or ".." in text.split("/"):
            raise ValueError("expected a folder of the server without ..")
        return super().__new__(cls, text.rstrip("/") or "/")


class NamePattern(str):
    """How a file is called: text with `{file_name}`, `{key}`, `{nachricht}` and `{mandant}`."""

    __slots__ = ()

    def __new__(cls, text: str) -> NamePattern:
        names = _demand_known(text, _OF_A_NAME)
        if not text.isprintable() or "/" in text or text.startswith("."):
            raise ValueError("expected the name of a file, without folder")
        if not names & {"file_name", "key"}:
            raise ValueError("expected {file_name} or {key} in it: every Zustellung needs a name of its own")
        return super().__new__(cls, text)


class Fingerprint(str):
    """A host key as `ssh-keygen -lf` prints it: SHA256 and 43 characters."""

    __slots__ = ()

    def __new__(cls, text: str) -> Fingerprint:
        if not _FINGERPRINT.fullmatch(text):
            raise ValueError("expected a fingerprint SHA256:… as `ssh-keygen -lf` prints it")
        return super().__new__(cls, text)


def _demand_known(text: str, known: frozenset[str]) -> set[str]:
    names = set(_PLACEHOLDER.findall(text))
    if names - known or "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
        raise ValueError(f"known placeholders: {', '.join(sorted(f'{{{name}}}' for name in known))}")
    return names


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Where the target says what became of a file."""

    folder: RemoteFolder = field(
        metadata={"help": "folder of the server with the target's answers: NAME.ok, or NAME.error with a code"}
    )
    deadline_hours: int = field(default=72, metadata={"help": "hours until a missing answer is looked into"})


@dataclass(frozen=True, slots=True)
class SftpSettings:
    """The settings of one SFTP target; its folders must exist."""

    host: str = field(metadata={"help": "name or address of the SFTP server"})
    user: str = field(metadata={"help": "account at the server"})
    drop: RemoteFolder = field(
        metadata={"help": "folder that the target empties; what appears there is complete; may contain {mandant}"}
    )
    staging: RemoteFolder = field(
        metadata={"help": "private folder on the same file system: what is underway, and the memory of keys"}
    )
    port: int = field(default=22, metadata={"help": "port of the server", "minimum": 1})
    host_key: tuple[Fingerprint, ...] = field(
        default=(),
        metadata={"help": "fingerprints of the server's host keys (SHA256:…); another one is never accepted"},
    )
    known_hosts: Path | None = field(
        default=None, metadata={"help": "file with the server's host keys (known_hosts), instead of `host_key`"}
    )
    key_file: Path | None = field(
        default=None, metadata={"help": "our private key (OpenSSH or PEM, mode 0600)", "secret": True}
    )
    key_password_file: Path | None = field(
        default=None, metadata={"help": "file with the passphrase of `key_file`", "secret": True}
    )
    password_file: Path | None = field(
        default=None, metadata={"help": "file with the account's password, instead of `key_file`", "secret": True}
    )
    layout: Literal["package", "files", "folder"] = field(
        default="package",
        metadata={"help": "the package alone; documents as files before it; or one folder with all of it"},
    )
    name: NamePattern = field(
        default=NamePattern("{file_name}"),
        metadata={"help": "names in the drop; known are {file_name}, {key}, {nachricht}, {mandant}"},
    )
    checksum: bool = field(
        default=False, metadata={"help": "put NAME.sha256 before each file (in a folder: SHA256SUMS)"}
    )
    create_folders: bool = field(
        default=False, metadata={"help": "make the folder of a Mandant in the drop when it is missing"}
    )
    verify: Literal["length", "content"] = field(
        default="length", metadata={"help": "after an upload compare the length, or read all of it back and hash it"}
    )
    acknowledgement: Acknowledgement | None = field(
        default=None, metadata={"help": "wait for the target's answer instead of taking the hand-over as delivered"}
    )
    connect_seconds: int = field(default=15, metadata={"help": "seconds until the server has let us in"})
    idle_seconds: int = field(default=60, metadata={"help": "seconds without an answer until a session is given up"})
    total_seconds: int = field(default=3600, metadata={"help": "seconds for one session from beginning to end"})

    def __post_init__(self) -> None:
        if bool(self.host_key) is (self.known_hosts is not None):
            raise ValueError("either `host_key` or `known_hosts`: a server nobody knows is never trusted")
        if (self.key_file is None) is (self.password_file is None):
            raise ValueError("either `key_file` or `password_file`")
        if self.key_password_file is not None and self.key_file is None:
            raise ValueError("`key_password_file` belongs to `key_file`")
        if self.port > 65535:
            raise ValueError("`port` is at most 65535")
        if "{" in self.staging or (self.acknowledgement is not None and "{" in self.acknowledgement.folder):
            raise ValueError("only `drop` may contain {mandant}")
