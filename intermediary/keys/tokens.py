"""PKCS#11 modules, tokens and sessions of this process, behind one lock.

`python-pkcs11` initialises a module without locking of its own, so that two threads in it at once crash the process:
everything, opening and searching too, happens under `_LOCK`, and no object of that library leaves it, not even in the
traceback of an error. A module is opened when it is first needed, once in each process, and anew after a fork. A token that
went away is opened again at the next use.
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pkcs11
from pkcs11.constants import Attribute, ObjectClass, TokenFlag

from intermediary.core.faults import Fault, Misconfigured, Transient
from intermediary.core.values import Befund
from intermediary.keys.pin import PinFile
from intermediary.keys.pkcs11_uri import KeyUri

RENEWAL_SECONDS = 60.0
"""How long a module is left as it is, at least, while something of it works."""

PATIENCE_SECONDS = 30.0
"""How long a thread waits for the others at the token; longer means that a module does not come back."""

_ABSENT = (
    pkcs11.DeviceRemoved,
    pkcs11.NoSuchKey,
    pkcs11.NoSuchToken,
    pkcs11.PinExpired,
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
    pkcs11.SlotIDInvalid,
    pkcs11.TokenNotPresent,
    pkcs11.TokenNotRecognised,
    pkcs11.UserPinNotInitialized,
)
"""What only the operator heals; every other error of a module may pass."""

_REASONS = {
    pkcs11.NoSuchToken: "no token of this name is there",
    pkcs11.NoSuchKey: "no private key of this name on the token",
    pkcs11.PinIncorrect: "the token refuses the PIN",
    pkcs11.PinLocked: "the PIN is locked",
}

_PIN_WARNINGS = TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_LOCKED

T = TypeVar("T")
S = TypeVar("S")


class Unusable(Exception):
    """A key that is there and does not do; the text, for the operator, says why."""


@dataclass(slots=True, eq=False)
class _Login:
    """One open session on a token, logged in by the PIN whose digest this is. Compared by identity: handles come again."""

    session: Any
    pin: bytes
    witness: Any = None

    def is_alive(self) -> bool:
        """Whether the key that was found first can still be looked at; without one nobody has any use for the session.

        A search would do too, but one that fails on a dead session leaves ruins.
        """
        if self.witness is None:
            return False
        try:
            _ = self.witness[Attribute.KEY_TYPE]
        except pkcs11.PKCS11Error:
            return False
        return True


@dataclass(slots=True)
class _Module:
    """One module of this process and who is logged in where, by the token's serial number and label."""

    path: str
    logins: dict[tuple[bytes, str], _Login] = field(default_factory=dict)
    is_stale: bool = False
    renewed: float = -math.inf

    def open(self, uri: KeyUri, pin: PinFile | None) -> tuple[Any, _Login]:
        """The private key and the login it was found under."""
        library = self._library()
        token = _token(library, uri)
        login = self._login(token, pin)
        searched: dict[Attribute, object] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        searched |= {Attribute.LABEL: uri.label} if uri.label else {}
        searched |= {Attribute.ID: uri.id} if uri.id else {}
        keys = list(login.session.get_objects(searched))
        if not keys:
            raise pkcs11.NoSuchKey
        if len(keys) > 1:
            raise Unusable("more than one private key of this name on the token: name it by its id too")
        login.witness = login.witness or keys[0]
        return keys[0], login

    def forget(self, login: _Login | None) -> None:
        """Close one session, or as much of it as still can be closed."""
        for name in [name for name, one in self.logins.items() if one is login]:
            session = self.logins.pop(name).session
            try:
                session.close()
            except pkcs11.PKCS11Error:
                continue

    def renew(self) -> bool:
        """Make the next use initialise the module again, and say whether it will.

        Many modules see a token or key that came later only then. While other sessions work it is done once a minute at
        most: they have to be opened again, and one Mandant's missing key must not keep all others busy with that.
        """
        for login in list(self.logins.values()):
            if not login.is_alive():
                self.forget(login)
        if self.logins and _clock() < self.renewed + RENEWAL_SECONDS:
            return self.is_stale
        self.is_stale, self.renewed = True, _clock()
        return True

    def _library(self) -> Any:
        try:
            library = pkcs11.lib(self.path)
        except pkcs11.PKCS11Error as error:
            if type(error) is pkcs11.PKCS11Error:  # nothing the module said: it is no module
                raise Unusable(f"the module {self.path} cannot be loaded") from None
            raise
        if self.is_stale:
            self.logins.clear()
            library.reinitialize()
            self.is_stale = False
        return library

    def _login(self, token: Any, pin: PinFile | None) -> _Login:
        name = (token.serial, token.label)
        text, mark = (None, b"") if pin is None else pin.read()
        digest = _digest(text)
        tried = (*name, digest, mark)
        login = self.logins.get(name)
        if login is not None and login.pin == digest and login.is_alive():
            return login
        if text is None and token.flags & TokenFlag.LOGIN_REQUIRED:
            raise Unusable("the token wants a PIN: name its file by password_file")
        if tried in _REFUSED_PINS:
            raise Unusable("the token has refused this PIN; it is not tried again until its file is written anew")
        if text is not None and token.flags & _PIN_WARNINGS:
            raise Unusable("the token allows one last try of the PIN, or none: an operator has to unlock it")
        self.forget(login)
        try:
            session = token.open(user_pin=text)
        except pkcs11.PinIncorrect:
            _REFUSED_PINS.add(tried)
            raise
        self.logins[name] = _Login(session, digest)
        return self.logins[name]


