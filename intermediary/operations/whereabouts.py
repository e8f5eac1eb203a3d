"""Which settings name a place or a host that data goes to, comes from or rests in; told without any secret.

Channels and connectors alike are read by the names of their settings, wherever in a table they stand. A new setting
belongs into one of the sets here or is no place: tests/unit/operations/test_whereabouts.py asks for it.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from intermediary.connect.settings import Setting
from intermediary.core.faults import Misconfigured
from intermediary.settings.table import Table
from intermediary.wiring.installation import secret

TEXTS = frozenset(
    {
        "account",
        "address",
        "clamd",
        "drop",
        "endpoint",
        "exchange",
        "folder",
        "host",
        "identifier",
        "listen",
        "mail_server",
        "mail_to",
        "partner",
        "port",
        "queue",
        "reader",
        "readers",
        "remote",
        "reply_to",
        "repository",
        "routing_key",
        "staging",
        "token_url",
        "url",
    }
)
"""Settings that are a place although they are no path. None holds a secret (those are files), but an address may."""

URL_FILES = frozenset({"url_file", "webhook_url_file"})
"""Files with an address and its password: only scheme, host and what is named there is told."""

INPUTS = frozenset(
    {
        "ca_file",
        "certificate",
        "client_ca",
        "client_cert",
        "known_hosts",
        "mail_ca_file",
        "tls_cert",
        "webhook_ca_file",
        "wsdl",
    }
)
"""Paths of what is read to get there: certificates and descriptions, without personal data."""

SECRETS = frozenset({"mail_password_file", "tls_key"})
"""Paths of secrets in settings of ours; a connector says it of its own."""

_UNTYPED = frozenset({"archive", "state", "unmatched"})
"""Paths, where nobody can be asked for the types: the connector is not installed here."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Tells the places of tables. Relative paths of targets refer to `base`; `endpoints` are the partners' addresses."""

    base: Path
    endpoints: Mapping[str, str] = field(default_factory=dict)

    def of_table(self, table: Table, *, prefix: str = "") -> Iterator[str]:
        """The places that a table of `intermediary.toml` names, as `key = place`."""
        for name in type(table).model_fields:
            yield from self._told(prefix, name, getattr(table, name))

    def of_target(self, table: Mapping[str, object], settings: tuple[Setting, ...]) -> Iterator[str]:
        """The same of a target's settings; `settings` are its connector's, none where it is not installed."""
        types = {one.key: one for one in settings}
        yield from self._of_raw(table, types, "", "")

    def of_partner(self, kennung: str) -> Iterator[str]:
        """A partner of the directory, with their address where that can be read."""
        yield f"partner = {self._text('partner', kennung)}"

    def _told(self, prefix: str, name: str, value: object) -> Iterator[str]:
        match value:
            case Table():
                yield from self.of_table(value, prefix=f"{prefix}{name}.")
            case Mapping() if name not in TEXTS:
                for key, item in value.items():
                    yield from self._told(f"{prefix}{name}.", key, item)
            case tuple() if any(isinstance(item, Table) for item in value):
                for number, item in enumerate(value, start=1):
                    yield from self._told(prefix, f"{name}[{number}]", item)
            case Path() if name in URL_FILES:
                yield f"{prefix}{name}: {address_in(value, is_whole=name == 'url_file')}"
            case Path() if name not in INPUTS | SECRETS:
                yield f"{prefix}{name} = {value}"
            case str() | tuple() | Mapping() if value and name in TEXTS:
                for item in (value,) if isinstance(value, str) else value:
                    yield f"{prefix}{name} = {self._text(name, str(item))}"

    def _of_raw(
        self, table: Mapping[str, object], types: Mapping[str, Setting], prefix: str, key: str
    ) -> Iterator[str]:
        for name, value in table.items():
            known = types.get(key + name)
            match value:
                case Mapping():
                    yield from self._of_raw(value, types, f"{prefix}{name}.", f"{key}{name}.")
                case list() | tuple():
                    tables = [one for one in value if isinstance(one, Mapping)]
                    for number, item in enumerate(tables, start=1):
                        yield from self._of_raw(item, types, f"{prefix}{name}[{number}].", f"{key}{name}[].")
                case str() if name in URL_FILES and (known is not None or not types):
                    yield f"{prefix}{name}: {address_in(self._path(value), is_whole=True)}"
                case str() | int() if is_place(name, known) if types else name in TEXTS | _UNTYPED:
                    is_path = known is not None and known.type == "path"
                    yield f"{prefix}{name} = {self._path(str(value)) if is_path else self._text(name, str(value))}"

    def _path(self, value: str) -> Path:
        return Path(os.path.abspath(self.base / value))  # noqa: PTH100  a symlink is told as it is configured

    def _text(self, name: str, value: str) -> str:
        endpoint = self.endpoints.get(value, "") if name in ("partner", "account") else ""
        return f"{plain(value)} ({plain(endpoint)})" if endpoint else plain(value)


def is_place(name: str, setting: Setting | None) -> bool:
    """Whether a connector's setting of this last name is one; None: there is no such setting."""
    if setting is None or setting.is_secret:
        return False
    if setting.type == "path":
        return name not in INPUTS
    return setting.type in ("text", "number") and name in TEXTS


def plain(value: str) -> str:
    """A place as it may stand in a record: an address without account, query and fragment, anything else as it is."""
    scheme, separator, rest = value.partition("://")
    if not separator:
        return value.rpartition("@")[2] if ":" in value.rpartition("@")[0] else value
    rest = rest.partition("?")[0].partition("#")[0]
    return f"{scheme}://{rest.rpartition('@')[2]}"


def address_in(file: Path, *, is_whole: bool) -> str:
    """What the address in a file names: scheme, host and port, `is_whole` with queue host or database; never its account.

    Where it cannot be read, or is none, only that it stands there.
    """
    unknown = f"steht in {file}, hier nicht zu lesen"
    try:
        parts = urlsplit(secret(file))
        port = f":{parts.port}" if parts.port else ""
    except (Misconfigured, ValueError):
        return unknown
    host = parts.hostname
    if not parts.scheme or not host or "@" in parts.path + parts.query + parts.fragment:
        return unknown
    path = parts.path if is_whole else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{path}"
