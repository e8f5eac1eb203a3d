"""Tokens and sessions, against a made-up module: whose PIN is tried, which token is meant, when a module starts anew."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11.constants import Attribute, TokenFlag

from intermediary.core.faults import Misconfigured, Transient
from intermediary.keys import tokens
from intermediary.keys.pin import PinFile
from intermediary.keys.pkcs11_uri import KeyUri
from intermediary.keys.tokens import TokenKey

READY = TokenFlag.TOKEN_INITIALIZED | TokenFlag.LOGIN_REQUIRED


class Key:
    """A private key of a session; dead when the session is."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __getitem__(self, _attribute: Attribute) -> int:
        if self.session.is_dead:
            raise pkcs11.SessionHandleInvalid
        return 0


class Session:
    """A session on a made-up token."""

    def __init__(self, keys: int) -> None:
        self.keys, self.is_dead, self.is_closed = keys, False, False

    def get_objects(self, _searched: object) -> list[Key]:
        if self.is_dead:
            raise pkcs11.SessionHandleInvalid
        return [Key(self) for _ in range(self.keys)]

    def close(self) -> None:
        self.is_closed = True
        if self.is_dead:
            raise pkcs11.SessionHandleInvalid


class Token:
    """A made-up token that counts the PINs it was given."""

    def __init__(self, label: str, *, flags: TokenFlag = READY, keys: int = 1, serial: bytes = b"01") -> None:
        self.label, self.flags, self.serial, self.keys = label, flags, serial, keys
        self.manufacturer_id, self.model = "Muster", "M1"
        self.pins: list[str | None] = []
        self.sessions: list[Session] = []

    def open(self, *, user_pin: str | None) -> Session:
        self.pins.append(user_pin)
        if user_pin == "wrong":
            raise pkcs11.PinIncorrect
        self.sessions.append(Session(self.keys))
        return self.sessions[-1]


