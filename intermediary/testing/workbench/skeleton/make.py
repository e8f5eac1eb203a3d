"""Makes the package of a new mapping in an empty folder."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from intermediary.mapping import toml
from intermediary.mapping.form_schema import root_of, schema_of
from intermediary.mapping.shape import ShapeError, parse_path, shape_of
from intermediary.mapping.structure import load
from intermediary.mapping.xdatenfelder import read_form
from intermediary.testing.workbench.asked import AskedForm, asked_form
from intermediary.testing.workbench.skeleton import other_files
from intermediary.testing.workbench.skeleton.demanded import demanded_paths
from intermediary.testing.workbench.skeleton.fields_file import constants, fields_file
from intermediary.testing.workbench.skeleton.mapping_file import Plan, mapping_file
from intermediary.testing.workbench.skeleton.payload_form import labels, payload_form
from intermediary.testing.workbench.skeleton.sample import NoSample, sample
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.installed import open_packages
from intermediary.validate.walkable import walkable
from intermediary.xml.parser import parse

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_XSD = "{http://www.w3.org/2001/XMLSchema}schema"
_MOST_BYTES = 20 * 2**20


class CannotMake(ValueError):
    """The package cannot be made; the text says what is wrong with the input or the target, and what to do."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: the folder, how many fields the form has, how many elements the target demands, and what is left."""

    folder: Path
    fields: int
    demanded: int
    remarks: tuple[str, ...] = ()


def make(
    name: str,
    source: Path,
    codelists: Sequence[Path],
    standard: str,
    message: str,
    schemas: Path,
    folder: Path,
    *,
    more: Sequence[str] = (),
    root: str = "",
) -> Made:
    """Write the package `name` below `folder`.

    `source` is an XDatenfelder schema (with genericode files `codelists`) or an XSD whose payload has the root element
    `root` (the first one if empty). `standard` (`xdomea@3.1.0`) is installed in `schemas`, `message` one of its root
    elements; `more` are paths of the target beside those it demands, and choose alternatives. Raises `CannotMake`, and
    `Misconfigured` when a package of `schemas` is broken; nothing is left behind then.
    """
    if not _NAME.fullmatch(name):
        raise CannotMake(f'"{name}": ein Name hat kleine Buchstaben, Ziffern und Bindestriche: musterstadt-hund')
    target = folder / name
    if target.exists():
        raise CannotMake(f"{target} gibt es schon; einen anderen Namen oder Ordner wählen")
    try:
        return _make(name, target, source, codelists, standard, message, schemas, more, root)
    except ShapeError as refusal:
        shutil.rmtree(target, ignore_errors=True)
        raise CannotMake(f"{standard} {message}: {refusal}") from None
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _make(
    name: str,
    target: Path,
    source: Path,
    codelists: Sequence[Path],
    standard: str,
    message: str,
    schemas: Path,
    more: Sequence[str],
    root: str,
) -> Made:
    package = name.replace("-", "_")
    place = target / package
    (place / "schema").mkdir(parents=True)
    qname, title = _write_input(name, place, source, codelists, root)
    form = asked_form(place, qname)
    paths = _write_shape(place, schemas, standard, message, more)
    shape = load(place / "shape.toml")
    names = constants(form.fields)
    plan = Plan(name, package, title, shape.standard, shape, frozenset(paths), form.fields, names)
    _write(place / "__init__.py", f'"""Mapping {name}: {plan.standard} {message}."""\n')
    _write(place / "py.typed", "")
    _write(place / "mapping.py", mapping_file(plan))
    _write(place / "felder.py", fields_file(form, qname))
    _write(place / "offen.py", other_files.OFFEN)
    _write(place / "einstellungen.py", other_files.EINSTELLUNGEN)
    _write(target / "pyproject.toml", other_files.project_file(plan))
    _write(target / "README.md", other_files.readme(plan, qname))
    remarks = _write_case(place, qname, form)
    return Made(target, len(form.fields), len(paths), remarks)


def _write_input(name: str, place: Path, source: Path, codelists: Sequence[Path], root: str) -> tuple[str, str]:
    """The input schema as a package beside the mapping; gives the root of payloads and the title of the form."""
    document = parse(_bytes(source))
    if str(document.tag) == _XSD:
        return _copy_schema(name, place, source, root)
    try:
        form = payload_form(read_form(document, [parse(_bytes(one)) for one in codelists]))
        text = schema_of(form).decode()
    except ValueError as flaw:
        raise CannotMake(f"{source.name}: {flaw}; gebraucht wird ein XDatenfelder-Schema oder eine XSD") from None
    if not form.root.members:
        raise CannotMake(f"{source.name}: das Datenschema hat keine Felder")
    qname = root_of(form)
    _write(place / "schema/eingang.xsd", text)
    _write(
        place / "schema/package.toml", _manifest(name, "eingang.xsd", qname, f"Datenschema {form.name}, {source.name}")
    )
    _write(place / "labels.toml", labels(form, hashlib.sha256(_bytes(source)).hexdigest()))
    return qname, form.title


