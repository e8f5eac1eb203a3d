"""Runs the golden cases of a mapping in two processes that differ in everything a pure function cannot see.

What the code says is read elsewhere (`static.py`); this shows what two runs do. Both are needed: an order of a set that no
rule saw differs here, and a clock that equals itself within a second is found there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from intermediary.operations.mapping_places import Place

_WITNESS = "intermediary.testing.workbench.lint.witness"
_SURROUNDINGS = (
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4711", "TZ": "America/St_Johns", "LC_ALL": "POSIX", "PYTHONUTF8": "1"},
)
_LIMIT_SECONDS = 300


def repeated(place: Place) -> tuple[tuple[str, ...], int]:
    """What two runs showed that a pure function would not show, and how many cases were compared."""
    first, second = (_seen(place, surroundings) for surroundings in _SURROUNDINGS)
    told = dict.fromkeys((*first["touched"], *second["touched"]))
    for case in sorted({*first["cases"], *second["cases"]}):
        if first["cases"].get(case) != second["cases"].get(case):
            told[
                f"{case}: zwei Läufe ergeben verschiedene Bytes (Reihenfolge einer Menge, Zeit, Zeitzone, Zufall?)"
            ] = None
    return tuple(told), len(first["cases"])


def _seen(place: Place, surroundings: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What the witness saw in such surroundings and a folder of its own."""
    path = os.pathsep.join(one for one in sys.path if one)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", _WITNESS, place.address, place.name],
            cwd=folder,
            env={**os.environ, **surroundings, "PYTHONPATH": path},
            check=False,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        return {"cases": {}, "touched": {f"der Lauf brach ab: {last}": ""}}
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found
