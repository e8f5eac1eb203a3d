"""Reads a WSDL from its folder, and nothing from anywhere else (threat CVE-2026-58501: imports and includes that fetch).

Every file is read by the hardened parser first, and every reference in it is checked: only what lies in the folder of the
WSDL, and what `locations` names, exists for zeep. The address in the WSDL is not used at all.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import zeep
from zeep.exceptions import Error as ZeepError
from zeep.loader import absolute_location

from intermediary.connect.api import Misconfigured, Rejected, XmlLimits, parse_xml

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_REFERENCES = {
    f"{_WSDL}import": "location",
    f"{_XSD}import": "schemaLocation",
    f"{_XSD}include": "schemaLocation",
    f"{_XSD}redefine": "schemaLocation",
    f"{_XSD}override": "schemaLocation",
}
_LIMITS = XmlLimits(max_bytes=8 * 1024 * 1024)
_MOST_FILES = 500
_NAMES = frozenset(
    {"{http://schemas.xmlsoap.org/wsdl/soap/}address", "{http://schemas.xmlsoap.org/wsdl/soap12/}address"}
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one port: `binding` writes its envelopes, `is_12` tells SOAP 1.2 from 1.1."""

    name: str
    binding: Any = field(repr=False)
    is_12: bool
    has_answer: bool

    def envelope(self, arguments: Mapping[str, Any]) -> tuple[Any, str]:
        """The envelope (lxml) and its SOAP action; `Misconfigured("target.wsdl")` when the arguments do not fit."""
        operation = self.binding.get(self.name)
        try:
            envelope = operation.create(**arguments).content
        except (ZeepError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise Misconfigured("target.wsdl", where=f"arguments of {self.name}: {_path_of(error)}") from error
        return envelope, operation.soapaction or ""


def load_operations(wsdl: Path, locations: Mapping[str, str], *, port: str, names: tuple[str, ...]) -> list[Operation]:
    """The operations of these names at one port. Raises `Misconfigured("target.wsdl")`."""
    files = _vetted(wsdl, locations)
    settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=not locations)
    try:
        client = zeep.Client(str(wsdl.resolve()), transport=_Folder(files), settings=settings)  # type: ignore[no-untyped-call]
        ports = {
            one: found
            for service in client.wsdl.services.values()
            for one, found in service.ports.items()
            if not port or one == port
        }
    except Exception as error:  # zeep raises what it likes at a WSDL that is none
        raise Misconfigured("target.wsdl", where=f"wsdl: {type(error).__name__}") from error
    if len(ports) != 1:
        raise Misconfigured("target.wsdl", where="port: one of them must be named" if ports else "port: no such port")
    (binding,) = (found.binding for found in ports.values())
    return [_operation(binding, name) for name in names]


class _Folder:
    """What zeep may load: the vetted files by their address. It never gets a transport that could fetch."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def load(self, url: str) -> bytes:
        found = self._files.get(url)
        if found is None:
            raise Misconfigured("target.wsdl", where="wsdl: refers to a file that is not in its folder")
        return found


def _operation(binding: Any, name: str) -> Operation:
    nsmap = getattr(binding, "nsmap", {})
    if name not in binding.all() or "soap-env" not in nsmap:
        raise Misconfigured("target.wsdl", where=f"operation: {name} is none of this port")
    found = binding.get(name)
    is_12 = nsmap["soap-env"] == "http://www.w3.org/2003/05/soap-envelope"
    return Operation(name, binding, is_12, found.output is not None)


def _vetted(wsdl: Path, locations: Mapping[str, str]) -> dict[str, bytes]:
    """All files that the WSDL reaches, each read and checked, by the address under which zeep will ask for them."""
    root, top = wsdl.parent.resolve(), wsdl.resolve()
    named = {address: _inside(root, root / file) for address, file in locations.items()}
    files: dict[str, bytes] = {}
    waiting = [(str(top), top), *named.items()]
    while waiting:
        address, path = waiting.pop()
        if address in files:
            continue
        if len(files) >= _MOST_FILES:
            raise Misconfigured("target.wsdl", where=f"wsdl: more than {_MOST_FILES} files")
        files[address] = _read(path)
        for location in _references(files[address], path):
            meant = str(absolute_location(location, address))  # type: ignore[no-untyped-call]
            if meant in named:
                continue
            if urlsplit(location).scheme or location.startswith(("/", "\\")):
                raise Misconfigured("target.wsdl", where=f"{path.name}: refers to another place")
            waiting.append((meant, _inside(root, path.parent / location)))
    return files


def _inside(root: Path, path: Path) -> Path:
    real = path.resolve()
    if not real.is_relative_to(root):
        raise Misconfigured("target.wsdl", where="wsdl: refers to a file outside its folder")
    return real


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LIMITS.max_bytes + 1)
    except OSError as error:
        raise Misconfigured("target.wsdl", where=f"{path.name}: cannot be read") from error


def _references(data: bytes, path: Path) -> Iterator[str]:
    try:
        root = parse_xml(data, limits=_LIMITS)
    except Rejected as fault:
        raise Misconfigured("target.wsdl", where=f"{path.name}: {fault.code}") from fault
    for element in root.iter(*_REFERENCES):
        location = element.get(_REFERENCES[element.tag])
        if location:
            yield location.strip()
    for element in root.iter(*_NAMES):
        demand_no_metadata(urlsplit(element.get("location", "")).hostname or "")


def demand_no_metadata(host: str) -> None:
    """Refuse addresses that only this machine's cloud has (169.254.0.0/16, fe80::/10): a WSDL with one is an attack."""
    try:
        is_local = ipaddress.ip_address(host).is_link_local
    except ValueError:
        return
    if is_local:
        raise Misconfigured("target.wsdl", where="address: link-local")


def _path_of(error: Exception) -> str:
    """Where zeep found the arguments wrong: names of the WSDL and of the settings, never a value."""
    path = getattr(error, "path", None)
    if path:
        return ".".join(str(one) for one in path)
    return type(error).__name__
