"""The linter of mappings: what it must find, behind which disguise, and what it must leave alone."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from intermediary.testing.workbench.lint.finding import INSTEAD
from intermediary.testing.workbench.lint.static import impurities

PROJECT = Path(__file__).resolve().parents[4]

# Kind, line of the finding, code of mapping.py.
IMPURE = {
    "clock": [
        (3, "import datetime\ndef map(a, k):\n    return datetime.datetime.now()"),
        (3, "from datetime import datetime as uhr\ndef map(a, k):\n    return uhr.utcnow()"),
        (3, "import datetime as d\ndef map(a, k):\n    return d.date.today()"),
        (2, "from datetime import datetime\nJETZT = datetime.now\ndef map(a, k):\n    return JETZT()"),
        (3, 'from datetime import date\ndef map(a, k):\n    return getattr(date, "today")()'),
        (3, 'from datetime import date\ndef map(a, k):\n    return [getattr(date, name)() for name in ("today",)]'),
        (4, "from datetime import datetime\ndef map(a, k):\n    x = y = datetime\n    return y.now()"),
        (4, "from datetime import datetime\ndef map(a, k):\n    (x, y) = (1, datetime)\n    return y.now()"),
        (2, "from datetime import datetime\ndef hilf(u): return u.now()\ndef map(a, k): return hilf(datetime)"),
        (3, "from datetime import datetime\nclass U:\n    jetzt = datetime.now"),
        (4, "from datetime import datetime\ndef map(a, k):\n    if (u := datetime):\n        return u.now()"),
        (1, "import time\ndef map(a, k): return time.time()"),
        (2, "def map(a, k):\n    from time import monotonic as zahl\n    return zahl()"),
        (1, "from intermediary.mapping.api import Kontext; from datetime import datetime; X = [f for f in (datetime.now,)]"),
        (2, "import datetime as d\nX = (d.datetime if True else None).now"),
        (1, "from zoneinfo import ZoneInfo"),
    ],
    "network": [
        (1, "import socket"),
        (1, "import urllib.request"),
        (1, "from urllib.request import urlopen as lies"),
        (1, "from http import client"),
        (1, "import ssl as s"),
    ],
    "files": [
        (1, "def map(a, k): return open('/etc/passwd')"),
        (2, "lies = open\ndef map(a, k): return lies('x')"),
        (3, "from pathlib import Path\nHERE = Path(__file__).parent\nTEXT = (HERE / 'x.txt').read_text()"),
        (3, "from pathlib import Path\ndef map(a, k):\n    return (Path(__file__).parent / 'x').open()"),
        (3, "from pathlib import Path\nP = Path(__file__).parent\nQ = P.joinpath('x').stat"),
        (2, "from pathlib import Path\nX = Path('/etc/passwd')"),
        (3, "from pathlib import Path\nHERE = Path(__file__).parent\nX = HERE / '../../geheim.toml'"),
        (2, "from pathlib import Path\ndef map(a: Path, k): return a.open()"),
        (4, "from pathlib import Path\nimport intermediary.mapping.api as m\ndef f(a):\n    m.load_codes(Path(__file__))"),
        (1, "import io; X = io.open"),
        (1, "import io as i; X = getattr(i, 'open')"),
        (1, "import shutil"),
        (1, "from tempfile import NamedTemporaryFile"),
        (1, "import sqlite3"),
    ],
    "chance": [
        (1, "import random"),
        (1, "from secrets import token_hex as t"),
        (1, "from uuid import uuid4"),
        (2, "import uuid as u\nX = u.uuid4"),
        (2, "from uuid import UUID\nX = getattr(__import__, 'x', None) or UUID.uuid1"),
        (1, "def map(a, k): return hash(a)"),
        (1, "def map(a, k): return id(a)"),
        (1, "def map(a, k): return a.__hash__()"),
        (1, "def map(a, k): return repr(object())"),
    ],
    "environment": [
        (1, "import os"),
        (1, "from os import environ as e"),
        (1, "from sys import argv"),
        (1, "import locale"),
        (1, "def map(a, k): return k.received_at.astimezone()"),
        (2, "from datetime import datetime\nX = datetime.fromtimestamp(0)"),
        (1, "from dataclasses import sys"),
        (2, "import dataclasses\nX = dataclasses.sys.modules"),
        (2, "import enum as e\nX = e.sys"),
        (1, "def map(a, k): return input()"),
        (1, "import ctypes"),
    ],
    "threads": [
        (1, "import threading"),
        (1, "from concurrent.futures import ThreadPoolExecutor"),
        (1, "import asyncio"),
        (1, "async def map(a, k): return 1"),
        (1, "import subprocess"),
        (1, "import multiprocessing.pool as p"),
    ],
    "state": [
        (3, "N = 0\ndef map(a, k):\n    global N\n    N += 1"),
        (3, "GESEHEN = {}\ndef map(a, k):\n    GESEHEN[k] = a"),
        (3, "GESEHEN = []\ndef map(a, k):\n    GESEHEN.append(a)"),
        (4, "GESEHEN = []\ndef map(a, k):\n    alias = 1\n    alias = GESEHEN"),
        (3, "GESEHEN = {1}\ndef map(a, k):\n    hilf(GESEHEN)"),
        (2, "GESEHEN = {}\ndef map(a, k): return GESEHEN"),
        (1, "GESEHEN = {'a': []}\ndef map(a, k):\n    GESEHEN['a'].append(1)"),
        (1, "def map(a, k, gesehen=[]): gesehen.append(a)"),
        (1, "def map(a, k, *, gesehen=dict()): gesehen[1] = a"),
        (2, "import itertools\nNUMMER = itertools.count()\ndef map(a, k): return next(NUMMER)"),
        (1, "ZAHLEN = (n for n in range(9))"),
        (2, "from collections import defaultdict\nGESEHEN = defaultdict(list)"),
        (4, "class M:\n    def __init__(self): self.n = 0\n    def map(self, a, k):\n        self.n += 1\nMAPPING = M()"),
        (3, "class M:\n    def __init__(self): self.n = []\n    def map(self, a, k): self.n.append(a)\nMAPPING = M()"),
        (4, "class M:\n    def __init__(self): self.n = {}\n    def map(self, a, k):\n        self.n[k] = a\nMAPPING = M()"),
        (2, "class M:\n    gesehen = []\n    def map(self, a, k): return self.gesehen"),
        (2, "def map(a, k):\n    map.zahl = 1"),
        (3, "class M: pass\ndef map(a, k):\n    M.zahl = 1"),
        (3, "class M:\n    def map(self, a, k):\n        setattr(self, 'n', 1)"),
        (3, "class M:\n    def map(self, a, k):\n        object.__setattr__(self, 'n', 1)"),
        (
            4,
            "class Z:\n    n = 0\n    def f(self):\n        self.n += 1\nclass M:\n    def __init__(self): Z()\nX = M()",
        ),
        (2, "import decimal\nX = decimal.getcontext()"),
        (4, "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    return g\nZAEHLE = f()"),
        (3, "def zaehle():\n    yield 1\nNUMMERN = zaehle()\ndef map(a, k): return next(NUMMERN)"),
    ],
    "dynamic": [
        (1, "import importlib"),
        (1, "X = __import__('os')"),
        (1, "def map(a, k): return eval('1')"),
        (1, "def map(a, k): exec('import os')"),
        (2, "lauf = exec\nlauf('1')"),
        (1, "from builtins import eval as lauf"),
        (1, "X = __builtins__"),
        (1, "def map(a, k): return getattr(a, k)"),
        (1, "def map(a, k): return globals()"),
        (1, "X = ().__class__.__base__.__subclasses__()"),
        (1, "def map(a, k): return map.__globals__"),
        (1, "X = type('X', (), {})"),
        (1, "from operator import attrgetter"),
        (1, "from os.path import *"),
        (1, "import sys as system; X = system.modules"),
        (1, "import pkgutil"),
        (1, "def map(a, k): return '{0.__init__.__globals__}'.format(k)"),
    ],
    "foreign": [
        (1, "import lxml.etree"),
        (1, "from intermediary.mapping import builder"),
        (1, "from intermediary.mapping.builder import Builder"),
        (1, "from intermediary.xml.parser import parse"),
        (1, "import intermediary.store"),
        (1, "from mappings.bauantrag import texte"),
        (1, "from intermediary.mapping.api import annotations as a, Builder; import statistics"),
        (2, "from intermediary.mapping import api\nX = api.summary_of_all"),
        (1, "from functools import lru_cache"),
        (1, "from functools import cache as merke"),
    ],
    "output": [
        (1, "def map(a, k): print(a)"),
        (2, "zeige = print\nzeige(1)"),
        (1, "import logging"),
        (1, "from warnings import warn"),
    ],
    "order": [
        (1, "def map(a, k): return [x for x in {'a', 'b'}]"),
        (2, "def map(a, k):\n    for x in set(a):\n        pass"),
        (2, "NAMEN = frozenset(('a', 'b'))\ndef map(a, k): return ', '.join(NAMEN)"),
        (1, "def map(a, k): return tuple({'a'} | {'b'})"),
        (1, "def map(a, k): return [*{'a', 'b'}]"),
        (1, "def map(a, k): return {'a', 'b'}.pop()"),
        (1, "def map(a, k): return list(dict.fromkeys({'a', 'b'}))"),
    ],
    "zone": [
        (1, "def map(a, k): return k.received_at.timestamp()"),
        (1, "def map(a, k): return k.received_at.strftime('%A')"),
        (1, "def map(a, k): return f'{k.received_at:%d. %B}'"),
        (2, "from datetime import datetime\ndef map(a, k): return datetime.strptime(a, '%d.%m.%Y %Z')"),
        (1, "def map(a, k): return k.received_at.strftime(a)"),
        (1, "def map(a, k): return [one.strftime for one in a]"),
    ],
}  # fmt: skip
CASES = [
    pytest.param(kind, line, code, id=f"{kind}-{number}")
    for kind, cases in IMPURE.items()
    for number, (line, code) in enumerate(cases)
]

PURE = """
    from __future__ import annotations

    import datetime as dt
    import re
    from collections import Counter
    from dataclasses import dataclass, field
    from pathlib import Path
    from types import MappingProxyType
    from typing import TYPE_CHECKING, ClassVar
    from uuid import NAMESPACE_URL, uuid5

    from intermediary.core.faults import Rejected
    from intermediary.core.values import Befund
    from intermediary.mapping.api import Antrag, Findings, Kontext, Payload, load_codes, rule

    if TYPE_CHECKING:
        from collections.abc import Iterator
        import os

    HERE = Path(__file__).parent
    NAME = re.compile("[a-z]+")
    KANAL = {"E_MAIL": "01", "TELEFON": "02"}
    STUFEN = ("a", "b")
    FEST = MappingProxyType({"a": 1})
    STAAT = load_codes(HERE / "staat.toml")

    @dataclass(frozen=True, slots=True)
    class Einstellungen:
        aktenplan: str = field(metadata={"help": "x"})

        def __post_init__(self) -> None:
            object.__setattr__(self, "aktenplan", self.aktenplan.strip())
            for name in ("aktenplan",):
                if not getattr(self, name):
                    raise ValueError(name)

    class Sammler:
        def __init__(self) -> None:
            self.gefunden: list[str] = []

        def fuege(self, text: str) -> None:
            self.gefunden.append(text)

    class Zaehler(Exception):
        pass

    class M:
        name: ClassVar[str] = "m"

        def __init__(self, tabelle: object) -> None:
            self._tabelle = tabelle

        def map(self, antrag: Antrag, kontext: Kontext) -> object:
            befunde = Findings()
            sammler = Sammler()
            sammler.fuege("x")
            gezaehlt = Counter(KANAL)
            gezaehlt["x"] += 1
            liste = [KANAL[name] for name in sorted(KANAL)]
            liste.append(KANAL.get("E_MAIL", ""))
            tag = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).astimezone(dt.UTC)
            geschrieben = f"{tag:%d.%m.%Y}" + tag.strftime("%Y-%m-%d")
            gelesen = dt.datetime.strptime("2026-01-01", "%Y-%m-%d")
            zusammen = {"a", *{"b"}}
            id = uuid5(NAMESPACE_URL, kontext.id_for("x"))
            open = len(liste)
            for one in sorted({"a", "b"}):
                befunde.add(rule=one, path="x", hint="x")
            with antrag.payload.content.open() as strom:
                strom.read()
            return Payload(antrag.tree), tag, id, open

    MAPPING = M(STAAT)
