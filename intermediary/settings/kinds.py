"""The kinds of value a setting may have: what TOML says is taken literally, nothing is converted."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationInfo

from intermediary.core.ids import Behoerdenkennung, Name

_Entry = TypeVar("_Entry")


def _resolve(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("a path is a text that is not empty")
    if info.context is None:
        raise ValueError("settings are read by `load`, which knows the folder that paths refer to")
    return Path(os.path.abspath(info.context["base"] / value))  # noqa: PTH100  resolve() would pin a rotating symlink


def _bounded_queue(value: str) -> str:
    if len(value.encode()) > 255 or value.startswith("amq."):
        raise ValueError('a queue has at most 255 bytes and does not begin with "amq."')
    return value


def address_of(value: str) -> str:
    """The `host:port` itself; ValueError with what is expected where it is none."""
    host, _colon, port = value.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65535:
        raise ValueError("an address is `host:port`; `0.0.0.0:8443` is every interface, `[::1]:8443` an IPv6 address")
    return value


def host_of(address: str) -> str:
    """The host of `host:port`, without brackets."""
    return address.rpartition(":")[0].removeprefix("[").removesuffix("]")


def port_of(address: str) -> int:
    """The port of `host:port`."""
    return int(address.rpartition(":")[2])


def _mail(value: str) -> str:
    name, _at, domain = value.rpartition("@")
    if not name or not domain or not value.isascii() or not value.isprintable() or set(value) & set(' ,;<>"()'):
        raise ValueError("a mail address is `name@domain`, without a name or brackets around it")
    return value


def _syslog(value: str) -> str:
    kind, _colon, rest = value.partition(":")
    if kind == "unix" and rest.startswith("/"):
        return value
    if kind in ("udp", "tcp") and rest.startswith("//"):
        address_of(rest[2:])
        return value
    raise ValueError("a syslog is `udp://host:port`, `tcp://host:port` or `unix:/path`")


def _not_empty(value: tuple[_Entry, ...]) -> tuple[_Entry, ...]:
    if not value:
        raise ValueError("needs at least one entry")
    return value


Several = Annotated[tuple[_Entry, ...], AfterValidator(_not_empty)]
Count = Annotated[int, Strict(), Field(ge=1)]
NameText = Annotated[str, Strict(), AfterValidator(Name)]
KennungText = Annotated[str, Strict(), AfterValidator(Behoerdenkennung)]
QueueName = Annotated[str, Strict(), Field(min_length=1), AfterValidator(_bounded_queue)]
AddressText = Annotated[str, Strict(), AfterValidator(address_of)]
ConfiguredPath = Annotated[Path, BeforeValidator(_resolve)]
MailText = Annotated[str, Strict(), AfterValidator(_mail)]
CodeListUri = Annotated[str, Strict(), Field(pattern=r"^(\*|[A-Za-z][A-Za-z0-9+.-]*:\S+)$", max_length=300)]
SyslogText = Annotated[str, Strict(), AfterValidator(_syslog)]
