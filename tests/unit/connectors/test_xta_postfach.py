"""The connector that lays into our own post boxes: what it writes down, what it refuses, that it never decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.xta_postfach.connector import CONNECTOR, MOST_BYTES, XtaPostfach, XtaPostfachSettings
from intermediary.connect.settings import describe_settings
from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.ports import Awaiting
from intermediary.core.values import Content, Dokument, MemoryContent, Zustellauftrag

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SETTINGS = XtaPostfachSettings(
    account="fvt:0001", author="ags:05999044", service="urn:s", list_uri="urn:l", payload_schema="urn:p"
)


class Long(MemoryContent):
    """Content that says it is longer than it is."""

    __slots__ = ()

    @property
    def length(self) -> int:
        return MOST_BYTES


MESSAGE = MemoryContent(b"<n/>")


def auftrag(nachricht: Content | None = MESSAGE) -> Zustellauftrag:
    return Zustellauftrag(
        nachricht_id="n",
        target="fachverfahren",
        key="k",
        attempt=1,
        mandant="musterstadt",
        package=Dokument("p.zip", "application/zip", MemoryContent(bytes(100))),
        dokumente=(Dokument("a.pdf", "application/pdf", MemoryContent(bytes(7))),),
        nachricht=nachricht,
        standard="xdomea 3.1.0",
        message="Abgabe.Abgabe.0401",
    )


def laid(settings: XtaPostfachSettings, order: Zustellauftrag) -> Awaiting:
    found = XtaPostfach(settings).deliver(order, None, NOW)  # type: ignore[arg-type]  # it has no steps
    assert isinstance(found, Awaiting)
    return found


def test_it_writes_down_what_a_list_shows() -> None:
    """Reader, author, kind and length; no content; the reader has until the deadline."""
    found = laid(replace(SETTINGS, deadline_hours=5), auftrag())

    assert NOW + timedelta(hours=5) == found.until
    assert {
        "post_box": "fvt:0001",
        "reader": "fvt:0001",
        "message_type": "Abgabe.Abgabe.0401",
        "length": "11",
    }.items() <= (found.correlation.items())
    assert "test" not in found.correlation
    assert found == laid(replace(SETTINGS, deadline_hours=5), auftrag())


def test_the_package_alone() -> None:
    """As the settings say, and where there is no message beside it."""
    for settings, order in ((replace(SETTINGS, form="package"), auftrag()), (SETTINGS, auftrag(None))):
        said = laid(settings, order).correlation
        assert ("package", "100") == (said["form"], said["length"])


def test_more_than_the_rule_is_refused() -> None:
    """40 MB for message and documents together; the sender is told."""
    with pytest.raises(Rejected) as caught:
        laid(SETTINGS, auftrag(Long(b"")))

    assert "xta.too-large" == caught.value.code


def test_it_never_decides() -> None:
    """The verdict is the reader's; until then there is none."""
    connector = XtaPostfach(SETTINGS)

    assert connector.collect("k", {}, NOW) is None
    connector.probe()


@pytest.mark.parametrize(
    ("name", "value"), [("account", "x"), ("author", " "), ("deadline_hours", 0), ("file_name", "../a.xml")]
)
def test_settings_that_cannot_be(name: str, value: object) -> None:
    """Told by name before anything is laid down."""
    with pytest.raises(Misconfigured) as caught:
        CONNECTOR.build(replace(SETTINGS, **{name: value}), Path())  # type: ignore[arg-type]

    assert name == caught.value.where


def test_every_setting_is_explained() -> None:
    """The reference has a line with a help text for each."""
    lines = list(describe_settings(XtaPostfachSettings))

    assert 12 == len(lines)
    assert all(line.help for line in lines)
