"""Reading an XFall payload."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from intermediary.core.faults import Rejected
from intermediary.mapping.accessor import Payload, boolean, code, date, decimal, integer, normal
from intermediary.xml.parser import parse

PAYLOAD = b"""<S1 xmlns="urn:x"><G1><F1> Anna </F1><F2>a</F2><F2>b</F2><F3>2026-02-28Z</F3><F4>1.50</F4><F5>1</F5></G1>
<G2><F6> 02 </F6></G2><G2><F6>03</F6></G2><F7><x:u xmlns:x="urn:y">in<x:v/>side</x:u></F7><F8/></S1>"""


@pytest.fixture
def payload() -> Payload:
    """A payload with one of everything."""
    return Payload(parse(PAYLOAD))


def test_reads_are_typed_and_name_their_path(payload: Payload) -> None:
    """Each read gives the value of its type and the path it was read from."""
    group = payload.group("G1")

    assert (" Anna ", "input", "/S1/G1/F1") == _parts(group.required("F1"))
    assert (dt.date(2026, 2, 28), "input", "/S1/G1/F3") == _parts(group.required("F3", date))
    assert (Decimal("1.50"), "input", "/S1/G1/F4") == _parts(group.required("F4", decimal))
    assert (True, "input", "/S1/G1/F5") == _parts(group.required("F5", boolean))
    assert ["/S1/G1/F2[1]", "/S1/G1/F2[2]"] == [one.source for one in group.repeated("F2")]
    assert ["02", "03"] == [group.required("F6", code).value for group in payload.groups("G2")]
    assert "/S1/G2[2]/F6" == payload.groups("G2")[1].required("F6").source


def test_optional_is_none_and_required_is_refused(payload: Payload) -> None:
    """What was not sent is None where that is allowed, otherwise a Befund with the path."""
    assert payload.optional("F9") is None
    assert payload.optional_group("G9") is None
    with pytest.raises(Rejected) as field:
        payload.group("G1").required("F9")
    with pytest.raises(Rejected) as group:
        payload.group("G9")

    assert [("/S1/G1/F9", "required")] == [(one.path, one.rule) for one in field.value.findings]
    assert [("/S1/G9", "required")] == [(one.path, one.rule) for one in group.value.findings]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((text, date) for text in ("2026-02-29", "12026-01-01", "-0044-03-15", "0000-01-01", "", "01.02.2026")),
        *((text, decimal) for text in ("1,5", "NaN", "Infinity")),
        *((text, boolean) for text in ("ja", "TRUE")),
    ],
)
def test_wrong_values_are_refused_without_the_value(text: str, kind: object) -> None:
    """A value of the wrong type is a Befund with rule `type`; the value appears nowhere."""
    payload = Payload(parse(f"<S1><F1>{text}</F1></S1>".encode()))

    with pytest.raises(Rejected) as refusal:
        payload.required("F1", kind)  # type: ignore[call-overload]

    assert [("/S1/F1", "type")] == [(one.path, one.rule) for one in refusal.value.findings]
    assert not text or text not in repr(refusal.value.findings)


def test_unread_fields_are_named(payload: Payload) -> None:
    """Everything nobody read is listed in document order; reading a field of any content covers what is in it."""
    payload.group("G1").repeated("F2")
    payload.groups("G2")[0].required("F6")
    payload.required("F7")

    assert ("/S1/G1/F1", "/S1/G1/F3", "/S1/G1/F4", "/S1/G1/F5", "/S1/G2[2]/F6", "/S1/F8") == payload.unread()


def test_text_of_any_content_is_whole(payload: Payload) -> None:
    """A field with elements in it reads as all its text."""
    assert "inside" == payload.required("F7").value


def test_values_stay_out_of_reprs(payload: Payload) -> None:
    """A citizen's value never appears in a repr."""
    assert "Anna" not in repr(payload.group("G1").required("F1"))


def _parts(value: object) -> tuple[object, str, str]:
    return value.value, value.kind, value.source  # type: ignore[attr-defined]


def test_attributes_of_the_root_are_read() -> None:
    """An attribute of the root has a value and a path, or is None; one in a namespace has another name."""
    payload = Payload(parse(b'<S1 test="yes" x:lang="de" xmlns:x="urn:x"/>'))

    assert ("yes", "input", "/S1/@test") == _parts(payload.attribute("test"))
    assert payload.attribute("lang") is None


def test_all_texts_are_listed_without_being_read(payload: Payload) -> None:
    """Every leaf comes once, in document order, with the path that a read names; nothing counts as read."""
    unread = payload.unread()
    texts = list(payload.texts())

    assert list(unread) == [one.source for one in texts]
    assert (" Anna ", "input", "/S1/G1/F1") == _parts(texts[0])
    assert unread == payload.unread()


def test_whole_numbers_are_read() -> None:
    """Signs, zeros and blanks around are read over; anything else is no whole number."""
    assert [7, -7, 0] == [integer(" +007 "), integer("-7"), integer("0")]
    for wrong in ("", "1.0", "1_0", "٧", "9" * 5000):
        with pytest.raises(ValueError):
            integer(wrong)


def test_texts_are_read_in_normal_form() -> None:
    """A letter and its combining mark become the one character that xÖV character sets contain."""
    assert "Müller" == normal("Mu\u0308ller")
    assert "M\u0302" == normal("M\u0302")


def test_parts_of_a_message_without_a_namespace_are_read_by_name() -> None:
    """Heads of xÖV messages stand in no namespace; a child of the root's namespace wins over one without."""
    payload = Payload(parse(b'<x:m xmlns:x="urn:m"><kopf><code>1</code></kopf><x:a>x</x:a><a>y</a></x:m>'))

    assert "1" == payload.group("kopf").required("code").value
    assert ["x"] == [one.value for one in payload.repeated("a")]
