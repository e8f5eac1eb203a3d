"""What mappings import, beside `intermediary.core`: reading, building, provenance, documents and packages.

What is not on this page may change. `mappings/bewohnerparken` is the example to copy; its README lists what belongs
to a mapping.
"""

from intermediary.core.ports import Antrag, Kontext, Mapping
from intermediary.core.values import Ausgabe, Dokument, MemoryContent, Part
from intermediary.mapping.accessor import Group, Payload, boolean, code, date, decimal, integer, normal, text
from intermediary.mapping.builder import Builder, BuildError, Built, Node
from intermediary.mapping.codes import CodeTable, load_codes
from intermediary.mapping.files import media_type_of, shown_name
from intermediary.mapping.findings import Findings
from intermediary.mapping.german import local, write_date, write_moment
from intermediary.mapping.labels import Labels, load_labels
from intermediary.mapping.lexical import allows
from intermediary.mapping.package import package
from intermediary.mapping.provenance import Code, Sourced, codelist, constant, derived, metadata, rule
from intermediary.mapping.settings import read_settings
from intermediary.mapping.structure import Shape, load
from intermediary.mapping.summary import File, summary

load_shape = load

__all__ = [
    "Antrag",
    "Ausgabe",
    "BuildError",
    "Builder",
    "Built",
    "Code",
    "CodeTable",
    "Dokument",
    "File",
    "Findings",
    "Group",
    "Kontext",
    "Labels",
    "Mapping",
    "MemoryContent",
    "Node",
    "Part",
    "Payload",
    "Shape",
    "Sourced",
    "allows",
    "boolean",
    "code",
    "codelist",
    "constant",
    "date",
    "decimal",
    "derived",
    "integer",
    "load_codes",
    "load_labels",
    "load_shape",
    "local",
    "media_type_of",
    "metadata",
    "normal",
    "package",
    "read_settings",
    "rule",
    "shown_name",
    "summary",
    "text",
    "write_date",
    "write_moment",
]
