"""Small Schematrons, and one way to hold a document against them."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from intermediary.validate.manifest import Manifest
from intermediary.validate.package import Package, files_in_memory
from intermediary.validate.rules.program import Outcome, Program, compile_program, read_outcome
from intermediary.xml.cage.cage import Cage
from intermediary.xml.parser import parse

SCH = 'xmlns:sch="http://purl.oclc.org/dsdl/schematron" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"'
DOCUMENT = "<a><b n='1'>x</b><b n='2'>Müller</b><c><d/></c></a>"


def schematron(inside: str, *, binding: str = "xslt2", attributes: str = "") -> str:
    """A Schematron around its content."""
    return f'<sch:schema {SCH} queryBinding="{binding}" {attributes}>{inside}</sch:schema>'


def package_of(files: Mapping[str, str]) -> Package:
    """A package that has these files of rules."""
    manifest = Manifest(name="regeln", version="1")
    return Package(manifest, files_in_memory(manifest.id, {path: text.encode() for path, text in files.items()}), "own")


def program_of(text: str, phase: str = "", **others: str) -> Program:
    """The translated Schematron; `others` are further files, `__` in a name stands for its dot."""
    files = {name.replace("__", "."): content for name, content in others.items()}
    return compile_program(package_of({"regeln.sch": text, **files}), "regeln.sch", phase)


def hold(cage: Cage, program: Program, document: str = DOCUMENT) -> Outcome:
    """What the rules say of a document, all of whose names may be repeated."""
    root = parse(document.encode())
    names = {etree.QName(one).localname for one in root.iter()} | {
        str(key) for one in root.iter() for key in one.attrib
    }
    (output,) = cage.run(document.encode(), [program.sheet])
    return read_outcome(program, output, root, names)
