"""Golden cases of mappings: a folder with an input and what must come out of it.

    golden/01-neuantrag/
        case.toml        one sentence why, moment, key, settings, attachments, expect = "accepted" | "refused" | "waits";
                         `route`: a routes file whose first route gives settings and files
        input.xml        the payload, exactly as a sender sends it
        attachments/     files that travel beside it
        expected/        message, readable documents, listing of the package, provenance; or the Befunde

`mapping test` and tests/golden run them; `--update` writes what came out, to be read in the diff like code.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from intermediary.core import ports
from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.ports import Antrag, Kontext
from intermediary.core.values import Ausgabe, Befund, MemoryContent, Opened, Part
from intermediary.route.files import read_files
from intermediary.route.table import parse_routes
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import Element, parse

VERDICTS = ("accepted", "refused", "waits")
_KEYS = {
    "why",
    "expect",
    "key",
    "mandant",
    "received_at",
    "revision",
    "test",
    "name",
    "settings",
    "attachment",
    "route",
}
_READABLE = ("text/html",)


class GoldenError(Exception):
    """A case that proves nothing: broken case.toml, or an input that never reaches a mapping."""


@dataclass(frozen=True, slots=True)
class Case:
    """One golden case; `antrag` and `kontext` are what the mapping is called with."""

    folder: Path
    why: str
    expect: str
    antrag: Antrag = field(repr=False)
    kontext: Kontext = field(repr=False)

    @property
    def name(self) -> str:
        return self.folder.name


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out: accepted, refused (the sender heals it) or waits (the operator does); the files of `expected/`."""

    verdict: str
    files: Mapping[str, bytes] = field(repr=False)
    ausgabe: Ausgabe | None = field(default=None, repr=False)
    befunde: tuple[Befund, ...] = field(default=(), repr=False)


def cases_in(folder: Path) -> list[Case]:
    """All cases of a mapping, by name; `folder` is its `golden/`."""
    return [load_case(path.parent) for path in sorted(folder.glob("*/case.toml"))]


def load_case(folder: Path) -> Case:
    """The case in a folder. Raises `GoldenError` when its case.toml is not complete."""
    table = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    unknown = set(table) - _KEYS
    if unknown:
        raise GoldenError(f"{folder.name}: unknown {', '.join(sorted(unknown))}")
    if not table.get("why") or table.get("expect") not in VERDICTS:
        raise GoldenError(f"{folder.name}: why and expect are needed")
    received_at = table["received_at"]
    if not isinstance(received_at, datetime) or received_at.tzinfo is None:
        raise GoldenError(f"{folder.name}: received_at carries a time zone")
    attachments = tuple(_attachment(folder, entry) for entry in table.get("attachment", ()))
    settings, files = _of_route(folder, table.get("route", ""))
    kontext = Kontext(
        key=table["key"],
        mandant=table.get("mandant", "musterstadt"),
        received_at=received_at,
        revision=table.get("revision", 0),
        settings=settings | table.get("settings", {}),
        is_test=table.get("test", False),
        files=files,
    )
    antrag = antrag_of((folder / "input.xml").read_bytes(), attachments, name=table.get("name", "formulardaten.xml"))
    return Case(folder, table["why"], table["expect"], antrag, kontext)


def _of_route(folder: Path, named: str) -> tuple[dict[str, str], Mapping[str, bytes]]:
    """Settings and files of the first route in a routes file: a configuration is tested as it stands."""
    if not named:
        return {}, {}
    path = folder / named
    route = parse_routes(path.read_text(encoding="utf-8"), where=named).routes[0]
    return dict(route.settings), read_files(route, path.parent)


def antrag_of(payload: bytes, attachments: tuple[Part, ...] = (), *, name: str = "formulardaten.xml") -> Antrag:
    """An Antrag as the pipeline would hand it over after unsealing `payload`."""
    part = Part(name, "application/xml", "data", MemoryContent(payload))
    opened = Opened("golden", "golden", "golden", "golden", (part,), attachments, (), (), "golden")
    return Antrag(opened=opened, payload=part, tree=parse(payload), attachments=attachments)


