"""The documentation says what the program is: generated pages are current, links lead somewhere, words are unique."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from intermediary.cli.main import VERBS
from intermediary.connect.settings import build_settings
from intermediary.core import ports, values
from intermediary.keys import partners, ring
from intermediary.keys.sources import KEY_SOURCES
from intermediary.route.plugins import Connectors
from intermediary.route.table import parse_routes
from intermediary.testing.reference import pages
from intermediary.unseal.policy import PROFILES

PROJECT = Path(__file__).resolve().parent.parent
PRODUCT = ("intermediary", "mappings", "connectors")
_ROUTE_HEAD = '[[route]]\nname = "beispiel"\nmandant = "musterstadt"\nmapping = "bewohnerparken@1"\n'
VARIANTS = {"MemoryContent", "ConnectorFactory"}


def _markdown() -> list[Path]:
    plugin_pages = [page for folder in PRODUCT for page in PROJECT.joinpath(folder).rglob("*.md")]
    return sorted([*PROJECT.glob("*.md"), *PROJECT.joinpath("docs").rglob("*.md"), *plugin_pages])


@pytest.mark.parametrize("name", sorted(pages()))
def test_generated_pages_are_current(name: str) -> None:
    """A reference page is what the code says; `make docs` writes it."""
    assert pages()[name] == (PROJECT / "docs/reference" / name).read_text(encoding="utf-8")


def test_links_lead_somewhere() -> None:
    """Every relative link in the documentation names a file of the project."""
    dead = [
        f"{page.relative_to(PROJECT)}: {target}"
        for page in _markdown()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert [] == dead


def _glossary() -> Iterator[tuple[str, str]]:
    """The words of every row, and the words not to be used for it."""
    for line in (PROJECT / "docs/glossary.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] != "word" and not cells[0].startswith("---"):
            yield cells[0], cells[2]


def _classes_of_core() -> Iterator[str]:
    for module in (values, ports):
        for name, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == module.__name__ and name not in VARIANTS:
                yield name


def test_values_and_ports_are_in_the_glossary() -> None:
    """Every value and port of core is a word of the glossary."""
    words = {word.strip().replace(" ", "").lower() for cell, _ in _glossary() for word in cell.split(",")}

    assert set() == {name for name in _classes_of_core() if name.lower() not in words}


def test_no_idea_has_a_second_name() -> None:
    """The words that the glossary rules out name no class, function or argument of the product."""
    ruled_out = {word.strip() for _, cell in _glossary() for word in cell.split(",")} - {"–"}
    used = [
        f"{path.relative_to(PROJECT)}:{line} {name}"
        for folder in PRODUCT
        for path in sorted((PROJECT / folder).rglob("*.py"))
        for line, name in _names(ast.parse(path.read_text(encoding="utf-8")))
        if ruled_out & set(_words(name))
    ]

    assert "tenant" in ruled_out
    assert [] == used


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def _commands() -> Iterator[tuple[str, str, str]]:
    """Page, verb and rest of every `intermediary` command that the documentation shows, in a block or in a sentence."""
    for page in _markdown():
        text = page.read_text(encoding="utf-8")
        shown = re.findall(r"^ {4,}(?:\.venv/bin/)?intermediary ([a-z]+)\b(.*)$", text, re.M)
        shown += re.findall(r"`intermediary\s+([a-z]+)\b([^`]*)`", text)
        yield from ((str(page.relative_to(PROJECT)), verb, rest) for verb, rest in shown)


def test_commands_are_typable() -> None:
    """Every command shown names a verb of the command line, and only options that the verb has."""
    unknown = []
    for page, verb, rest in _commands():
        module, _, attribute = VERBS[verb].target.partition(":") if verb in VERBS else ("", "", "")
        command = getattr(importlib.import_module(module), attribute) if module else None
        rest = re.sub(r"\$\(.*?\)", "", rest).partition("|")[0]
        word = next(iter(rest.split()), "")
        if isinstance(command, click.Group) and word:
            command = command.get_command(click.Context(command), word)
        known = {option for parameter in command.params for option in parameter.opts} if command else set()
        wrong = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest)) - known - {"--help"}
        if command is None or wrong:
            unknown.append(f"{page}: intermediary {verb} {word} {' '.join(sorted(wrong))}")

    assert len(list(_commands())) > 30
    assert [] == unknown


def _toml_examples() -> Iterator[tuple[str, str]]:
    """Every TOML example of the documentation: fenced as toml, or an indented block that begins with a table."""
    for page in _markdown():
        text = page.read_text(encoding="utf-8")
        fenced = re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)
        indented = re.findall(
            r"^((?: {4}\[.*\n)(?:(?: {4}.*)?\n)*)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M
        )
        for example in [*fenced, *(textwrap.dedent(block) for block in indented)]:
            yield str(page.relative_to(PROJECT)), example


@pytest.mark.parametrize(("page", "example"), list(_toml_examples()))
def test_toml_examples_lint(page: str, example: str) -> None:
    """What somebody copies from the documentation is accepted: routes, and the settings of the connectors they name."""
    table = tomllib.loads(example)
    if "route" not in table:
        return
    head = "" if isinstance(table["route"], list) else _ROUTE_HEAD
    routes = parse_routes(head + example, where=page).routes
    connectors = Connectors()

    for target in [target for route in routes for target in route.targets]:
        kind = connectors.get(target.connector).settings_type
        assert build_settings(kind, target.settings, base=PROJECT, where=target.name)


def test_there_are_examples_to_lint() -> None:
    """The collection above finds the pages that people copy from."""
    pages = {page for page, _ in _toml_examples()}

    assert {"connectors/ordner/README.md", "docs/reference/routes.md", "docs/reference/schema-packages.md"} <= pages


def test_the_keyring_page_names_what_a_keyring_accepts() -> None:
    """The hand-written page has every key and value that the reader of keyrings knows, and its example uses no other."""
    page = (PROJECT / "docs/reference/keyring.md").read_text(encoding="utf-8")
    tables = re.sub(r"^```toml\n.*?^```", "", page, flags=re.M | re.S)
    (example,) = (tomllib.loads(text) for name, text in _toml_examples() if name == "docs/reference/keyring.md")
    keys = {*ring._TOP, *KEY_SOURCES, "password_file", "module", "pem", "purpose"} - {"key", "sign", "trust"}

    listed = {
        word for cell in re.findall(r"^\| (`[a-z].*?) \|", tables, re.M) for word in re.findall(r"`([a-z0-9_]+)`", cell)
    }
    assert keys == listed
    assert set() == {f'"{word}"' for word in (*PROFILES, *ring.REQUIREMENTS, *ring.PURPOSES)} - set(
        re.findall(r'"[a-z-]+"', tables)
    )
    assert list(PROFILES) == re.findall(r'^\| `"([a-z]+)"` \|', tables, re.M)
    assert set(example) <= set(ring._TOP)
    assert {name for part in ("key", "sign") for one in example[part] for name in one} <= {
        *KEY_SOURCES,
        "password_file",
        "module",
    }
    assert {name for one in example["trust"] for name in one} == {"pem", "purpose"}


def test_the_partner_page_names_what_a_directory_accepts() -> None:
    """The same for the page of the partner directory: every key in a row of its own, and an example that uses them all."""
    page = (PROJECT / "docs/reference/partners.md").read_text(encoding="utf-8")
    ((example,),) = [
        tomllib.loads(text)["partner"] for name, text in _toml_examples() if name == "docs/reference/partners.md"
    ]

    assert {*partners._PARTNER} - {"trust"} == set(re.findall(r"^\| `([a-z_]+)` \|", page, re.M))
    assert {*partners._PARTNER} == set(example)
    assert {"pem", "purpose"} == {name for one in example["trust"] for name in one}
