"""The mapping table and the other settings are checked before anything is sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from connectors.soap.settings import SoapSettings
from connectors.soap.sources import flat
from intermediary.connect.settings import build_settings
from intermediary.core.faults import Misconfigured

GOOD: dict[str, Any] = {
    "url": "https://fachverfahren.example/annahme",
    "wsdl": "antrag.wsdl",
    "operation": "einreichen",
    "arguments": {"vorgang.schluessel": "key", "paket": "package.mtom", "dokumente.dokument[].name": "document.name"},
}
LOOKUP = {"operation": "abfragen", "arguments": {"schluessel": "key"}}


def _build(**more: Any) -> SoapSettings:
    return build_settings(SoapSettings, {**GOOD, **more}, base=Path("/"), where="target")


def test_good_ones_are_built() -> None:
    """The least that a target needs."""
    assert Path("/antrag.wsdl") == _build().wsdl


def test_paths_may_be_tables() -> None:
    """Dots without quotes make tables of TOML; they mean the same."""
    nested = {"vorgang": {"schluessel": "key"}, "paket": "package.mtom"}

    assert {"vorgang.schluessel": "key", "paket": "package.mtom"} == flat(_build(arguments=nested).arguments)


@pytest.mark.parametrize(
    ("more", "hint"),
    [
        ({"arguments": {"schluessel": "schluessel"}}, "no piece schluessel"),
        ({"arguments": {"schluessel": "key", "paket": "package.xml"}}, "no piece package.xml"),
        ({"arguments": {"schluessel": "key", "name": "document.name"}}, r"need a \[\]"),
        ({"arguments": {"schluessel": "key", "a[].b": "mandant"}}, r"need a \[\]"),
        ({"arguments": {"schluessel": "key", "a b": "mandant"}}, "names with dots"),
        ({"arguments": {"schluessel": "key", "anzahl": 3}}, "in quotes"),
        ({"arguments": {"mandant": "mandant"}}, "carries the `key`"),
        ({"http_headers": {"X": "package.base64"}}, "no piece"),
        ({"lookup": {**LOOKUP, "reply": {"state": "status", "delivered": ["JA"]}}}, "both answers must be known"),
        ({"lookup": {**LOOKUP, "arguments": {"a": "mandant"}, "reply": {}}}, "no piece mandant"),
        ({"reply": {"state": "status", "delivered": ["JA"], "pending": ["SPAETER"]}}, "needs `lookup`"),
        ({"reply": {"state": "status"}}, "needs values"),
        ({"security": {"username": "ich"}}, "go together"),
        ({"url": "http://fachverfahren.example/"}, "expected https"),
    ],
)
def test_a_wrong_table_is_told_before(more: dict[str, Any], hint: str) -> None:
    """Every mistake is a finding that says what there is instead."""
    with pytest.raises(Misconfigured) as caught:
        _build(**more)

    assert "target.misconfigured" == caught.value.code
    assert any(re.search(hint, finding.hint) for finding in caught.value.findings)
