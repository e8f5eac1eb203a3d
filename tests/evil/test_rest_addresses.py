"""The connector `rest`: neither a citizen's words nor a target's decide at which address something is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.rest.connector import CONNECTOR, MANIFEST, Rest
from connectors.rest.login import _token_of
from connectors.rest.settings import RestSettings
from intermediary.connect.settings import build_settings
from intermediary.core.faults import Misconfigured
from intermediary.core.steps import Checkpoints
from intermediary.core.targets import POST_BOX
from intermediary.testing.connectors import NOW, deliver, make_auftrag
from intermediary.testing.rest_target import RestTarget

INNER = "akten/{business.aktenzeichen}/dokumente"
LEADING = "{business.aktenzeichen}/dokumente"


@pytest.fixture(scope="module")
def target() -> Iterator[RestTarget]:
    with RestTarget() as made:
        yield made


def connect(target: RestTarget, path: str) -> Rest:
    table = {"url": target.url, "idempotency": "native", "request": [{"path": path}]}
    return CONNECTOR.build(build_settings(RestSettings, table, base=Path("/"), where="settings"), Path("/"))


@pytest.mark.parametrize("path", [INNER, LEADING])
@pytest.mark.parametrize("value", ["..", ".", ""])
def test_no_business_key_leads_to_another_folder(target: RestTarget, path: str, value: str) -> None:
    """`..` would be resolved away, and an empty one names the folder above: nothing is sent."""
    before = len(target.headers)
    with pytest.raises(Misconfigured) as raised:
        deliver(connect(target, path), replace(make_auftrag(), business_keys={"aktenzeichen": value}))

    assert ("target.misconfigured", "{business.aktenzeichen}") == (raised.value.code, raised.value.where)
    assert before == len(target.headers)


@pytest.mark.parametrize("value", ["/admin", "http://127.0.0.1:1/x", "../..", "a/../..", "..\\..", "x?y#z", "a\r\nb"])
@pytest.mark.parametrize("path", [INNER, LEADING])
def test_a_business_key_is_one_segment(target: RestTarget, path: str, value: str) -> None:
    """Whatever stands in it arrives quoted, in its place, at the host that is configured."""
    auftrag = replace(make_auftrag(), business_keys={"aktenzeichen": value})
    with pytest.raises(Misconfigured) as raised:  # there is nothing at this address: what counts is where it asked
        connect(target, path).deliver(auftrag, Checkpoints(MANIFEST.steps), NOW)

    asked = target.headers[-1][":path"]
    assert "target.http" == raised.value.code
    assert path.count("/") + 1 == asked.count("/")
    assert asked.endswith("/dokumente")


@pytest.mark.parametrize(
    "answer",
    [
        b'{"access_token":"x","expires_in":1e999}',
        b'{"access_token":""}',
        b'{"access_token":"a\\r\\nX-Y: z"}',
        b"[" * 9999,
    ],
)
def test_a_token_that_is_none(answer: bytes) -> None:
    """An answer of the token service that nobody can log in with is a fault of ours, not an exception."""
    with pytest.raises(Misconfigured) as raised:
        _token_of(answer, datetime.now(UTC))

    assert "target.credentials" == raised.value.code


def test_no_target_lays_anything_into_a_box_of_ours(target: RestTarget) -> None:
    """A fact named as the entry by which a reader's box is found would let the target choose the reader."""
    taking = {"path": "zustellungen", "take": {POST_BOX: "id"}}
    table = {"url": target.url, "idempotency": "native", "request": [taking]}

    with pytest.raises(Misconfigured) as raised:
        build_settings(RestSettings, table, base=Path("/"), where="settings")

    assert "a fact is a short word of its own" in raised.value.findings[0].hint
