"""Our own input schema of bewohnerparken judges like the published one: samples, goldens, and thousands of mutations."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from intermediary.xml.parser import Element, parse
from intermediary.xml.schema import compile_schema, problems
from mappings.bewohnerparken.mapping import HERE

PUBLISHED = "schemas/fim-xfall/xdf3-1.01"
NAMESPACE = "urn:fim-de:xfall:datenschema:xdf3"
SEED = 20261121
MUTATIONS_PER_DOCUMENT = 150
TEXTS = (
    *("", " ", "01", "02", " 01 ", "a", "p", "L", "\\", "{}", "p{", "7a", "12", "1 ", "ä", "00123", "01234", "123456"),
    *(
        "2026-02-29",
        "2026-02-28",
        "2026-02-28Z",
        "12026-01-01",
        "-0044-03-15",
        "26-1-1",
        "NaN",
        "INF",
        "1e5",
        "1,5",
        "+1",
    ),
    *("x" * length for length in (9, 10, 20, 21, 23, 24, 50, 51, 55, 56, 80, 81, 120, 121)),
    *("\u0130", "e\u0301", "\U0001f697", "<&>", "12345678901"),
)

Judge = Callable[[Element], bool]


@pytest.fixture(scope="module")
def own() -> Judge:
    """The verdict of our schema."""
    return _judge(HERE / "schema/bewohnerparken.xsd")


@pytest.fixture
def published(shared: Path) -> Judge:
    """The verdict of the published schema."""
    return _judge(shared / PUBLISHED / "xsd/bewohnerparken_S05000058_xfall.xsd")


def test_samples_and_mutations_are_judged_alike(shared: Path, own: Judge, published: Judge) -> None:
    """On every document both schemas say the same; both verdicts occur often enough to mean something."""
    documents = sorted((shared / PUBLISHED / "beispiele/bewohnerparken").glob("*.xml"))
    documents += sorted(HERE.glob("golden/*/input.xml"))
    draw = random.Random(SEED)
    verdicts: Counter[bool] = Counter()
    for path in documents:
        tree = parse(path.read_bytes())
        assert own(tree)
        assert published(tree)
        for _ in range(MUTATIONS_PER_DOCUMENT):
            mutant = mutated(tree, draw)
            verdict = published(mutant)
            verdicts[verdict] += 1
            assert verdict == own(mutant), etree.tostring(mutant)

    assert min(verdicts[True], verdicts[False]) > 400


def test_every_value_of_every_field_is_judged_alike(shared: Path, own: Judge, published: Judge) -> None:
    """Each declared element, alone, with each critical text: same verdict, and the same elements are declared."""
    names = [_names(HERE / "schema/bewohnerparken.xsd"), _names(next((shared / PUBLISHED / "xsd").glob("bewohner*")))]
    assert names[0] == names[1]
    for name in names[0]:
        for text in TEXTS:
            element = etree.Element(f"{{{NAMESPACE}}}{name}", nsmap={None: NAMESPACE})
            element.text = text
            assert published(element) == own(element), (name, text)


def test_content_of_upload_fields_is_judged_alike(own: Judge, published: Judge) -> None:
    """Upload fields are anyType: known elements inside are checked, unknown ones are not."""
    for inner, text in (("F05000000351V1.0.0", "2026-01-01"), ("F05000000351V1.0.0", "x"), ("Unbekannt", "x")):
        upload = etree.Element(f"{{{NAMESPACE}}}F05000001248V1.0.0")
        etree.SubElement(upload, f"{{{NAMESPACE}}}{inner}").text = text
        assert published(upload) == own(upload) == (text != "x" or inner == "Unbekannt")


def test_the_publishers_defect_is_kept() -> None:
    """The doubled backslash refuses a real suffix and is marked where it stands."""
    own = _judge(HERE / "schema/bewohnerparken.xsd")
    element = etree.Element(f"{{{NAMESPACE}}}F00000000084V1.1.0")
    element.text = "a"

    assert not own(element)
    assert "Defect of the publisher" in (HERE / "schema/bewohnerparken.xsd").read_text(encoding="utf-8")


def _judge(path: Path) -> Judge:
    compiled = compile_schema({path.name: path.read_bytes()}, path.name, where=path.name)
    return lambda tree: not problems(tree, compiled)


def _names(path: Path) -> list[str]:
    return sorted(str(one.get("name")) for one in parse(path.read_bytes()) if one.tag.endswith("}element"))


def mutated(tree: Element, draw: random.Random) -> Element:
    """A copy with one to three changes, of every kind a sender's mistake can be."""
    mutant = copy.deepcopy(tree)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        elements = list(mutant.iter())
        one = draw.choice(elements[1:]) if len(elements) > 1 else mutant
        draw.choice(_CHANGES)(one, draw)
    return mutant


def _text(element: Element, draw: random.Random) -> None:
    leaves = [leaf for leaf in element.getroottree().iter() if not len(leaf)]
    draw.choice(leaves).text = draw.choice(TEXTS)


def _remove(element: Element, draw: random.Random) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _double(element: Element, draw: random.Random) -> None:
    element.addnext(copy.deepcopy(element))


def _swap(element: Element, draw: random.Random) -> None:
    following = element.getnext()
    if following is not None:
        following.addnext(element)


def _rename(element: Element, draw: random.Random) -> None:
    element.tag = draw.choice(
        (f"{{{NAMESPACE}}}F05000000060V1.0.0", f"{{{NAMESPACE}}}F05000001248V1.0.0", "F05000000060V1.0.0", "{urn:x}x")
    )


def _attribute(element: Element, draw: random.Random) -> None:
    element.set(draw.choice(("id", "{http://www.w3.org/2001/XMLSchema-instance}nil")), "true")


def _stray(element: Element, draw: random.Random) -> None:
    element.tail = (element.tail or "") + draw.choice((" ", "x"))


def _nest(element: Element, draw: random.Random) -> None:
    etree.SubElement(element, f"{{{NAMESPACE}}}F05000000351V1.0.0").text = draw.choice(TEXTS)


_CHANGES = (_text, _text, _text, _text, _text, _remove, _double, _swap, _rename, _attribute, _stray, _nest)
