"""`mapping`: what is installed, does it still do what was reviewed, and the shape of what it writes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from intermediary.cli.complain import USAGE, error
from intermediary.cli.options import json_option, say, say_json, say_setting, say_unusable

_SCHEMAS = click.option(
    "--schemas",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Schemas folder with the official packages (`schemas install`).",
)


_BENCH = {
    "new": "intermediary.testing.workbench.verbs.new:new",
    "test": "intermediary.testing.workbench.verbs.test:test",
    "lint": "intermediary.testing.workbench.verbs.lint:lint",
    "report": "intermediary.testing.workbench.verbs.report:report",
}


class _Verbs(click.Group):
    """The verbs of `mapping`. Those of the workbench live in `testing`, which no room imports; they are reached by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_BENCH]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _BENCH:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = _BENCH[cmd_name].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if not isinstance(found, click.Command):
            raise TypeError(f"{_BENCH[cmd_name]} is not a command")
        return found


@click.group("mapping", cls=_Verbs)
def command() -> None:
    """Make, list, test, lint and report mappings."""


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List installed mappings: what they read, what they write, and their settings."""
    from intermediary.core.faults import Misconfigured
    from intermediary.core.roots import roots_of
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
            reads = {"reads": mapping.input_root, "readsAlso": list(roots_of(mapping)[1:])}
            say_json({"name": name, **reads, "writes": mapping.standard, "settings": settings})
            continue
        first, *further = roots_of(mapping)
        say(f"{name}  reads {first}, writes {mapping.standard}")
        for root in further:
            say(f"    reads {root} too")
        for key, text in settings.items():
            say_setting(key, text)


@command.command("shape")
@click.argument("name")
@_SCHEMAS
@click.option("--with", "more", multiple=True, metavar="PATH", help="Also this element below the root: Kopf/Hinweis.")
@click.option(
    "--standard", metavar="STANDARD", help="Another standard it writes, by a setting: 'gewerbeanzeige 1.0.0'."
)
@click.option("--write", is_flag=True, help="Replace the shape.toml beside the mapping instead of printing it.")
def shape(name: str, schemas: Path | None, more: tuple[str, ...], standard: str | None, write: bool) -> None:
    """Generate the shape of what mapping NAME writes, from the installed package and its golden messages."""
    from intermediary.mapping.shape import ShapeError
    from intermediary.operations.mapping_places import NoSuchMapping, places

    if schemas is None:
        raise click.UsageError("name the schemas folder with --schemas")
    try:
        (place,) = places((name,))
    except NoSuchMapping as missing:
        raise click.UsageError(str(missing)) from None
    mapping, folder = place.mapping, place.folder
    try:
        text = shape_text(standard or mapping.standard, folder, schemas, more)
    except ShapeError as refusal:
        error(str(refusal))
        sys.exit(USAGE)
    if write:
        file = f"{standard.partition(' ')[0].lower()}.shape.toml" if standard else "shape.toml"
        (folder / file).write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


def shape_text(standard: str, folder: Path, schemas: Path, more: tuple[str, ...] = ()) -> str:
    """The shape for the golden messages of `standard` under `folder`, read from its package in a schemas folder.

    A standard of the mapping's own is read from its `schema/`. `more` are paths below the root that no golden message has
    yet; while there is no message, the present shape tells the rest. Raises `ShapeError` and the faults of `validate`.
    """
    from intermediary.mapping.shape import ShapeError, parse_path, paths_of, shape_of
    from intermediary.mapping.structure import elements_of, load
    from intermediary.validate.catalogue import Catalogue
    from intermediary.validate.walkable import walkable
    from intermediary.xml.parser import parse

    messages = [parse(path.read_bytes()) for path in sorted(folder.glob("golden/*/expected/nachricht.xml"))]
    tags, emitted = (
        [str(one.tag) for one in messages],
        [(str(one.tag), path) for one in messages for path in paths_of(one)],
    )
    if not messages and (folder / "shape.toml").is_file():
        present = load(folder / "shape.toml")
        tags = [f"{{{present.namespaces[present.root.prefix]}}}{present.root.name}"]
        emitted = [(tags[0], tuple(path.split("/")[1:])) for path, _ in elements_of(present)]
    if not tags:
        raise ShapeError("no golden message shows what is written: add expected/nachricht.xml to a case")
    own = [folder / "schema"] if (folder / "schema").is_dir() else []
    packages = Catalogue.open(schemas, own).packages
    package = packages.get("@".join(standard.split(" ", 1)).lower())
    if package is None:
        raise ShapeError(f"no package of {standard} is installed")
    known = {root: entry for entry, found in package.index.items() for root in found}
    tag = next((one for one in tags if one in known), None)
    if tag is None:
        raise ShapeError(f"{package.id} has no element {tags[0]}")
    schema = walkable(packages, package, known[tag])
    paths = {path for one, path in emitted if one == tag}
    paths |= {parse_path(tag.rpartition("}")[2], text) for text in more}
    return shape_of(schema, paths, standard=standard, package=package.id, sha256=package.sha256)


def _settings(mapping: object) -> dict[str, str]:
    """Help texts of the settings a mapping declares with `settings_type`."""
    from intermediary.core.tables import fields_of

    kind = getattr(mapping, "settings_type", None)
    if kind is None:
        return {}
    return {key: str(field.metadata.get("help", "")) for key, (field, _) in fields_of(kind).items()}