"""


@pytest.mark.parametrize(("kind", "line", "code"), CASES)
def test_every_disguise_is_seen(tmp_path: Path, kind: str, line: int, code: str) -> None:
    """Each kind of impurity is found at its line, whatever name it goes by."""
    found, _ = impurities(_package(tmp_path, code), "firma.hund.mapping")

    assert (line, kind) in {(one.line, one.kind) for one in found}, found


def test_pure_code_is_left_alone(tmp_path: Path) -> None:
    """Tables, frozen settings, local collections, derived ids and streams of attachments are no findings."""
    found, read = impurities(_package(tmp_path, dedent(PURE)), "firma.hund.mapping")

    assert ((), 3) == (found, read)


@pytest.mark.parametrize("name", sorted(path.parent.name for path in (PROJECT / "mappings").glob("*/mapping.py")))
def test_our_mappings_are_pure(name: str) -> None:
    """The mappings of this repository keep the rules, in all their modules."""
    found, read = impurities(PROJECT, f"mappings.{name}.mapping")

    assert () == found
    assert read >= 3


def test_the_vendors_mapping_is_pure() -> None:
    """The example that vendors copy keeps the rules too."""
    assert ((), 3) == impurities(PROJECT / "tests/packaging/vendor", "musterverfahren.hundesteuer.mapping")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"mapping.py": "from firma.hund import teil", "teil.py": "import os"}, ("firma/hund/teil.py", 1, "environment")),
        ({"mapping.py": "from . import teil", "teil.py": "X = 1\nimport time"}, ("firma/hund/teil.py", 2, "clock")),
        ({"mapping.py": "def f():\n    from .teil import X", "teil.py": "X = open"}, ("firma/hund/teil.py", 1, "files")),
        ({"mapping.py": "X = 1", "__init__.py": "import random"}, ("firma/hund/__init__.py", 1, "chance")),
        ({"mapping.py": "X = 1", "../__init__.py": "print(1)"}, ("firma/__init__.py", 1, "output")),
        (
            {"mapping.py": "from .teil import uhr\nX = uhr.datetime.now", "teil.py": "import datetime as uhr"},
            ("firma/hund/mapping.py", 2, "clock"),
        ),
        (
            {"mapping.py": "from .teil import lies\nX = lies", "teil.py": "from io import BytesIO as lies\nlies = open"},
            ("firma/hund/mapping.py", 2, "files"),
        ),
        (
            {"mapping.py": "from .teil import T\ndef f(): T.append(1)", "teil.py": "T = []"},
            ("firma/hund/mapping.py", 2, "state"),
        ),
        (
            {"mapping.py": "from .teil import H\nX = H.exists()", "teil.py": "from pathlib import Path\nH = Path(__file__)"},
            ("firma/hund/mapping.py", 2, "files"),
        ),
        (
            {"mapping.py": "from .teil import M\nX = M()", "teil.py": "class M:\n    def f(self):\n        self.n = 1"},
            ("firma/hund/teil.py", 3, "state"),
        ),
        ({"mapping.py": "import firma.hund.kern", "kern.cpython-311-x86_64-linux-gnu.so": ""},
         ("firma/hund/kern.cpython-311-x86_64-linux-gnu.so", 1, "source")),
    ],
    ids=range(11),
)  # fmt: skip
def test_all_own_modules_are_read(tmp_path: Path, files: dict[str, str], expected: tuple[str, int, str]) -> None:
    """What a mapping imports from its own package is read as well, and names are followed across its modules."""
    root = _package(tmp_path, "")
    for name, code in files.items():
        (root / "firma/hund" / name).write_text(code, encoding="utf-8")
    found, _ = impurities(root, "firma.hund.mapping")

    assert expected in {(one.file, one.line, one.kind) for one in found}, found


def test_a_finding_says_where_and_what_to_do(tmp_path: Path) -> None:
    """File, line, kind and word of the code, and the way a mapping does it instead."""
    (finding,), _ = impurities(_package(tmp_path, "import os"), "firma.hund.mapping")

    assert "firma/hund/mapping.py:1: environment: import os" == str(finding)
    assert "read_settings" in finding.instead
    assert set(IMPURE) | {"source"} == set(INSTEAD)


def _package(folder: Path, code: str) -> Path:
    place = folder / "firma/hund"
    place.mkdir(parents=True)
    for init in (place / "__init__.py", place.parent / "__init__.py"):
        init.write_text("", encoding="utf-8")
    (place / "mapping.py").write_text(code, encoding="utf-8")
    return folder
