"""`schemas form`: what a form of XDatenfelder asks for, and the input schema that is made from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from intermediary.cli.complain import FINDINGS, USAGE, error
from intermediary.cli.options import json_option, say, say_json, table

if TYPE_CHECKING:
    from intermediary.mapping.form import Form, FormGroup

_FETCH = "als genericode aus dem XRepository laden und in den Ordner der Codelisten legen"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("form")
@click.argument("form", type=_FILE)
@click.argument("codelists", nargs=-1, type=_FILE)
@click.option("--out", type=click.Path(path_type=Path), help="New folder for the input schema, a package to install.")
@json_option
def form(form: Path, codelists: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """List the fields of a form (XDatenfelder), with the names that a route uses for them.

    CODELISTS are the genericode files that lie beside it; lists that are still missing are told (exit code 1). With --out
    the XSD of its form data is written, for `schemas install --accept-new`; needed only where the publisher offers none.
    """
    from intermediary.core.faults import Misconfigured
    from intermediary.mapping.forms import FORM, configured_form

    files = {FORM: form.read_bytes()} | {path.name: path.read_bytes() for path in codelists if path.name != FORM}
    try:
        read = configured_form(files)
    except Misconfigured as fault:
        for finding in fault.findings:
            error(f"{finding.path.removeprefix('files.')}: {finding.hint}")
        sys.exit(USAGE)
    _print(read, as_json=as_json)
    if out is not None:
        _write(read, out)
    for name in read.missing:
        error(
            f"Codeliste fehlt: {name}",
            hint=_FETCH,
        )
    sys.exit(FINDINGS if read.missing else 0)


def _print(read: Form, *, as_json: bool) -> None:
    fields = list(_fields(read.root, ""))
    if as_json:
        for name, label, kind, group in fields:
            say_json({"field": name, "label": label, "type": kind, "group": group})
        return
    say(f"{read.title} ({read.edition})")
    table(fields, ("Feld", "Bezeichnung", "Art", "Gruppe"), gives=("Bezeichnung", "Gruppe"))


def _fields(group: FormGroup, above: str) -> Iterator[tuple[str, str, str, str]]:
    from intermediary.mapping.form import FormGroup as Group

    for one in group.members:
        if isinstance(one, Group):
            yield from _fields(one, f"{above} / {one.label}" if above else one.label)
        else:
            prefix = f"{_plain(group.name)}/" if group.name.startswith("G") else ""
            yield f"{prefix}{_plain(one.name)}", one.label, "Liste" if one.values or one.list_name else one.kind, above


def _plain(name: str) -> str:
    return name.partition("V")[0]


def _write(read: Form, out: Path) -> None:
    from intermediary.mapping.form_schema import manifest_of, root_of, schema_of

    try:
        schema = schema_of(read)
        out.mkdir(parents=True)
    except (ValueError, OSError) as wrong:
        text = f"{out}: {wrong.strerror}" if isinstance(wrong, OSError) else str(wrong)
        error(
            text,
            hint="einen neuen Ordner nennen" if isinstance(wrong, OSError) else "das XSD des Herausgebers verwenden",
        )
        sys.exit(USAGE)
    (out / f"{read.name}.xsd").write_bytes(schema)
    (out / "package.toml").write_text(manifest_of(read), encoding="utf-8")
    say(f"{out}: Eingangsschema für {root_of(read)}")