def run(mapping: ports.Mapping, case: Case, inputs: Catalogue | None = None) -> Outcome:
    """Map one case. Raises `GoldenError` when the input does not pass the schema that guards the mapping.

    `inputs` is a catalogue with the mapping's own input schema; without it the input is taken on trust, and so is a message
    of an official standard that it does not know.
    """
    root = str(case.antrag.tree.tag)
    if inputs is not None and (inputs.knows(root) or root != mapping.input_root):
        verdict = inputs.validate(case.antrag.tree)
        if not verdict.is_valid:
            raise GoldenError(f"{case.name}: the input never reaches the mapping: {_lines(verdict.findings)}")
    try:
        ausgabe = mapping.map(case.antrag, case.kontext)
    except Rejected as refusal:
        return Outcome("refused", {"befunde.json": _befunde(refusal)}, befunde=refusal.findings)
    except Misconfigured as fault:
        return Outcome("waits", {"befunde.json": _befunde(fault)}, befunde=fault.findings)
    return Outcome("accepted", dict(_files(ausgabe)), ausgabe)


def differences(case: Case, outcome: Outcome) -> list[str]:
    """What is not as expected, as lines of a unified diff; empty when all is well."""
    expected = {path.name: path.read_bytes() for path in (case.folder / "expected").glob("*") if path.is_file()}
    lines = [] if outcome.verdict == case.expect else [f"expected to be {case.expect}, was {outcome.verdict}"]
    for name in sorted(expected.keys() | outcome.files.keys()):
        before, after = expected.get(name), outcome.files.get(name)
        if before != after:
            lines += difflib.unified_diff(_text(before), _text(after), f"expected/{name}", name, lineterm="")
    return lines


def update(case: Case, outcome: Outcome) -> None:
    """Make what came out the expectation, unless the verdict is another one than the case says."""
    if outcome.verdict != case.expect:
        raise GoldenError(f"{case.name}: expected to be {case.expect}, was {outcome.verdict}")
    folder = case.folder / "expected"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.name not in outcome.files:
            path.unlink()
    for name, data in outcome.files.items():
        (folder / name).write_bytes(data)


def without_origin(ausgabe: Ausgabe) -> list[str]:
    """Leaves of the message that have no Herkunft of their own, Herkunft of leaves that are not there, or one place twice.

    Positions that are one are spelled or not; the order is that of the document.
    """
    leaves = list(_leaves(parse(ausgabe.nachricht)))
    known = [_without_positions(one.target) for one in ausgabe.herkunft]
    if leaves != known:
        wrong = (Counter(leaves) - Counter(known)) + (Counter(known) - Counter(leaves))
        return sorted(wrong) or ["the order differs"]
    return sorted(one for one, count in Counter(one.target for one in ausgabe.herkunft).items() if count > 1)


def _files(ausgabe: Ausgabe) -> Iterator[tuple[str, bytes]]:
    """What a reviewer reads: the message, the documents for people, and hashes of everything in the package."""
    yield "nachricht.xml", ausgabe.nachricht
    for dokument in ausgabe.dokumente:
        if dokument.media_type in _READABLE:
            yield dokument.file_name.partition("_")[2], dokument.content.read()
    content = ausgabe.package.content
    yield (
        "package.json",
        _json(
            {
                "file_name": ausgabe.package.file_name,
                "length": content.length,
                "sha256": content.sha256,
                "files": [
                    {
                        "name": d.file_name,
                        "media_type": d.media_type,
                        "length": d.content.length,
                        "sha256": d.content.sha256,
                    }
                    for d in ausgabe.dokumente
                ],
                "business_keys": dict(ausgabe.business_keys),
            }
        ),
    )
    herkunft = [f"{one.target} <- {one.kind} {one.source}".rstrip() for one in ausgabe.herkunft]
    yield "herkunft.json", _json({"herkunft": herkunft, "unread": list(ausgabe.unread)})


def _befunde(refusal: Rejected | Misconfigured) -> bytes:
    findings = [{"path": one.path, "rule": one.rule, "hint": one.hint} for one in refusal.findings]
    return _json({"code": refusal.code, "where": refusal.where, "findings": findings})


def _attachment(folder: Path, entry: Mapping[str, str]) -> Part:
    data = (folder / "attachments" / entry["file"]).read_bytes()
    return Part(entry.get("name", entry["file"]), entry["media_type"], "attachment", MemoryContent(data))


def _leaves(element: Element, above: str = "") -> Iterator[str]:
    path = f"{above}/{str(element.tag).rpartition('}')[2]}"
    if not len(element):
        yield path
    for child in element:
        yield from _leaves(child, path)


def _without_positions(path: str) -> str:
    return "/".join(step.partition("[")[0] for step in path.split("/"))


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _text(data: bytes | None) -> list[str]:
    return [] if data is None else data.decode("utf-8", "replace").splitlines()


def _lines(findings: tuple[Befund, ...]) -> str:
    return "; ".join(f"{one.path} {one.rule}".strip() for one in findings)