class Library:
    """A made-up module; its tokens change by themselves only when it is initialised."""

    def __init__(self, *found: Token) -> None:
        self.found, self.later, self.starts = list(found), list(found), 0

    def get_tokens(self) -> list[Token]:
        return list(self.found)

    def reinitialize(self) -> None:
        self.starts += 1
        self.found = list(self.later)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Makes a module of these tokens; gives the module and how a key of it is used."""
    monkeypatch.setattr(tokens, "_MODULES", {})
    monkeypatch.setattr(tokens, "_REFUSED_PINS", set())
    library = Library()
    monkeypatch.setattr(pkcs11, "lib", lambda _path: library)
    (tmp_path / "pin").write_text("1234\n")
    return library


def key_on(token: str, tmp_path: Path, *, pin: str = "pin", label: str = "leser", **more: Any) -> TokenKey[None]:
    pin_file = PinFile(tmp_path / pin, pin) if pin else None
    uri = KeyUri(token=token, label=label, **more)
    return TokenKey(uri, "/made/up.so", pin_file, where=label, found=lambda _: None)


def put(library: Library, *found: Token) -> None:
    library.found, library.later = list(found), list(found)


def refused(key: TokenKey[None]) -> str:
    with pytest.raises(Misconfigured) as fault:
        key.use(lambda _key, _: None)
    assert "key.unavailable" == fault.value.code
    assert not isinstance(fault.value.__context__, pkcs11.PKCS11Error)
    return fault.value.where


def test_one_session_for_all_keys(module: Library, tmp_path: Path) -> None:
    """A token is logged in to once, however many keys of it are used and how often."""
    put(module, token := Token("a"))
    for key in (key_on("a", tmp_path), key_on("a", tmp_path, label="signer")):
        for _ in range(3):
            key.use(lambda _key, _: None)

    assert ["1234"] == token.pins


def test_which_token(module: Library, tmp_path: Path) -> None:
    """Every attribute must fit; none and two are told apart."""
    put(module, first := Token("a", serial=b"01"), Token("a", serial=b"02"), Token("b", flags=TokenFlag(0)))
    key_on("a", tmp_path, serial="01").use(lambda _key, _: None)

    assert ["1234"] == first.pins
    assert "more than one token of this name" in refused(key_on("a", tmp_path))
    assert "no token of this name" in refused(key_on("a", tmp_path, model="M2"))
    assert "no token of this name" in refused(key_on("b", tmp_path))


@pytest.mark.parametrize(("keys", "reason"), [(0, "no private key"), (2, "more than one private key")])
def test_which_key(module: Library, tmp_path: Path, keys: int, reason: str) -> None:
    """A name must mean exactly one private key."""
    put(module, Token("a", keys=keys))

    assert reason in refused(key_on("a", tmp_path))


def test_the_last_try_of_a_pin_is_left_alone(module: Library, tmp_path: Path) -> None:
    """A token that would be locked by one more mistake, or is, is not logged in to."""
    for flag in (TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED):
        put(module, token := Token("a", flags=READY | flag))

        assert "one last try of the PIN" in refused(key_on("a", tmp_path))
        assert [] == token.pins


def test_a_refused_pin_is_tried_once(module: Library, tmp_path: Path) -> None:
    """By all keys and keyrings of the process together, until its file is written anew."""
    put(module, token := Token("a"))
    (tmp_path / "other").write_text("wrong")
    keys = [key_on("a", tmp_path, pin="other") for _ in range(3)]
    told = [refused(key) for key in keys]
    (tmp_path / "other").write_text("1234")
    keys[0].use(lambda _key, _: None)

    assert ["wrong", "1234"] == token.pins
    assert all("refused this PIN" in one for one in told)


def test_a_pin_refused_by_one_token_may_be_that_of_another(module: Library, tmp_path: Path) -> None:
    """One file for two tokens: what one refuses is still tried at the other."""

    class Strict(Token):
        def open(self, *, user_pin: str | None) -> Session:
            super().open(user_pin=user_pin)
            raise pkcs11.PinIncorrect

    put(module, strict := Strict("a", serial=b"01"), token := Token("b", serial=b"02"))
    refused(key_on("a", tmp_path))
    key_on("b", tmp_path).use(lambda _key, _: None)

    assert (["1234"], ["1234"]) == (strict.pins, token.pins)


def test_the_same_pin_from_two_files(module: Library, tmp_path: Path) -> None:
    """Two keyrings with a file each: they share the session and do not throw each other out."""
    put(module, token := Token("a"))
    (tmp_path / "other").write_text("1234")
    keys = [key_on("a", tmp_path), key_on("a", tmp_path, pin="other")]
    for key in keys * 2:
        key.use(lambda _key, _: None)

    assert ["1234"] == token.pins


def test_another_pin_does_not_profit(module: Library, tmp_path: Path) -> None:
    """Whoever has another PIN logs in with it; the session of the first is closed before."""
    put(module, token := Token("a"))
    (tmp_path / "other").write_text("wrong")
    key_on("a", tmp_path).use(lambda _key, _: None)

    assert "refuse" in refused(key_on("a", tmp_path, pin="other"))
    assert token.sessions[0].is_closed


@pytest.mark.parametrize(("flags", "is_open"), [(READY, False), (TokenFlag.TOKEN_INITIALIZED, True)])
def test_without_a_pin(module: Library, tmp_path: Path, flags: TokenFlag, is_open: bool) -> None:
    """Only where the token wants none."""
    put(module, token := Token("a", flags=flags))
    key = key_on("a", tmp_path, pin="")
    if is_open:
        key.use(lambda _key, _: None)
        assert [None] == token.pins
    else:
        assert "wants a PIN" in refused(key)


@pytest.mark.parametrize("text", [b"", b"\n", b"\xff\n"])
def test_a_pin_file_that_is_none(module: Library, tmp_path: Path, text: bytes) -> None:
    """Empty, missing or no text: told by the file's name."""
    put(module, Token("a"))
    (tmp_path / "pin").write_bytes(text)

    assert "pin" == refused(key_on("a", tmp_path))
    (tmp_path / "pin").unlink()
    assert "pin" == refused(key_on("a", tmp_path))


