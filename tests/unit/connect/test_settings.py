"""Settings of connectors: built from tables, described for the reference, passed to the factory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from intermediary.connect import api
from intermediary.connect.settings import Setting, build_settings, describe_settings, open_connector
from intermediary.core.faults import Misconfigured
from intermediary.core.ports import Idempotency, Manifest


@dataclass(frozen=True, slots=True)
class Retry:
    wait_seconds: int = field(default=10, metadata={"help": "seconds between two tries"})


@dataclass(frozen=True, slots=True)
class Settings:
    url: str = field(metadata={"help": "where the target listens"})
    password_file: Path = field(metadata={"help": "file with the password"})
    mode: Literal["push", "pull"] = field(default="push", metadata={"help": "who begins"})
    hosts: tuple[str, ...] = field(default=(), metadata={"help": "allowed hosts"})
    verify: bool = field(default=True, metadata={"help": "check the certificate"})
    retry: Retry | None = field(default=None, metadata={"help": "try again"})


class Fake:
    """A connector as its port wants it; a test replaces what it breaks."""

    manifest = Manifest("fake", Idempotency.NATIVE, "a fake")

    def __init__(self, settings: Any, base: Path) -> None:
        self.given = (settings, base)

    def deliver(self, auftrag: Any, steps: Any, now: Any) -> Any: ...

    def lookup(self, key: Any, steps: Any, now: Any) -> Any: ...

    def collect(self, key: Any, correlation: Any, now: Any) -> Any: ...

    def probe(self) -> None: ...


class Factory:
    manifest = Fake.manifest
    settings_type = Settings

    def __init__(self, build: Callable[[Any, Path], Any] = Fake) -> None:
        self._build = build

    def build(self, settings: Any, base: Path) -> Any:
        return self._build(settings, base)


TABLE = {"url": "u", "password_file": "/p"}


def test_settings_are_built_with_paths_from_the_base() -> None:
    """A complete table becomes the dataclass the connector declares."""
    table = {"url": "u", "password_file": "p", "retry": {"wait_seconds": 3}}
    expected = Settings("u", Path("/base/p"), retry=Retry(3))

    assert expected == build_settings(Settings, table, base=Path("/base"), where="route[a].target[b].settings")


def test_all_findings_travel_in_the_fault() -> None:
    """A wrong table is the operator's to heal; the fault names the table and carries every finding."""
    with pytest.raises(Misconfigured) as raised:
        build_settings(Settings, {"ulr": "u", "verify": "yes"}, base=Path("/base"), where="route[a].target[b].settings")

    assert ("target.misconfigured", "route[a].target[b].settings") == (raised.value.code, raised.value.where)
    assert {"ulr", "url", "verify", "password_file"} == {f.path.rpartition(".")[2] for f in raised.value.findings}


def test_factory_gets_settings_and_base() -> None:
    """A connector is built from checked settings only."""
    built: Any = open_connector(Factory(), TABLE, base=Path("/base"), where="w")

    assert (Settings("u", Path("/p")), Path("/base")) == built.given


def _refused(factory: Any) -> Misconfigured:
    with pytest.raises(Misconfigured) as raised:
        open_connector(factory, TABLE, base=Path("/base"), where="route[a].target[b].settings")
    return raised.value


@pytest.mark.parametrize(
    ("broken", "hint"),
    [
        ({"lookup": None}, "builds a connector that has no lookup(key, steps, now)"),
        ({"collect": lambda self, key, now: None}, "builds a connector that has no collect(key, correlation, now)"),
        ({"probe": lambda self, now: None}, "builds a connector that has no probe()"),
        ({"manifest": Manifest("other", Idempotency.NONE, "")}, "builds a connector without its manifest"),
        ({"manifest": None}, "builds a connector without its manifest"),
    ],
)
def test_what_is_no_connector_is_refused(broken: dict[str, Any], hint: str) -> None:
    """What a factory builds is held against the port before anything is handed to it."""
    fault = _refused(Factory(type("Broken", (Fake,), broken)))

    assert "plugin.invalid" == fault.code
    assert [("route[a].target[b].settings", f"connector fake {hint}")] == [(f.path, f.hint) for f in fault.findings]


