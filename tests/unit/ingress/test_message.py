"""What a refused AMQP message becomes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.ingress.amqp.intake import Delivery
from intermediary.ingress.amqp.message import claim_of, refused_copy

REFUSED = Rejected("intake.type.unknown")


def delivery_of(**change: object) -> Delivery:
    return Delivery(**({"tag": 1, "redelivered": False, "content": MemoryContent(b"body")} | change))  # type: ignore[arg-type]


def test_a_refused_copy_has_body_ids_and_reason() -> None:
    """Whoever reads the refused queue finds the message as it was sent, the code, and a sentence."""
    claim = {"store": "ablage", "key": "k1", "size": 5, "sha256": "0" * 64}
    delivery = delivery_of(
        content_type="text/plain",
        message_id="m-1",
        correlation_id="k-1",
        reply_to="antwort.x",
        headers={"x-mandant": "fremd", "x-vorgang": "v-1", "x-claim": claim},
    )

    copy = refused_copy(delivery, "eingang.refused", REFUSED)

    assert ("eingang.refused", b"body", "text/plain", "m-1") == (
        copy.queue,
        copy.body,
        copy.content_type,
        copy.message_id,
    )
    assert ("k-1", "antwort.x") == (copy.correlation_id, copy.reply_to)
    assert {"x-mandant": "fremd", "x-vorgang": "v-1", "x-claim": claim}.items() <= copy.headers.items()
    assert "intake.type.unknown" == copy.headers["x-reason"]
    assert copy.headers["x-reason-text"].startswith("Der Inhaltstyp")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-death": [{"count": 9}]},
        {"x-reason": "forged"},
        {"CC": ["other.queue"], "BCC": ["other.queue"]},
        {"x-mandant": "x" * 100_000},
        {"x-mandant": datetime(2026, 1, 1, tzinfo=UTC)},
        {"x-claim": {"a": {"b": {}}}},
        {"x-vorgang": 2**70},
        {b"\xff": b"\xff"},
    ],
)
def test_nothing_that_acts_is_copied(headers: dict[object, object]) -> None:
    """Forged, huge, nested or undecodable headers do not get into the copy, so the broker always takes it."""
    copy = refused_copy(delivery_of(headers=headers), "eingang.refused", REFUSED)

    assert {"x-reason", "x-reason-text"} >= {name for name, value in copy.headers.items() if value != {}} - {"x-claim"}
    assert "intake.type.unknown" == copy.headers["x-reason"]


@given(
    st.dictionaries(
        st.sampled_from(["x-mandant", "x-vorgang", "x-claim"]),
        st.recursive(
            st.one_of(st.none(), st.text(), st.binary(), st.integers(), st.floats(), st.booleans()),
            lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=6)),
        ),
    )
)
def test_a_copy_can_always_be_encoded(headers: dict[str, object]) -> None:
    """Whatever came in the known headers, the copy fits into one frame of the protocol."""
    from pika.data import encode_table

    pieces: list[bytes] = []
    copy = refused_copy(delivery_of(headers=headers), "eingang.refused", REFUSED)

    assert 0 < encode_table(pieces, dict(copy.headers)) < 64 * 1024


def test_a_message_has_a_body_or_a_claim() -> None:
    """Both at once is ambiguous and refused."""
    with pytest.raises(Rejected) as refused:
        claim_of(delivery_of(headers={"x-claim": {"store": "ablage"}}))

    assert "intake.claim.invalid" == refused.value.code
