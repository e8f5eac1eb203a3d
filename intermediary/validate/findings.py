"""Befunde from libxml2's errors: every one with place and rule, none with a value.

libxml2's messages quote the document. Nothing of them is passed on except what provably comes from the schema: names it
declares, patterns it contains, numbers at the end of a facet's message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from intermediary.core.characters import Repertoire
from intermediary.core.values import Befund
from intermediary.validate import hints
from intermediary.validate.characters import RULE, hint_of
from intermediary.validate.places import Places
from intermediary.validate.strict_base64 import PATTERN
from intermediary.xml.parser import Element
from intermediary.xml.schema import Problem

MAX_FINDINGS = 200
CODE = "validate.input.invalid"
DEFECT_RULE = "publisher-defect"
_EXPECTED = re.compile(r"Expected is(?: one of)? \( ([^()]*) \)\.\s*$")
_ATTRIBUTE = re.compile(r"^Element '[^']*', attribute '([^']*)': ")
_REQUIRED = re.compile(r"^[^']*'[^']*': The attribute '([^']*)' is required but missing\.\s*$")
_LIMIT = re.compile(r" '(-?\d{1,9}(?:\.\d{1,9})?)'\.\s*$")
_LIMITED = frozenset(
    f"SCHEMAV_CVC_{facet}_VALID"
    for facet in (
        "LENGTH", "MINLENGTH", "MAXLENGTH", "MININCLUSIVE", "MAXINCLUSIVE", "MINEXCLUSIVE", "MAXEXCLUSIVE",
        "TOTALDIGITS", "FRACTIONDIGITS",
    )
)  # fmt: skip
_DOUBLED_BACKSLASH = re.compile(r"\\\\(?:[pP]\{|[dDwWsSiIcC])")
_LONGEST_PATTERN = 120
_NO_REPERTOIRES: Mapping[str, Repertoire] = MappingProxyType({})
_GENERIC = "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"


def befunde(
    errors: Iterable[Problem],
    root: Element,
    names: frozenset[str],
    patterns: frozenset[str],
    characters: Mapping[str, Repertoire] = _NO_REPERTOIRES,
) -> tuple[Befund, ...]:
    """The findings behind the errors of one validation, in document order, at most `MAX_FINDINGS` and a note.

    `names` and `patterns` are what the schema declares (`Closure`). A general datatype error at a place that already
    has a more exact one is left out. A pattern with the publisher's doubled backslash brings a second Befund with the
    rule `publisher-defect` (xoev-digest §8). Where one of the `characters` patterns is broken, the code points are told.
    """
    places = Places(root, names)
    found: list[Befund] = []
    exact: set[str] = set()
    for error in errors:
        if len(found) >= MAX_FINDINGS:
            found.append(Befund(CODE, rule="too-many-findings", hint=hints.CUT.format(limit=MAX_FINDINGS)))
            break
        path, name = places.find(error.path)
        if error.rule == _GENERIC and path in exact:
            continue
        exact.add(path)
        foreign = _no_base64(error, places, path, name) or (
            _foreign(error, places, path, name, characters) if characters else None
        )
        found += [foreign] if foreign else _befunde_of(error, path, name, names, patterns)
    return tuple(found)


def overflow(limit: int) -> tuple[Befund, ...]:
    """The single finding about a document with more errors than anybody reads."""
    return (Befund(CODE, path="/", rule="too-many-findings", hint=hints.TOO_MANY.format(limit=limit)),)


def _befunde_of(error: Problem, path: str, name: str, names: frozenset[str], patterns: frozenset[str]) -> list[Befund]:
    rule = error.rule
    message = error.message
    hint = _sentence(rule, message).format(name=name)
    hint += _expected(rule, message, names)
    if rule in _LIMITED and (limit := _LIMIT.search(message)):
        hint += hints.LIMIT.format(limit=limit.group(1))
    pattern = _pattern(rule, message, patterns)
    if pattern and len(pattern) <= _LONGEST_PATTERN:
        hint += hints.PATTERN.format(pattern=pattern)
    line = error.line if error.line > 0 else None
    result = [Befund(CODE, path=path, line=line, rule=rule, hint=hint)]
    if _DOUBLED_BACKSLASH.search(pattern):
        result.append(
            Befund("validate.schema.defect", path=path, line=line, rule=DEFECT_RULE, hint=hints.PUBLISHER_DEFECT)
        )
    return result


def _no_base64(error: Problem, places: Places, path: str, name: str) -> Befund | None:
    """The data type, where the pattern is broken that libxml2 needs in order to be strict about it."""
    if not _pattern(error.rule, error.message, frozenset((PATTERN,))):
        return None
    attribute = _ATTRIBUTE.match(error.message)
    if attribute is not None:
        path, name = places.find(f"{error.path}/@{attribute[1].rpartition('}')[2]}")
    line = error.line if error.line > 0 else None
    return Befund(CODE, path=path, line=line, rule=_GENERIC, hint=hints.NO_BASE64.format(name=name))


def _foreign(
    error: Problem, places: Places, path: str, name: str, characters: Mapping[str, Repertoire]
) -> Befund | None:
    """What cannot be transported, where a pattern says so; libxml2 gives an attribute's error the path of its element."""
    allowed = characters.get(_pattern(error.rule, error.message, frozenset(characters)))
    if allowed is None:
        return None
    node = error.path
    attribute = _ATTRIBUTE.match(error.message)
    if attribute is not None:
        node = f"{node}/@{attribute[1].rpartition('}')[2]}"
        path, name = places.find(node)
    text = places.value(node)
    if not allowed.foreign(text):
        return None
    line = error.line if error.line > 0 else None
    return Befund(CODE, path=path, line=line, rule=RULE, hint=hint_of(name, allowed, text))


def _sentence(rule: str, message: str) -> str:
    if rule == hints.CONTENT:
        return hints.MISSING_CHILD if "Missing child element(s)." in message else hints.UNEXPECTED_CHILD
    return hints.HINTS.get(rule, hints.UNKNOWN)


def _expected(rule: str, message: str, names: frozenset[str]) -> str:
    """What should have been there, by name: the end of the message comes from the schema, and only its names pass."""
    if rule == hints.CONTENT and (listed := _EXPECTED.search(message)):
        candidates = [one.strip().rpartition("}")[2] for one in listed.group(1).split(", ")]
    elif rule == "SCHEMAV_CVC_COMPLEX_TYPE_4" and (required := _REQUIRED.match(message)):
        candidates = [required.group(1).rpartition("}")[2]]
    else:
        return ""
    passed = [one for one in candidates if one in names]
    return hints.EXPECTED.format(names=", ".join(passed)) if passed else ""


def _pattern(rule: str, message: str, patterns: frozenset[str]) -> str:
    if rule != "SCHEMAV_CVC_PATTERN_VALID":
        return ""
    ended = message.rstrip()
    return max((one for one in patterns if ended.endswith(f"by the pattern '{one}'.")), key=len, default="")
