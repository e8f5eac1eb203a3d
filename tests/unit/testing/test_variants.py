"""Changed inputs are valid, different, repeatable, and reach every part of the samples."""

from __future__ import annotations

import random

import pytest

from intermediary.testing.variants import Variants
from intermediary.xml.parser import Element, parse

SAMPLES = [
    parse(b"<a><name>x</name><kind><one>1</one></kind></a>"),
    parse(b"<a><name>y</name><name>z</name><kind><two/></kind><note>n</note></a>"),
]


def _sound(tree: Element) -> bool:
    """One kind, at least one name, no blank text: what a schema might say."""
    return len(tree.findall("kind")) == 1 and bool(tree.findall("name")) and bool((tree.findtext("name") or "").strip())


def _made(seed: int, number: int) -> list[bytes]:
    variants = Variants(SAMPLES, random.Random(seed), accepts=_sound)
    return [variants.document(SAMPLES[one % 2]) for one in range(number)]


def test_variants_are_valid_different_and_repeatable() -> None:
    """The judge found each of them valid, no two are alike, and a seed makes the same ones again."""
    made = _made(1, 200)

    assert all(_sound(parse(one)) for one in made)
    assert 200 == len(set(made))
    assert made == _made(1, 200)
    assert made != _made(2, 200)


def test_parts_travel_between_samples() -> None:
    """What one sample has shows up in those made of the other; parts are doubled, left out, and texts made nasty."""
    made = [parse(one) for one in _made(3, 200)]
    of_the_first = made[::2]

    assert any(one.find("note") is not None for one in of_the_first)
    assert any(one.find("kind/two") is not None for one in of_the_first)
    assert any(len(one.findall("name")) > 2 for one in made)
    assert any(one.find("note") is None for one in made[1::2])
    assert any("<script>" in "".join(one.itertext()) for one in made)
    assert any(not "".join(one.itertext()).isascii() for one in made)


def test_samples_stay_as_they_are() -> None:
    """A maker of inputs changes copies only."""
    before = ["".join(one.itertext()) for one in SAMPLES]
    _made(4, 20)

    assert before == ["".join(one.itertext()) for one in SAMPLES]


def test_a_judge_that_refuses_everything_is_told() -> None:
    """Without a single valid change there is nothing to try, which is an error and no silence."""
    variants = Variants(SAMPLES, random.Random(5), accepts=lambda tree: False)
    variants.document(SAMPLES[0])

    with pytest.raises(LookupError):
        variants.document(SAMPLES[0])