def test_a_dead_session_is_replaced(module: Library, tmp_path: Path) -> None:
    """The operation is run again on a new one; `found` is asked anew for it."""
    put(module, token := Token("a"))
    found: list[object] = []
    key = TokenKey(
        KeyUri(token="a", label="x"), "/made/up.so", PinFile(tmp_path / "pin", "pin"), where="x", found=found.append
    )
    key.use(lambda one, _: one[Attribute.KEY_TYPE])
    token.sessions[0].is_dead = True
    key.use(lambda one, _: one[Attribute.KEY_TYPE])

    assert 2 == len(token.sessions) == len(set(found))
    assert 0 == module.starts


def test_a_module_is_started_anew_for_a_token_that_came_back(module: Library, tmp_path: Path) -> None:
    """Some modules see it only then."""
    put(module, Token("a"))
    key = key_on("a", tmp_path)
    key.use(lambda _key, _: None)
    module.found[0].sessions[0].is_dead = True
    module.found, module.later = [], [Token("a")]
    key.use(lambda one, _: one[Attribute.KEY_TYPE])

    assert 1 == module.starts


def test_a_module_that_saw_half_a_token_looks_again(module: Library, tmp_path: Path) -> None:
    """A token that went away while the module started is there without its keys: only another start shows them."""
    put(module, Token("a", keys=0))
    key = key_on("a", tmp_path)
    assert "no private key" in refused(key)
    module.later = [Token("a")]
    key.use(lambda one, _: one[Attribute.KEY_TYPE])

    assert module.starts


@pytest.mark.parametrize("missing", ["token", "key"])
def test_what_is_missing_disturbs_the_others_once_a_minute(
    module: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """The module is started anew to see whether it has come, but not for every message that waits for it."""
    moment = [1000.0]
    monkeypatch.setattr(tokens, "_clock", lambda: moment[0])

    class Choosy(Token):
        def open(self, *, user_pin: str | None) -> Session:
            session = super().open(user_pin=user_pin)
            every = session.get_objects
            session.get_objects = lambda asked: every(asked) if asked[Attribute.LABEL] == "leser" else []  # type: ignore[method-assign,index]
            return session

    put(module, there := Choosy("a"))
    works, absent = key_on("a", tmp_path), key_on("a" if missing == "key" else "b", tmp_path, label="fehlt")
    works.use(lambda _key, _: None)
    starts = []
    for _ in range(2):
        for _ in range(3):
            assert "no " in refused(absent)
            works.use(lambda one, _: one[Attribute.KEY_TYPE])
        starts.append(module.starts)
        moment[0] += tokens.RENEWAL_SECONDS

    assert [1, 2] == starts
    assert 3 <= len(there.sessions) <= 5


def test_errors_that_may_pass(module: Library, tmp_path: Path) -> None:
    """A token that errs again and again is a fault that time heals, and names the error."""
    put(module, Token("a"))

    def fail(_key: object, _: None) -> None:
        raise pkcs11.DeviceError

    with pytest.raises(Transient) as fault:
        key_on("a", tmp_path).use(fail)

    assert ("key.token.failed", "leser: DeviceError") == (fault.value.code, fault.value.where)
    assert not isinstance(fault.value.__context__, pkcs11.PKCS11Error)


def test_nobody_waits_for_ever(module: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one thread is held by its token the others give up after a while, and go on once it is back."""
    put(module, Token("a"))
    monkeypatch.setattr(tokens, "PATIENCE_SECONDS", 0.01)
    inside, leave = threading.Event(), threading.Event()

    def hold(_key: object, _: None) -> None:
        inside.set()
        leave.wait(30)

    thread = threading.Thread(target=lambda: key_on("a", tmp_path).use(hold))
    thread.start()
    inside.wait(30)
    with pytest.raises(Transient) as fault:
        key_on("a", tmp_path).use(lambda _key, _: None)
    leave.set()
    thread.join()
    key_on("a", tmp_path).use(lambda _key, _: None)

    assert "key.token.failed" == fault.value.code
