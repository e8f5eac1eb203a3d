"""Settings of connectors: built from tables, described for the reference, passed to the factory."""

from __future__ import annotations

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


class Factory:
    manifest = Manifest("fake", Idempotency.NATIVE, "a fake")
    settings_type = Settings

    def build(self, settings: Any, base: Path) -> Any:
        return (settings, base)


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
    built: Any = open_connector(Factory(), {"url": "u", "password_file": "/p"}, base=Path("/base"), where="w")

    assert (Settings("u", Path("/p")), Path("/base")) == built


def test_description_is_the_reference_in_order() -> None:
    """Every setting is described by key, type, default and help; nested tables follow their name."""
    expected = (
        Setting("url", "text", None, "where the target listens"),
        Setting("password_file", "path", None, "file with the password"),
        Setting("mode", 'one of "push", "pull"', '"push"', "who begins"),
        Setting("hosts", "list of text", "[]", "allowed hosts"),
        Setting("verify", "true or false", "true", "check the certificate"),
        Setting("retry", "table", "none", "try again"),
        Setting("retry.wait_seconds", "number", "10", "seconds between two tries"),
    )

    assert expected == describe_settings(Settings)


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
