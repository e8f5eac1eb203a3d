"""How we log in over HTTP: not at all, with user and password, or with a fixed token; the secrets are files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from intermediary.connect.secrets import read_secret
from intermediary.core.faults import Misconfigured
from intermediary.core.values import EMPTY


@dataclass(frozen=True, slots=True)
class HttpAuth:
    """The login at a target; a table `auth` in the settings of a connector."""

    user: str = field(default="", metadata={"help": "user (HTTP Basic)"})
    password_file: Path | None = field(default=None, metadata={"help": "file with its password", "secret": True})
    token_file: Path | None = field(
        default=None,
        metadata={"help": "file with a fixed token (Bearer), instead of user and password", "secret": True},
    )

    def __post_init__(self) -> None:
        if bool(self.user) is (self.password_file is None):
            raise ValueError("`user` and `password_file` go together")
        if ":" in self.user:
            raise ValueError("a user of HTTP Basic has no colon")
        if self.user and self.token_file is not None:
            raise ValueError("either `user` or `token_file`")

    def headers(self, now: datetime) -> Mapping[str, str]:
        """The header for one request; secrets are read anew. Raises as `read_secret`, `target.credentials` if empty."""
        if self.token_file is not None:
            return {"Authorization": f"Bearer {_secret(self.token_file)}"}
        if self.password_file is not None:
            both = f"{self.user}:{_secret(self.password_file)}".encode()
            return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
        return EMPTY


def _secret(path: Path) -> str:
    text = read_secret(path)
    if not text or not text.isprintable():
        raise Misconfigured("target.credentials", where=path.name)
    return text
