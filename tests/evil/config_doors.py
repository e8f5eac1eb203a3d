"""The doors of what is installed and mapped: code list, schema, WSDL, Schematron, stylesheet, ZIP; one case, one outcome.

python -m tests.evil.config_doors     every case with outcome, processor seconds and growth of memory
"""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from unittest.mock import patch

from lxml import etree

from intermediary.core.attachments import AttachmentRules
from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.ports import Kontext
from intermediary.core.values import MemoryContent, Part
from intermediary.mapping.builder import BuildError
from intermediary.mapping.structure import Child, Complex, Shape, Simple
from intermediary.mapping.xslt.mapping import XsltMapping
from intermediary.mapping.xslt.stylesheet import StylesheetError, stylesheet
from intermediary.testing.golden import antrag_of
from intermediary.validate import source
from intermediary.validate.attachments import check_files
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.genericode import read_code_list
from intermediary.validate.install import install
from intermediary.xml.cage.cage import MEGABYTE, Cage, CageLimits, has_saxon
from intermediary.xml.parser import parse
from tests.evil.corpus import Attack, attacks
from tests.evil.million_entries import zip_of_empty_entries

FAMILIES = MappingProxyType(
    {
        "config.genericode": ("GC", "GA"),
        "config.xsd": ("XX",),
        "config.wsdl": ("WS",),
        "config.schematron": ("SCC", "SH"),
        "config.xslt": ("TC", "TX"),
        "payload.zip": ("ZC", "ZS", "ZL", "ZD", "ZH", "ZB"),
    }
)
NAME = "Erika"
FORM = f"<a><b>Müller</b><geburtsdatum>{NAME}</geburtsdatum>{'<c/>' * 1000}</a>"
"""As large as what makes rules without measure expensive."""
SCHEMA = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType><xs:sequence>'
    '<xs:any maxOccurs="unbounded" processContents="skip"/></xs:sequence></xs:complexType></xs:element></xs:schema>'
)
XSD = "{http://www.w3.org/2001/XMLSchema}schema"


@dataclass(frozen=True)
class Met:
    """What came of a case; `said` is all that anybody is told, the growth is that of this process at its peak."""

    outcome: str
    said: str = field(repr=False)
    seconds: float
    growth_mb: float


@dataclass(frozen=True, slots=True)
class NoSettings:
    """The stylesheets of the corpus have none."""


def meet(attack: Attack, door: str) -> Met:
    """The case at a door, measured; `accept`, `reject` or, of what began and broke off, `processing-error`."""
    data = zip_of_empty_entries(200_000) if "build" in attack.entry else attack.data
    with tempfile.TemporaryDirectory(prefix="hostile.") as name:
        before = _forget_peak()
        began = _seconds()
        outcome, said = DOORS[door](attack, data, Path(name))
        return Met(outcome, said, _seconds() - began, (_kib("VmHWM") - before) / 1024)


def cases() -> Iterator[tuple[Attack, str]]:
    """Every case of these families, once for each of our doors."""
    for entry, families in FAMILIES.items():
        for attack in attacks(*families):
            for door in DOORS:
                if door.startswith(entry):
                    yield attack, door


def _list(attack: Attack, data: bytes, folder: Path) -> tuple[str, str]:
    try:
        read_code_list(data, where=attack.id)
    except Misconfigured as refusal:
        return "reject", _told(refusal)
    return "accept", ""


def _lone_list(attack: Attack, data: bytes, folder: Path) -> tuple[str, str]:
    path = folder / "liste.gc"
    path.write_bytes(data)
    return _installed(path, folder)


def _schema(attack: Attack, data: bytes, folder: Path) -> tuple[str, str]:
    outcome, said = _installed(_package(folder, {Path(attack.entry["file"]).name: data}), folder)
    if outcome == "accept" and "instance" in attack.entry:
        try:
            Catalogue.open(folder / "schemas").validate(parse(attack.entry["instance"].encode()))
        except Misconfigured as fault:
            return "reject", _told(fault)
    return outcome, said


def _wsdl(attack: Attack, data: bytes, folder: Path) -> tuple[str, str]:
    """The description itself is none of our packages; the schemas inside it may not be one either."""
    whole = _installed(_package(folder / "whole", {"dienst.wsdl": data}), folder)
    schemas = {f"{number}.xsd": etree.tostring(one) for number, one in enumerate(etree.fromstring(data).iter(XSD))}
    parts = _installed(_package(folder / "parts", schemas), folder)
    return ("reject" if whole[0] == parts[0] == "reject" else "accept"), whole[1] + parts[1]