def _manifest(name: str, entry: str, root: str, origin: str) -> str:
    """The package.toml beside an input schema."""
    lines = {
        "name": f"{name}-eingang",
        "version": "1.0.0",
        "entries": [entry],
        "roots": [root],
        "origin": origin,
    }
    return "".join(f"{key} = {toml.value(value)}\n" for key, value in lines.items())


def _copy_schema(name: str, place: Path, source: Path, root: str) -> tuple[str, str]:
    """The XSD and the schema files beside it that it may name; what is not there is told when it is compiled."""
    schema = parse(_bytes(source))
    namespace = schema.get("targetNamespace", "")
    elements = [str(one.get("name")) for one in schema if str(one.tag).endswith("}element")]
    if not elements:
        raise CannotMake(f"{source.name}: die XSD hat kein Wurzelelement")
    wanted = root.rpartition("}")[2] or elements[0]
    if wanted not in elements:
        raise CannotMake(f'{source.name}: kein Wurzelelement "{wanted}"; es gibt {", ".join(elements[:5])}')
    qname = f"{{{namespace}}}{wanted}" if namespace else wanted
    for one in sorted(source.parent.glob("*.xsd")):
        if one == source or _is_named(source, one):
            shutil.copyfile(one, place / "schema" / one.name)
    _write(place / "schema/package.toml", _manifest(name, source.name, qname, source.name))
    return qname, wanted


def _is_named(source: Path, other: Path) -> bool:
    return f'"{other.name}"'.encode() in source.read_bytes()


def _write_shape(place: Path, schemas: Path, standard: str, message: str, more: Sequence[str]) -> list[tuple[str, ...]]:
    """shape.toml with all the target demands; gives the paths."""
    packages = Catalogue.open(schemas).packages
    wanted = "@".join(standard.split(" ", 1)).lower()
    if wanted not in packages:
        known = ", ".join(sorted(packages)) or "keines"
        raise CannotMake(
            f"{standard} ist in {schemas} nicht installiert (installiert: {known}); zuerst: schemas install"
        )
    package = packages[wanted]
    roots = {root.rpartition("}")[2]: entry for entry, known in package.index.items() for root in known}
    if message not in roots:
        near = ", ".join(sorted(roots)[:6])
        raise CannotMake(f"{wanted} hat keine Nachricht {message}; zum Beispiel: {near}")
    schema = walkable(packages, package, roots[message])
    paths = demanded_paths(schema.elements[message], [parse_path(message, text) for text in more])
    label = _standard(standard, wanted)
    _write(place / "shape.toml", shape_of(schema, paths, standard=label, package=package.id, sha256=package.sha256))
    return paths


def _standard(given: str, wanted: str) -> str:
    return given if " " in given else wanted.replace("@", " ", 1)


def _write_case(place: Path, qname: str, form: AskedForm) -> tuple[str, ...]:
    """The golden case with an input the schema accepts; a remark where somebody has to write it by hand."""
    case = place / "golden/01-beispiel"
    case.mkdir(parents=True)
    _write(case / "case.toml", other_files.CASE)
    packages = open_packages(None, [place / "schema"])
    package = next(iter(packages.values()))
    entry = next(entry for entry, roots in package.index.items() if qname in roots)
    element = walkable(packages, package, entry).elements[qname.rpartition("}")[2]]
    try:
        document = sample(element, {one.name: one.label for one in form.fields}, _codes(form))
        verdict = Catalogue.open(None, own=[place / "schema"]).validate(parse(document))
    except NoSample as lacking:
        (case / "input.xml").write_bytes(etree.tostring(etree.Element(qname)))
        return (f"{case / 'input.xml'}: {lacking}; den Eingang von Hand schreiben",)
    (case / "input.xml").write_bytes(document)
    return tuple(f"{case / 'input.xml'}: {one.path} {one.rule}; von Hand berichtigen" for one in verdict.findings)


def _codes(form: AskedForm) -> dict[str, str]:
    """The first code of every field whose list is at hand."""
    if form.labels is None:
        return {}
    lists = {name: form.labels.values.get(named, {}) for name, named in form.labels.lists.items()}
    return {name: next(iter(values)) for name, values in lists.items() if values}


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise CannotMake(f"{path.name}: größer als 20 MiB")
    return path.read_bytes()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
