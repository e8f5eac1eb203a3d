"""Reading JSON of strangers: one meaning, within ceilings, or a rule that says why not."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal

import pytest

from intermediary.core.json_text import HINTS, MAX_BYTES, MAX_DEPTH, MAX_VALUES, JsonError, read_json


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "syntax"),
        (b"{", "syntax"),
        (b"{}x", "syntax"),
        (b"{a:1}", "syntax"),
        (b'{"a": "x\ny"}', "syntax"),
        (b'"x"', "structure"),
        (b"1", "structure"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": 1, "\\u0061": 2}', "twice"),
        (b'{"a": NaN}', "number"),
        (b'{"a": -Infinity}', "number"),
        (b'{"a": 1e400}', "number"),
        (b'{"a": 1e-999999999}', "number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number"),
        (b'{"a": 1e' + b"9" * 5000 + b"}", "number"),
        (b'{"a": "\\ud800"}', "characters"),
        (b'{"\\udc00": 1}', "characters"),
        (b'{"a": "x\\u0000"}', "characters"),
        (b'{"a": ["\\ufffe"]}', "characters"),
        (b"\xff\xfe{\x00}\x00", "encoding"),
        ("{}".encode("utf-16-le"), "encoding"),
        ("{}".encode("utf-32"), "encoding"),
        (b'{"a": "\xe4"}', "encoding"),
        (b'{"a": "\xed\xa0\x80"}', "encoding"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "depth"),
        (b'{"a":' * 100_000, "depth"),
        (b"[" + b"[]," * MAX_VALUES + b"[]]", "values"),
        (b" " * (MAX_BYTES + 1), "size"),
    ],
)
def test_what_two_readers_would_understand_differently_is_refused(data: bytes, rule: str) -> None:
    """Each kind has its rule, and a hint for the sender."""
    with pytest.raises(JsonError) as refused:
        read_json(data)

    assert rule == refused.value.rule
    assert HINTS[rule]


def test_what_is_unusual_but_clear_is_read() -> None:
    """A BOM of UTF-8, exact numbers, pairs of halves, depth up to the limit, and text full of commas."""
    assert {"n": 9007199254740993, "d": Decimal("0.10"), "s": "\U0001f600"} == read_json(
        b'\xef\xbb\xbf{"n": 9007199254740993, "d": 0.10, "s": "\\ud83d\\ude00"}'
    )
    assert {"a": "1.50"} == read_json(b'{"a": 1.50}', number=str)
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert ["," * (MAX_VALUES + 1)] == read_json(b'["' + b"," * (MAX_VALUES + 1) + b'"]')


def test_a_bomb_is_counted_before_anything_is_built() -> None:
    """Fifteen million bytes of empty lists, which would take half a gigabyte, cost little more than their length."""
    bomb = b"[" + b"[]," * 5_000_000 + b"[]]"
    tracemalloc.start()
    with pytest.raises(JsonError):
        read_json(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 3 * len(bomb)