def _schematron(attack: Attack, data: bytes, folder: Path) -> tuple[str, str]:
    manifest = b'name = "fremd"\nversion = "1"\nentries = ["a.xsd"]\n[[rules]]\nfile = "regeln.sch"\n'
    files = {"a.xsd": SCHEMA.encode(), "regeln.sch": data, "package.toml": manifest}
    outcome, said = _installed(_package(folder, files), folder)
    if outcome == "reject":
        return outcome, said
    catalogue = Catalogue.open(folder / "schemas")
    cage = Cage(CageLimits(cpu_seconds=2))
    catalogue._rules._cage = cage
    try:
        verdict = catalogue.validate(parse(FORM.encode()))
    except Misconfigured as fault:
        return "reject", _told(fault)
    finally:
        cage.close()
    told = [f"{one.path} {one.rule} {one.hint}" for one in (*verdict.findings, *verdict.warnings)]
    return "accept", f"{len(verdict.rule_sets)} {told}"


def _stylesheet(attack: Attack, data: bytes, folder: Path) -> tuple[str, str]:
    return _mapped(data)


def _mapped(text: bytes) -> tuple[str, str]:
    """What a stylesheet makes as a mapping; nothing of the corpus makes our target, which a control is forgiven."""
    try:
        sheet = stylesheet(text, file="mapping.xslt")
        if sheet.sheet.kind == "xslt3" and not has_saxon():
            return "not-run", "saxonche is not installed"
        limits = CageLimits(cpu_seconds=3, wall_seconds=300, memory_bytes=512 * MEGABYTE, output_bytes=MEGABYTE)
        mapping = XsltMapping(
            name="hostile",
            version=1,
            input_root="a",
            standard="none 1",
            message="none",
            stylesheet=sheet,
            shape=SHAPE,
            settings_type=NoSettings,
            limits=limits,
        )
        kontext = Kontext("e0000000-0000-4000-8000-000000000001", "musterstadt", datetime(2026, 1, 1, tzinfo=UTC))
        mapping.map(antrag_of(FORM.encode()), kontext)
    except StylesheetError as refusal:
        return "reject", str(refusal)
    except BuildError as defect:
        is_ours = "stylesheet" not in defect.rule  # what came out has not the shape of our target
        return ("accept" if is_ours else "processing-error"), f"{defect} {defect.line}"
    return "accept", ""


def _zip_package(attack: Attack, data: bytes, folder: Path) -> tuple[str, str]:
    """As a package of schemas, with every entry read; what holds no schema is no package."""
    path = folder / "paket.zip"
    path.write_bytes(data)
    with patch.object(source, "_is_wanted", lambda name: True):
        try:
            files = source.read_source(path)
        except Misconfigured as refusal:
            return "reject", _told(refusal)
    if attack.expect == "accept":
        return "accept", ""
    outcome, said = _installed(path, folder)
    return (outcome, said) if not any(name.endswith(".xsd") for name in files) else ("accept", "")


def _zip_attachment(attack: Attack, data: bytes, folder: Path) -> tuple[str, str]:
    """As an attachment of a route that allows flat ZIP archives."""
    part = Part("anlage.zip", "application/zip", "attachment", MemoryContent(data), place="content0")
    try:
        check_files([part], AttachmentRules(archives="flat"))
    except Rejected as refusal:
        return "reject", " ".join(f"{one.rule} {one.hint}" for one in refusal.findings)
    return "accept", ""


def _package(folder: Path, files: Mapping[str, bytes]) -> Path:
    package = folder / "package"
    package.mkdir(parents=True)
    for name, data in files.items():
        (package / name).write_bytes(data)
    return package


def _installed(package: Path, folder: Path) -> tuple[str, str]:
    as_id = "" if (package / "package.toml").is_file() else "fremd@1"
    try:
        install(package, folder / "schemas", {}, accept_new=True, as_id=as_id)
    except Misconfigured as refusal:
        return "reject", _told(refusal)
    return "accept", ""


def _told(fault: Misconfigured) -> str:
    return f"{fault.code} {fault.where}"


DOORS: Mapping[str, Callable[[Attack, bytes, Path], tuple[str, str]]] = MappingProxyType(
    {
        "config.genericode": _list,
        "config.genericode install": _lone_list,
        "config.xsd": _schema,
        "config.wsdl": _wsdl,
        "config.schematron": _schematron,
        "config.xslt": _stylesheet,
        "payload.zip install": _zip_package,
        "payload.zip attachment": _zip_attachment,
    }
)
SHAPE = Shape(
    standard="none 1",
    package="none@1",
    sha256="0",
    root=Child("nachricht", "", "Nachricht", 1, 1),
    namespaces={},
    complex_types={"Nachricht": Complex((Child("wert", "", "Wert", 1, 1),))},
    simple_types={"Wert": Simple("string")},
)


def _seconds() -> float:
    """Processor time of this process and of the children that ended: a loaded machine is no fault of a case."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _forget_peak() -> int:
    """Resets the high-water mark of this process; what it holds now, in KiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _kib("VmRSS")


def _kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def main() -> None:
    """One line for each case and door."""
    for attack, door in cases():
        met = meet(attack, door)
        line = f"{attack.id:7} {attack.entry['attack']:30} {door:26} {attack.expect:19} {met.outcome:17}"
        print(f"{line} {met.seconds:6.2f} s {met.growth_mb:7.1f} MB")


if __name__ == "__main__":
    main()
