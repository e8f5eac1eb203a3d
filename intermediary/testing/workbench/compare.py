"""Compares two messages element by element: where they differ, what was expected, what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from intermediary.xml.parser import Element

_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """One place. None stands for something that is not there. The texts are synthetic: they come from golden cases."""

    path: str
    expected: str | None
    found: str | None


def differences_of(expected: Element, found: Element) -> list[Difference]:
    """All differences in document order; layout, prefixes and the order of attributes are none."""
    root = f"/{_name(expected)}"
    if expected.tag != found.tag:
        return [Difference(root, str(expected.tag), str(found.tag))]
    return list(_compare(expected, found, root))


def _compare(expected: Element, found: Element, path: str) -> Iterator[Difference]:
    for name in sorted({*map(str, expected.attrib), *map(str, found.attrib)}):
        before, after = expected.get(name), found.get(name)
        if before != after:
            yield Difference(f"{path}/@{name.rpartition('}')[2]}", before, after)
    if not len(expected) and not len(found):
        if _text(expected) != _text(found):
            yield Difference(path, _text(expected), _text(found))
        return
    names = list(dict.fromkeys(str(one.tag) for one in (*expected, *found)))
    in_common = True
    for name in names:
        before_all, after_all = expected.findall(name), found.findall(name)
        in_common = in_common and len(before_all) == len(after_all)
        yield from _alike(before_all, after_all, f"{path}/{name.rpartition('}')[2]}")
    if in_common and [one.tag for one in expected] != [one.tag for one in found]:
        yield Difference(f"{path} (Reihenfolge)", _order(expected), _order(found))


def _alike(expected: Sequence[Element], found: Sequence[Element], path: str) -> Iterator[Difference]:
    """Elements of one name: equal ones belong together, what lies between them is compared in pairs."""
    is_one = max(len(expected), len(found)) == 1
    if len(expected) == len(found):
        pairs = [(number, number) for number in range(len(found))]
        yield from _paired(expected, found, pairs, path, is_one=is_one)
        return
    matcher = SequenceMatcher(None, [_whole(one) for one in expected], [_whole(one) for one in found], autojunk=False)
    for kind, start, end, begin, stop in matcher.get_opcodes():
        if kind == "equal":
            continue
        both = min(end - start, stop - begin)
        pairs = [(start + step, begin + step) for step in range(both)]
        yield from _paired(expected, found, pairs, path, is_one=is_one)
        for number in range(start + both, end):
            yield Difference(_at(path, number, is_one=is_one), _shown(expected[number]), None)
        for number in range(begin + both, stop):
            yield Difference(_at(path, number, is_one=is_one), None, _shown(found[number]))


def _paired(
    expected: Sequence[Element], found: Sequence[Element], pairs: Sequence[tuple[int, int]], path: str, *, is_one: bool
) -> Iterator[Difference]:
    for before, after in pairs:
        yield from _compare(expected[before], found[after], _at(path, after, is_one=is_one))


def _at(path: str, number: int, *, is_one: bool) -> str:
    return path if is_one else f"{path}[{number + 1}]"


def _whole(element: Element) -> tuple[object, ...]:
    attributes = tuple(sorted((str(name), str(value)) for name, value in element.attrib.items()))
    text = "" if len(element) else _text(element)
    return (str(element.tag), attributes, text, tuple(_whole(child) for child in element))


def _shown(element: Element) -> str:
    """A leaf by its text, a section by what it holds."""
    if not len(element):
        return _text(element)
    text = ", ".join(f"{_name(one)} {_text(one)}".strip() for one in element.iter() if not len(one))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _order(element: Element) -> str:
    return ", ".join(_name(one) for one in element)


def _text(element: Element) -> str:
    return "".join(str(piece) for piece in element.itertext())


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
