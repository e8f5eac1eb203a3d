"""What a door lets in, and with which code it refuses the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.faults import Rejected
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import OSCI_MIME, Angaben, DoorRules, build_eingang

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ONE = DoorRules("tuer", ("musterstadt",), max_bytes=10, max_claim_bytes=20, reply_to=frozenset({"antwort.a"}))
TWO = replace(ONE, mandanten=("musterstadt", "beispielhausen"))
GOOD = Angaben(content_type=OSCI_MIME, message_id="m-1")


def test_a_sound_submission_becomes_an_eingang() -> None:
    """Everything the sender stated arrives in its field, the media type without parameters and in lower case."""
    stated = Angaben("Application/VND.osci12+mime; charset=utf-8", "m-1", "beispielhausen", "antwort.a", "k-1", "v-1")

    eingang = build_eingang(TWO, stated, body=MemoryContent(b"bytes"), received_at=NOW)

    assert (OSCI_MIME, "m-1", "beispielhausen", "antwort.a", "k-1", "v-1", "tuer", NOW) == (
        eingang.content_type,
        eingang.message_id,
        eingang.mandant,
        eingang.reply_to,
        eingang.correlation_id,
        eingang.vorgang,
        eingang.channel,
        eingang.received_at,
    )


@pytest.mark.parametrize("mandant", [None, "musterstadt"])
def test_a_single_mandant_need_not_be_named(mandant: str | None) -> None:
    """At a door of one Mandant the statement may be missing or name that Mandant."""
    eingang = build_eingang(ONE, replace(GOOD, mandant=mandant), body=MemoryContent(b"x"), received_at=NOW)

    assert "musterstadt" == eingang.mandant


@pytest.mark.parametrize(
    ("rules", "change", "code"),
    [
        (ONE, {"content_type": "text/plain"}, "intake.type.unknown"),
        (ONE, {"content_type": None}, "intake.type.unknown"),
        (ONE, {"content_type": b"\xff"}, "intake.type.unknown"),
        (ONE, {"message_id": None}, "intake.id.missing"),
        (ONE, {"message_id": ""}, "intake.id.missing"),
        (ONE, {"message_id": "x" * 257}, "intake.id.missing"),
        (ONE, {"message_id": "a\x00b"}, "intake.id.missing"),
        (ONE, {"message_id": "a\udcffb"}, "intake.id.missing"),
        (ONE, {"message_id": b"\xff"}, "intake.id.missing"),
        (ONE, {"mandant": "beispielhausen"}, "intake.mandant.unknown"),
        (ONE, {"mandant": ""}, "intake.mandant.unknown"),
        (TWO, {"mandant": None}, "intake.mandant.unknown"),
        (TWO, {"mandant": ["musterstadt"]}, "intake.mandant.unknown"),
        (ONE, {"reply_to": "antwort.b"}, "intake.reply.unlisted"),
        (ONE, {"reply_to": 5}, "intake.reply.unlisted"),
        (ONE, {"correlation_id": "a\nb"}, "intake.header.invalid"),
        (ONE, {"correlation_id": "x" * 257}, "intake.header.invalid"),
        (ONE, {"vorgang": 7}, "intake.header.invalid"),
        (ONE, {"vorgang": "x" * 257}, "intake.header.invalid"),
    ],
)
def test_what_does_not_fit_is_refused(rules: DoorRules, change: dict[str, object], code: str) -> None:
    """Each statement that does not fit is refused under the code that names it."""
    with pytest.raises(Rejected) as refused:
        build_eingang(rules, replace(GOOD, **change), body=MemoryContent(b"x"), received_at=NOW)  # type: ignore[arg-type]

    assert code == refused.value.code


@pytest.mark.parametrize(
    ("size", "is_claim", "code"),
    [
        (0, False, "intake.body.empty"),
        (11, False, "intake.size.exceeded"),
        (21, True, "intake.size.exceeded"),
        (10, False, None),
        (20, True, None),
    ],
)
def test_size_is_bounded(size: int, is_claim: bool, code: str | None) -> None:
    """A body may be as large as the limit of the way it came, and not empty."""

    def build() -> Eingang:
        return build_eingang(ONE, GOOD, body=MemoryContent(b"x" * size), received_at=NOW, is_claim=is_claim)

    assert code == code_of(build)


ANYTHING = st.one_of(
    st.none(),
    st.text(),
    st.binary(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.lists(st.text()),
    st.just(OSCI_MIME),
)


@given(st.builds(Angaben, ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING))
def test_no_statement_of_a_sender_breaks_the_door(angaben: Angaben) -> None:
    """Whatever type and text a sender states: an Eingang whose fields are clean text, or a documented refusal."""
    eingang: list[Eingang] = []

    def build() -> None:
        eingang.append(build_eingang(ONE, angaben, body=MemoryContent(b"x"), received_at=NOW))

    assert (code_of(build) or "intake.").startswith("intake.")
    assert all(
        text.isprintable() and len(text) <= 256
        for one in eingang
        for text in (one.message_id, one.reply_to, one.correlation_id, one.vorgang)
    )


def test_a_door_needs_a_time_zone() -> None:
    """A naive moment of receipt is a defect, not a time."""
    with pytest.raises(ValueError, match="time zone"):
        build_eingang(ONE, GOOD, body=MemoryContent(b"x"), received_at=NOW.replace(tzinfo=None))


def code_of(build: Callable[[], object]) -> str | None:
    """The code under which this is refused, or None."""
    try:
        build()
    except Rejected as refused:
        return refused.code
    return None