def test_settings_may_say_what_a_target_offers() -> None:
    """One instance of a connector repeats under its key, another does not: its own manifest says which."""
    none = Manifest("fake", Idempotency.NONE, "a fake")
    factory = Factory(type("Careful", (Fake,), {"manifest": none}))

    assert none == open_connector(factory, TABLE, base=Path("/base"), where="w").manifest


def test_a_class_in_place_of_a_connector_is_refused() -> None:
    """A factory that gives the class itself has built nothing."""
    assert "has no deliver(auftrag, steps, now)" in _refused(Factory(lambda settings, base: Fake)).findings[0].hint


def test_what_a_factory_raises_is_translated() -> None:
    """A Fault of the factory counts as it is; anything else is the vendor's to heal and repeats no value."""

    def misconfigured(settings: Any, base: Path) -> Any:
        raise Misconfigured("target.misconfigured", where="url")

    def crashing(settings: Any, base: Path) -> Any:
        raise KeyError("secret")

    known, unknown = _refused(Factory(misconfigured)), _refused(Factory(crashing))

    assert ("target.misconfigured", "url") == (known.code, known.where)
    assert "plugin.invalid" == unknown.code
    assert "connector fake raised KeyError while it was built" == unknown.findings[0].hint


def test_description_is_the_reference_in_order() -> None:
    """Every setting is described by key, type, default and help; nested tables follow their name."""
    expected = (
        Setting("url", "text", None, "where the target listens"),
        Setting("password_file", "path", None, "file with the password"),
        Setting("mode", 'one of "push", "pull"', '"push"', "who begins"),
        Setting("hosts", "list of text", "[]", "allowed hosts"),
        Setting("verify", "true or false", "true", "check the certificate"),
        Setting("retry", "table", "none", "try again"),
        Setting("retry.wait_seconds", "whole number", "10", "seconds between two tries"),
    )

    assert expected == describe_settings(Settings)


@dataclass(frozen=True)
class Call:
    path: str = field(metadata={"help": "where to"})


@dataclass(frozen=True)
class Calls:
    call: tuple[Call, ...] = field(default=(), metadata={"help": "in order"})


def test_tables_in_a_list_are_described_too() -> None:
    """What stands in each `[[…]]` follows the list."""
    assert (
        Setting("call", "list of table", "[]", "in order"),
        Setting("call[].path", "text", None, "where to"),
    ) == describe_settings(Calls)


@dataclass(frozen=True)
class Login:
    call: Call = field(default=Call("/"), metadata={"help": "how we log in"})


def test_the_default_of_a_table_is_no_text_of_python() -> None:
    """What its keys are by default stands with the keys."""
    assert Setting("call", "table", "{}", "how we log in") == describe_settings(Login)[0]


@dataclass
class Thawed:
    url: str = field(default="", metadata={"help": "h"})


@dataclass(frozen=True)
class Silent:
    url: str = ""


@dataclass(frozen=True)
class Odd:
    ratio: float = field(default=1.0, metadata={"help": "h"})


@pytest.mark.parametrize("kind", [Thawed, Silent, Odd, str])
def test_flawed_settings_class_is_found(kind: type) -> None:
    """Changeable, undocumented or unreadable settings are a defect of the connector."""
    with pytest.raises(TypeError):
        describe_settings(kind)


def test_api_is_complete_and_sorted() -> None:
    """What connectors may import exists and is the very thing core defines."""
    from intermediary.core import faults, ports

    assert set(api.__all__) == {name for name in api.__all__ if hasattr(api, name)}
    assert api.Delivered is ports.Delivered
    assert api.Unclear is faults.Unclear