class TokenKey(Generic[S]):
    """One private key on a token, and what was found out about it since the token was opened (`S`).

    `where` names it in faults. A key that cannot be reached raises `Misconfigured("key.unavailable")`, or
    `Transient("key.token.failed")` where time may heal it; nothing else comes out of `use`.
    """

    def __init__(self, uri: KeyUri, module: str, pin: PinFile | None, *, where: str, found: Callable[[Any], S]) -> None:
        self._uri = uri
        self._path = module
        self._pin = pin
        self._where = where
        self._found = found
        self._login: _Login | None = None
        self._key: Any = None
        self._state: S | None = None

    def use(self, operation: Callable[[Any, S], T]) -> T:
        """Run `operation` on the key, alone; what it raises of the library's errors means that the token has failed.

        `found` is called after every opening, so that what is known about a key is not carried over to another token.
        After a failure the token is opened once more and the operation run again.
        """
        with _alone(self._where):
            result = _result(self._where, lambda: self._attempts(operation))
        if isinstance(result, Fault):
            raise result
        return result

    def _attempts(self, operation: Callable[[Any, S], T]) -> T:
        module = _module(self._path)
        try:
            return self._attempt(module, operation)
        except pkcs11.PKCS11Error:
            module.forget(self._login)
        try:
            return self._attempt(module, operation)
        except pkcs11.PKCS11Error:
            module.forget(self._login)
            if not module.renew():
                raise
        return self._attempt(module, operation)

    def _attempt(self, module: _Module, operation: Callable[[Any, S], T]) -> T:
        if self._login is None or self._login not in module.logins.values() or module.is_stale:
            self._state = None
            self._key, self._login = module.open(self._uri, self._pin)
        if self._state is None:
            self._state = self._found(self._key)
        return operation(self._key, self._state)

    def __repr__(self) -> str:
        return f"<key {self._uri.name}>"


def _token(library: Any, uri: KeyUri) -> Any:
    found = [
        token
        for token in library.get_tokens()
        if token.flags & TokenFlag.TOKEN_INITIALIZED
        and all(
            not wanted or wanted == told
            for wanted, told in (
                (uri.token, token.label),
                (uri.serial, token.serial.decode("utf-8", "replace").strip()),
                (uri.manufacturer, token.manufacturer_id),
                (uri.model, token.model),
            )
        )
    ]
    if not found:
        raise pkcs11.NoSuchToken
    if len(found) > 1:
        raise Unusable("more than one token of this name is there: name it by its serial too")
    return found[0]


def _result(where: str, work: Callable[[], T]) -> T | Fault:
    """What the work gives, or the fault to raise. Errors of the library end here, with everything that hangs on them."""
    try:
        return work()
    except Fault as fault:
        return fault
    except Unusable as reason:
        return _unavailable(where, str(reason))
    except _ABSENT as error:
        return _unavailable(where, _REASONS.get(type(error), f"the token says {type(error).__name__}"))
    except pkcs11.PKCS11Error as error:
        return Transient("key.token.failed", where=f"{where}: {type(error).__name__}")


def _unavailable(where: str, reason: str) -> Misconfigured:
    finding = Befund("key.unavailable", path=where, hint=reason)
    return Misconfigured("key.unavailable", where=f"{where}: {reason}", findings=(finding,))


def _digest(pin: str | None) -> bytes:
    """What is kept of a PIN: enough to see that another is given."""
    return b"" if pin is None else hashlib.blake2b(pin.encode(), key=_DIGEST_KEY).digest()


def _module(path: str) -> _Module:
    return _MODULES.setdefault(path, _Module(path))


@contextmanager
def _alone(where: str) -> Iterator[None]:
    if not _LOCK.acquire(timeout=PATIENCE_SECONDS):
        raise Transient("key.token.failed", where=f"{where}: another thread waits for its token")
    try:
        yield
    finally:
        _LOCK.release()


def forget_sessions() -> None:
    """Every module is initialised anew at its next use: in a child process, or when somebody else did so in this one."""
    for module in _MODULES.values():
        module.logins.clear()
        module.is_stale = True


def _after_fork() -> None:
    """In the child: sessions and state of the parent are not ours. The lock was taken for the fork."""
    forget_sessions()
    _LOCK.release()


_LOCK = threading.Lock()
_clock = time.monotonic
_MODULES: dict[str, _Module] = {}
_REFUSED_PINS: set[tuple[bytes, str, bytes, bytes]] = set()
"""Where each was tried: the token's serial number and label, the PIN's digest, the mark of its file."""
_DIGEST_KEY = os.urandom(32)

os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_after_fork)
