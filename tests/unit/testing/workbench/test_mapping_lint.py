"""`mapping lint`: the code and two runs together, exit codes, and what each finding tells."""

from __future__ import annotations

import json

import pytest

from tests.unit.testing.workbench.conftest import Copy


def test_a_pure_mapping_is_called_pure(copy: Copy) -> None:
    """Nothing is found, and the line says what was read and run."""
    done = copy.call("lint")

    assert (0, "musterverfahren-hundesteuer@1: rein (3 Module gelesen, 3 Fälle in zwei Läufen verglichen)\n") == (
        done.exit_code,
        done.output,
    )


def test_findings_name_place_and_way_out(copy: Copy) -> None:
    """File and line of the package, the word, and what a mapping does instead; exit code 1."""
    copy.change("mapping.py", "import re\n", "import re, os\n")
    done = copy.call("lint", "--no-runs")

    assert 1 == done.exit_code
    assert f"{copy.package}/hundesteuer/mapping.py:9: import os\n    stattdessen: als Einstellung" in done.output


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '" ".join(name.value for name in vornamen)',
            '" ".join({name.value for name in vornamen} | {"a", "b", "c"})',
            "verschiedene Bytes",
        ),
        ('metadata(eingang, "nachricht.received_at")', "metadata(dt.datetime.now().astimezone(), '')", "verschiedene Bytes"),
        ("    befunde.refuse()", "    open(__file__ + '.toml', 'a').close()\n    befunde.refuse()", "im Lauf berührt: open"),
        (
            "    befunde.refuse()",
            "    __import__('socket').socket().close()\n    befunde.refuse()",
            "im Lauf berührt: socket.",
        ),
    ],
    ids=["order", "clock", "file", "network"],
)  # fmt: skip
def test_two_runs_show_what_they_touch(copy: Copy, old: str, new: str, expected: str) -> None:
    """Whatever the code hides: a run that differs or touches the world is seen."""
    copy.change("mapping.py", old, new)
    done = copy.call("lint", "--json")

    assert 1 == done.exit_code
    assert [] != [one for one in json.loads(done.stdout)["seen"] if expected in one]
