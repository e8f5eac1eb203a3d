"""`mapping`: what is installed, does it still do what was reviewed, and the shape of what it writes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from intermediary.cli.complain import FINDINGS, USAGE, error
from intermediary.cli.options import json_option, say, say_json, say_setting, say_unusable

_SCHEMAS = click.option(
    "--schemas",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Schemas folder with the official packages (`schemas install`).",
)


@click.group("mapping")
def command() -> None:
    """List and test mappings."""


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List installed mappings: what they read, what they write, and their settings."""
    from intermediary.core.faults import Misconfigured
    from intermediary.route.plugins import Mappings

    mappings = Mappings()
    for name in mappings.names():
        try:
            mapping = mappings.get(name)
            settings = _settings(mapping)
        except (Misconfigured, TypeError) as flaw:
            say_unusable(name, flaw, as_json=as_json)
            continue
        if as_json:
            say_json({"name": name, "reads": mapping.input_root, "writes": mapping.standard, "settings": settings})
            continue
        say(f"{name}  reads {mapping.input_root}, writes {mapping.standard}")
        for key, text in settings.items():
            say_setting(key, text)


@command.command("test")
@click.argument("names", nargs=-1)
@click.option("--update", is_flag=True, help="Make what comes out the expectation; read the difference like code.")
@_SCHEMAS
def test(names: tuple[str, ...], update: bool, schemas: Path | None) -> None:
    """Run the golden cases of NAMES (`bewohnerparken` or `bewohnerparken@1`), or of all installed mappings."""
    from intermediary.route.plugins import Mappings
    from intermediary.validate.catalogue import Catalogue

    # Nobody imports `testing`; its runner is reached by name, as the verbs in main.py are.
    golden = importlib.import_module("intermediary.testing.golden")
    mappings = Mappings()
    official = Catalogue.open(schemas) if schemas is not None else None
    failed = 0
    for name in _chosen(names, mappings.names()):
        mapping = mappings.get(name)
        folder = folder_of(mapping)
        own = [folder / "schema"] if (folder / "schema").is_dir() else []
        inputs = Catalogue.open(None, own=own) if own else None
        cases = golden.cases_in(folder / "golden")
        wrong = [case.name for case in cases if not _passes(golden, mapping, case, inputs, official, update)]
        failed += len(wrong)
        checked = "outputs checked officially" if official is not None else "outputs not checked officially: --schemas"
        say(f"{name}: {len(cases) - len(wrong)} of {len(cases)} cases as expected ({checked})")
    sys.exit(FINDINGS if failed else 0)


@command.command("shape")
@click.argument("name")
@_SCHEMAS
@click.option("--with", "more", multiple=True, metavar="PATH", help="Also this element below the root: Kopf/Hinweis.")
@click.option("--write", is_flag=True, help="Replace the shape.toml beside the mapping instead of printing it.")
def shape(name: str, schemas: Path | None, more: tuple[str, ...], write: bool) -> None:
    """Generate the shape of what mapping NAME writes, from the installed package and its golden messages."""
    from intermediary.mapping.shape import ShapeError
    from intermediary.route.plugins import Mappings

    if schemas is None:
        raise click.UsageError("name the schemas folder with --schemas")
    mappings = Mappings()
    mapping = mappings.get(_chosen((name,), mappings.names())[0])
    folder = folder_of(mapping)
    try:
        text = shape_text(mapping.standard, folder, schemas, more)
    except ShapeError as refusal:
        error(str(refusal))
        sys.exit(USAGE)
    if write:
        (folder / "shape.toml").write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


def shape_text(standard: str, folder: Path, schemas: Path, more: tuple[str, ...] = ()) -> str:
    """The shape for the golden messages under `folder`, read from the package of `standard` in a schemas folder.

    `more` are paths below the root that no golden message has yet. Raises `ShapeError` and the faults of `validate`.
    """
    from intermediary.mapping.shape import ShapeError, parse_path, paths_of, shape_of
    from intermediary.validate.catalogue import Catalogue
    from intermediary.validate.walkable import walkable
    from intermediary.xml.parser import parse

    roots = [parse(path.read_bytes()) for path in sorted(folder.glob("golden/*/expected/nachricht.xml"))]
    if not roots:
        raise ShapeError("no golden message shows what is written: add expected/nachricht.xml to a case")
    packages = Catalogue.open(schemas).packages
    package = packages["@".join(standard.split(" ", 1)).lower()]
    entry = next((entry for entry, known in package.index.items() if str(roots[0].tag) in known), None)
    if entry is None:
        raise ShapeError(f"{package.id} has no element {roots[0].tag}")
    schema = walkable(packages, package, entry)
    root = str(roots[0].tag).rpartition("}")[2]
    paths = {path for one in roots for path in paths_of(one)} | {parse_path(root, text) for text in more}
    return shape_of(schema, paths, standard=standard, package=package.id, sha256=package.sha256)


def folder_of(mapping: object) -> Path:
    """The folder a mapping was loaded from: its golden cases and tables lie there."""
    file = sys.modules[type(mapping).__module__].__file__
    if file is None:
        raise LookupError("the mapping has no folder")
    return Path(file).parent


def _passes(golden: Any, mapping: object, case: Any, inputs: Any, official: Any, update: bool) -> bool:
    from intermediary.xml.parser import parse

    try:
        outcome = golden.run(mapping, case, inputs)
        if update:
            golden.update(case, outcome)
        lines = golden.differences(case, outcome)
    except golden.GoldenError as broken:
        error(str(broken))
        return False
    if official is not None and outcome.ausgabe is not None:
        verdict = official.validate(parse(outcome.ausgabe.nachricht))
        lines += [f"{one.path}: {one.rule}" for one in verdict.findings]
        lines += [] if verdict.ran else ["the schemas folder has no package for this message"]
    for line in (f"{case.name}: {case.why}", *lines) if lines else ():
        say(line)
    return not lines


def _chosen(names: tuple[str, ...], installed: tuple[str, ...]) -> list[str]:
    """Full names; a name without a version means its highest one."""
    from intermediary.core.tables import did_you_mean

    chosen = []
    for name in names or installed:
        found = [one for one in installed if one == name or one.partition("@")[0] == name]
        if not found:
            raise click.UsageError(f"no mapping {name!r} is installed: {did_you_mean(name, installed)}")
        chosen.append(max(found, key=_version))
    return chosen


def _version(name: str) -> int:
    version = name.partition("@")[2]
    return int(version) if version.isdigit() else 0


def _settings(mapping: object) -> dict[str, str]:
    """Help texts of the settings a mapping declares with `settings_type`."""
    from intermediary.core.tables import fields_of

    kind = getattr(mapping, "settings_type", None)
    if kind is None:
        return {}
    return {key: str(field.metadata.get("help", "")) for key, (field, _) in fields_of(kind).items()}
