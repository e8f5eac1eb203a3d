"""Which characters German administration can transport: the data types A to E of DIN 91379 (xoev-digest §1).

The repertoires of the norm (2022-08) and of the DIN SPEC before it (2019-03) as sets of code points, and as sequences of a
letter with combining marks, which count as one character. A test holds them against the published schema types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

Datatype = Literal["A", "B", "C", "D", "E"]
Version = Literal["2022-08", "2019-03"]
NORM: Version = "2022-08"
SPEC: Version = "2019-03"

_A = """20 27 2C-2E 41-5A 60-7A 7E A8 B4 B7 C0-D6 D8-F6 F8-17E 187-188 18F 197 1A0-1A1 1AF-1B0 1B7 1CD-1DC 1DE-1DF 1E2-1F0
1F4-1F5 1F8-1FF 212-213 218-21B 21E-21F 227-233 259 268 292 2B9-2BA 2BE-2BF 2C8 2CC 1E02-1E03 1E06-1E07 1E0A-1E11 1E17
1E1C-1E2B 1E2F-1E37 1E3A-1E3B 1E40-1E49 1E52-1E5B 1E5E-1E63 1E6A-1E6F 1E80-1E87 1E8C-1E97 1E9E 1EA0-1EF9 2019 2021"""
_B = f"{_A} 21-26 28-2B 2F-40 5B-5F 7B-7D A1-A3 A5 A7 A9-AC AE-B3 B5-B6 B9-BB BF D7 F7 20AC"
_C = f"{_B} 9-A D A0 A4 A6 B8 BC-BE"
_D = f"""{_B} A4 A6 B8 BC-BE 192 2B0 2B3 2C6 2DC 2E2 386 388-38A 38C 38E-3A1 3A3-3CE 1D48 1D57 2018 201A 201C-201E 2020
2026 2030 2032-2033 2039-203A 2070 2074-2079 207F-2089 2122 221E 2264-2265"""
_E = f"{_D} {_C} 40D 410-42A 42C 42E-44A 44C 44E-44F 45D"
_RANGES = {"A": _A, "B": _B, "C": _C, "D": _D, "E": _E}

# Combining marks, then the letters that may stand before them.
_SEQUENCES = """300 CFGKMPSTZcfgkmpstz|301 JjÿĪī|302 DKLMNdklmn|304 CFHKNPSTZcfhknpstzÛûḲḳṢṣṬṭỤụ|306 CMNRZcmnrzÇç|307 KUku
|308 CTZczẠạỌọỤụ|30B Aa|30C J|30D ēō|310 Mm|315 CKPTckptČč|31B KTkt|31B+304 Ss|323 CPcpČč|325 LRlr|325+304 LRlr
|326 CHKLNchklnŽž|327 ZzŽž|328+306 Cc|331 HSs|35F+48 K|35F+68 Kk"""
_NEW_IN_NORM = frozenset({"\u1e17", "\u2032", "\u2033", "\u0113\u030d", "\u014d\u030d"})
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a repertoire does not have: the place in the text, counted from 1, and its code point; never more of the text."""

    position: int
    code_point: int

    def __str__(self) -> str:
        return f"U+{self.code_point:04X}"


@dataclass(frozen=True, slots=True)
class Repertoire:
    """One data type of DIN 91379 in one version."""

    datatype: Datatype
    version: Version
    _plain: re.Pattern[str] = field(repr=False)
    _one: re.Pattern[str] = field(repr=False)

    @property
    def name(self) -> str:
        """As people say it."""
        norm = "DIN 91379" if self.version == NORM else "DIN SPEC 91379"
        return f"{norm} ({self.version}), Datentyp {self.datatype}"

    def foreign(self, text: str) -> tuple[Foreign, ...]:
        """Everything in a text that cannot be transported, in its order; empty when all of it can.

        A combining mark is foreign behind any letter that the norm does not put it on.
        """
        if self._plain.fullmatch(text):
            return ()
        found: list[Foreign] = []
        position = 0
        while position < len(text):
            allowed = self._one.match(text, position)
            if allowed is not None and allowed.end() > position:
                position = allowed.end()
                continue
            found.append(Foreign(position + 1, ord(text[position])))
            position += 1
        return tuple(found)


@cache
def repertoire(datatype: Datatype = "C", version: Version = NORM) -> Repertoire:
    """The repertoire of a data type; without more said the one that XÖV standards use for text."""
    gone = frozenset() if version == NORM else _NEW_IN_NORM
    points = "".join(sorted(set(_points(_RANGES[datatype])) - gone))
    sequences = sorted((one for one in _sequences() if one not in gone), key=len, reverse=True)
    singles = "[" + re.escape(points) + "]"
    together = "|".join(map(re.escape, sequences))
    return Repertoire(datatype, version, re.compile(f"{singles}*"), re.compile(f"(?:{together}|{singles})+"))


def what_cannot_be_transported(text: str, datatype: Datatype = "C", version: Version = NORM) -> tuple[str, ...]:
    """The code points of a text that a data type does not have (`U+1F600`), each once; empty when all of it can travel.

    For mappings: refuse the field with them (`Findings.add`), or write what the Fachamt has decided on. Nothing here
    replaces a character: a name without its accents is another name.
    """
    return tuple(dict.fromkeys(str(one) for one in repertoire(datatype, version).foreign(text)))


def told(foreign: tuple[Foreign, ...]) -> str:
    """The code points and their places for a finding, the first ten of them."""
    shown = [f"{one} an Stelle {one.position}" for one in foreign[:_SHOWN]]
    return ", ".join(shown) + (f" und {len(foreign) - _SHOWN} weitere" if len(foreign) > _SHOWN else "")


def _points(ranges: str) -> list[str]:
    points: list[str] = []
    for one in ranges.split():
        first, _, last = one.partition("-")
        points += map(chr, range(int(first, 16), int(last or first, 16) + 1))
    return points


def _sequences() -> list[str]:
    found = []
    for line in _SEQUENCES.replace("\n", "").split("|"):
        marks, letters = line.split(" ")
        found += [letter + "".join(chr(int(mark, 16)) for mark in marks.split("+")) for letter in letters]
    return found
