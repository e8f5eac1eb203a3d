"""Whether twice hurts is asked of the connector as the settings of its target make it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.core.ports import Idempotency, Manifest
from intermediary.operations import repeats

LOOKUP = Manifest("m", Idempotency.LOOKUP, "x")
NONE = Manifest("m", Idempotency.NONE, "x")
ROUTES = """
[[route]]
name = "r"
mandant = "m"
stage = "test"
mapping = "bauantrag@1"
[[route.target]]
name = "asks"
connector = "m"
settings = { asks = true }
[[route.target]]
name = "blind"
connector = "m"
settings = { asks = false }
[[route.target]]
name = "broken"
connector = "m"
settings = { ask = true }
[[route.target]]
name = "gone"
connector = "n"
"""


@dataclass(frozen=True, slots=True)
class Settings:
    asks: bool = field(metadata={"help": "h"})


class Connector:
    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def deliver(self, auftrag: Any, steps: Any, now: Any) -> Any: ...
    def lookup(self, key: Any, steps: Any, now: Any) -> Any: ...
    def collect(self, key: Any, correlation: Any, now: Any) -> Any: ...
    def probe(self) -> None: ...


class Factory:
    manifest, settings_type = LOOKUP, Settings

    def build(self, settings: Settings, base: Path) -> Connector:
        return Connector(LOOKUP if settings.asks else NONE)


@pytest.mark.parametrize(
    ("target", "hurts"), [("asks", False), ("blind", True), ("broken", True), ("gone", True), ("unknown", True)]
)
def test_a_target_is_asked_as_it_is_configured(
    target: str, hurts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its manifest promises in general is not what this target offers; who cannot be asked cannot tell."""
    (tmp_path / "routes.toml").write_text(ROUTES)

    def get(name: str) -> Factory:
        if name != "m":
            raise Misconfigured("plugin.unknown")
        return Factory()

    monkeypatch.setattr(repeats, "connectors", lambda _settings: SimpleNamespace(get=get))
    settings: Any = SimpleNamespace(installation=SimpleNamespace(routes=tmp_path / "routes.toml"))
    nachricht: Any = SimpleNamespace(mandant="m", route="r")

    assert hurts is repeats.twice_hurts(settings)(nachricht, target)
