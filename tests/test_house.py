"""Habits of the house that a machine can watch: docstrings of tests, size of files."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest

from intermediary.cli.main import VERBS

PROJECT = Path(__file__).resolve().parent.parent
MOST_LINES = 400


def _python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (PROJECT / folder).rglob("*.py"))


def _test_functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [function for function in functions if function.name.startswith("test_")]


def test_every_test_says_what_must_hold() -> None:
    """Every test function has a docstring."""
    silent = [
        f"{path.relative_to(PROJECT)}:{function.lineno} {function.name}"
        for path in _python_files("tests", "mappings", "connectors")
        for function in _test_functions(path)
        if not ast.get_docstring(function)
    ]

    assert [] == silent


def test_no_test_sleeps() -> None:
    """Tests wait for a signal, not for a time."""
    sleepers = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for path in _python_files("tests")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}
    ]

    assert [] == sleepers


@pytest.mark.parametrize("folder", ["intermediary", "mappings", "connectors"])
def test_files_stay_small(folder: str) -> None:
    """No file of the product has more lines than a reader keeps in mind."""
    large = {
        str(path.relative_to(PROJECT)): lines
        for path in _python_files(folder)
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MOST_LINES
    }

    assert {} == large


def test_nothing_imports_testing() -> None:
    """The stand-ins of `intermediary.testing` are imported by nobody in the product."""
    importers = [
        str(path.relative_to(PROJECT))
        for path in _python_files("intermediary", "mappings", "connectors")
        if "testing" not in path.relative_to(PROJECT).parts and _imports_testing(path)
    ]

    assert [] == importers


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_loads(verb: str) -> None:
    """The table of verbs names commands that exist, also those no import statement reaches."""
    module, _, attribute = VERBS[verb].target.partition(":")

    assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)


def test_help_imports_nothing_heavy() -> None:
    """`intermediary --help` answers at once: no library of a stage is loaded for it."""
    script = (
        "import sys; from intermediary.cli.main import cli; cli.main(['--help'], standalone_mode=False);"
        "print(*sorted({'alembic', 'cryptography', 'lxml', 'pika', 'pydantic', 'sqlalchemy', 'structlog', 'xmlschema',"
        " 'zeep'} & set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "Commands:" in done.stdout
    assert "" == done.stderr.strip()


def _imports_testing(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        if any(name == "intermediary.testing" or name.startswith("intermediary.testing.") for name in names):
            return True
    return False


def test_a_newcomer_reads_seven_hundred_lines() -> None:
    """README, architecture, pipeline, ports, states and one mapping fit into half an hour."""
    pages = (
        "README.md",
        "docs/architecture.md",
        "intermediary/pipeline.py",
        "intermediary/core/ports.py",
        "intermediary/core/states.py",
        "mappings/bewohnerparken/mapping.py",
    )

    assert sum(len((PROJECT / page).read_text(encoding="utf-8").splitlines()) for page in pages) <= 700
