"""Where a key lies on a token: a PKCS#11 URI (RFC 7512), read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_SCHEME = "pkcs11:"
_TOKEN = ("token", "serial", "manufacturer", "model")
_OBJECT = ("object", "id", "type")
_ESCAPES = re.compile(r"%(?![0-9A-Fa-f]{2})")


class BadUri(ValueError):
    """Not a URI that names a key as we need it; the text says why, for the operator, and quotes no value."""


@dataclass(frozen=True, slots=True)
class KeyUri:
    """One private key: how its token is known, and its name on it; at least a token's and a key's attribute are given.

    `token`, `serial`, `manufacturer` and `model` are compared with what the token says of itself, `label` and `id` with the
    private key's attributes; empty means any. `module` is the `module-path`, empty where none is given.
    """

    token: str = ""
    serial: str = ""
    manufacturer: str = ""
    model: str = ""
    label: str = ""
    id: bytes = b""
    module: str = ""

    @property
    def name(self) -> str:
        """What a person calls it: label or id, and the token."""
        return f"{self.label or self.id.hex()} on {self.token or self.serial or self.model or self.manufacturer}"


def parse_uri(text: str) -> KeyUri:
    """Reads a URI; raises `BadUri`.

    A PIN has no place in it: `pin-value` and `pin-source` are refused, and so is every attribute we would not obey.
    """
    if not text.lower().startswith(_SCHEME):
        raise BadUri("a PKCS#11 URI begins with pkcs11:")
    path, _, query = text[len(_SCHEME) :].partition("?")
    found = _attributes(path, ";", (*_TOKEN, *_OBJECT))
    asked = _attributes(query, "&", ("module-path",))
    if found.pop("type", b"private") != b"private":
        raise BadUri("type: only a private key decrypts and signs")
    identifier = found.pop("id", b"")
    texts = {name: _text(name, value) for name, value in (found | asked).items()}
    if not any(texts.get(name) for name in _TOKEN):
        raise BadUri(f"the token is not named: one of {', '.join(_TOKEN)}")
    label = texts.pop("object", "")
    if not label and not identifier:
        raise BadUri("the key is not named: object, id or both")
    return KeyUri(**{name: texts.get(name, "") for name in _TOKEN}, label=label, id=identifier,
                  module=texts.get("module-path", ""))  # fmt: skip


def _attributes(text: str, separator: str, allowed: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name in ("pin-value", "pin-source"):
            raise BadUri(f"{name}: a PIN does not belong in the URI, use password_file")
        if name not in allowed:
            raise BadUri(f"allowed: {', '.join(allowed)}")
        if not equals or name in found or _ESCAPES.search(value):
            raise BadUri(f"{name}: once, with a value, percent-encoded")
        found[name] = unquote_to_bytes(value)
    return found


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise BadUri(f"{name}: UTF-8, percent-encoded") from None
