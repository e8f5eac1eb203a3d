"""How a `[[key]]` or `[[sign]]` table of a keyring becomes a key: from a PKCS#12 or PEM file, or on a PKCS#11 token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography import x509

from intermediary.core.faults import Fault, Misconfigured
from intermediary.core.values import Befund
from intermediary.keys import identity, private
from intermediary.keys.entries import EntryReader
from intermediary.keys.identity import SignatureKey
from intermediary.keys.pin import PinFile
from intermediary.keys.pkcs11_uri import BadUri, KeyUri, parse_uri
from intermediary.keys.private import ReaderKey

Use = Literal["decrypt", "sign"]
PARTS: tuple[tuple[str, Use], ...] = (("key", "decrypt"), ("sign", "sign"))
KEY_SOURCES = ("p12", "pem", "jwk", "pkcs11")
KEY_FILES = ("p12", "pem", "jwk", "password_file")


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One `[[key]]` or `[[sign]]` of a keyring file, opened or not.

    `place` is its dotted path, `name` the file or what the key is called on its token. By `use` it is a `reader` or a
    `signer`; `fault` is why it is neither. A key on a token is opened later: it can be there and not work (`trouble`).
    """

    place: str
    use: Use
    is_on_token: bool
    name: str
    reader: ReaderKey | None = field(default=None, repr=False)
    signer: SignatureKey | None = field(default=None, repr=False)
    fault: Fault | None = None

    @property
    def certificate(self) -> x509.Certificate | None:
        """The key's certificate; None if it could not be read."""
        key = self.reader or self.signer
        return None if key is None else key.certificate

    def trouble(self) -> Fault | None:
        """Why the key cannot be used now: for a key on a token it is used once. None if it can."""
        prove = getattr(self.reader or self.signer, "prove", None)
        if prove is None:
            return self.fault
        try:
            prove()
        except Fault as fault:
            return fault
        return None


_Found = tuple[ReaderKey | None, SignatureKey | None]
_NOTHING: _Found = (None, None)


class KeyEntryReader(EntryReader):
    """Reads the tables that name keys, and notes what is wrong with each."""

    def _entries(self, table: Mapping[str, Any]) -> list[KeyEntry]:
        return [
            self._entry(entry, use, f"{part}[{i}]")
            for part, use in PARTS
            for i, entry in enumerate(self._tables(table, part), 1)
        ]

    def _entry(self, entry: Mapping[str, Any], use: Use, place: str) -> KeyEntry:
        noted = len(self._faults)
        is_on_token = "pkcs11" in entry
        known = (*KEY_SOURCES, "password_file", *(("module",) if is_on_token else ()))
        self._known(entry, known, place)
        sources = [one for one in KEY_SOURCES if one in entry and not (is_on_token and one == "pem")]
        name, found = "", _NOTHING
        if len(sources) != 1:
            hint = f"exactly one of {', '.join(KEY_SOURCES)}; beside pkcs11, pem is its certificate"
            self._note(self._code, place, hint=hint)
        elif is_on_token:
            name, found = self._on_token(entry, use, place)
        else:
            name = self._string(entry, sources[0], place)
            found = self._in_file(entry, use, sources[0], name, place)
        fault = self._faults[noted] if len(self._faults) > noted else None
        reader, signer = found if fault is None else _NOTHING
        return KeyEntry(place, use, is_on_token, name, reader, signer, fault)

    def _in_file(self, entry: Mapping[str, Any], use: Use, source: str, name: str, place: str) -> _Found:
        if source == "jwk":
            self._note("key.unsupported", f"{place}.{source}")
            return _NOTHING
        is_protected = "password_file" in entry
        password = self._password(entry, place) if is_protected else None
        if not name or (is_protected and password is None):
            return _NOTHING
        path = self._folder / name
        try:
            if use == "sign":
                return None, (identity.from_p12 if source == "p12" else identity.from_pem)(path, password, name)
            return (private.from_p12 if source == "p12" else private.from_pem)(path, password, name), None
        except Misconfigured:
            self._unavailable(name, f"{place}.{source}")
            return _NOTHING

    def _on_token(self, entry: Mapping[str, Any], use: Use, place: str) -> tuple[str, _Found]:
        """The key, made without touching its token unless its certificate lies there only."""
        text = self._string(entry, "pkcs11", place, "a URI: pkcs11:token=…;object=…")
        try:
            uri = parse_uri(text)
        except BadUri as wrong:
            if text:
                self._note(self._code, f"{place}.pkcs11", hint=str(wrong))
            return "", _NOTHING
        module = self._module(entry, uri, place)
        pin = None
        if "password_file" in entry and self._password(entry, place) is not None:
            pin = PinFile(self._folder / entry["password_file"], entry["password_file"])
        certificate = self._token_certificate(entry, uri, module, pin, place)
        if certificate is None or not module:
            return uri.name, _NOTHING
        from intermediary.keys.pkcs11 import TokenReaderKey  # the library is loaded only where a token is used
        from intermediary.keys.pkcs11_signing import TokenSignatureKey

        if use == "sign":
            return uri.name, (None, TokenSignatureKey(uri, module, pin, certificate, where=uri.name))
        return uri.name, (TokenReaderKey(uri, module, pin, certificate, where=uri.name), None)

    def _module(self, entry: Mapping[str, Any], uri: KeyUri, place: str) -> str:
        """The path of the module; empty when there is none, or two, which is noted then."""
        if ("module" in entry) == bool(uri.module):
            self._note(self._code, place, hint="the PKCS#11 module once: by module, or by module-path in the URI")
            return ""
        name = uri.module or self._string(entry, "module", place, "the shared library of the HSM's maker")
        if name and not (self._folder / name).is_file():
            self._unavailable(name, f"{place}.module")
            return ""
        return str(self._folder / name) if name else ""

    def _token_certificate(
        self, entry: Mapping[str, Any], uri: KeyUri, module: str, pin: PinFile | None, place: str
    ) -> x509.Certificate | None:
        if "pem" in entry:
            return next(iter(self._certificates(self._string(entry, "pem", place), f"{place}.pem")), None)
        if not module:
            return None
        from intermediary.keys.pkcs11 import certificate_on_token

        try:
            return certificate_on_token(uri, module, pin, where=uri.name)
        except Fault as fault:
            hint = next((one.hint for one in fault.findings), "") or f"check the token of {uri.name}"
            finding = Befund("key.unavailable", path=f"{place}.pkcs11", hint=hint)
            self._faults.append(Misconfigured("key.unavailable", where=fault.where, findings=(finding,)))
            return None

    def _password(self, entry: Mapping[str, Any], place: str) -> bytes | None:
        name = self._string(entry, "password_file", place)
        if not name:
            return None
        try:
            password = private.read_file(self._folder / name, name).rstrip(b"\r\n")
        except Misconfigured:
            password = b""
        if not password:
            self._unavailable(name, f"{place}.password_file")
            return None
        return password
