"""What mappings import, beside `intermediary.core`: reading, building, provenance, documents and packages.

What is not on this page may change. `mappings/bewohnerparken` is the example to copy; its README lists what belongs
to a mapping.
"""

from intermediary.core.characters import what_cannot_be_transported
from intermediary.core.ports import ANY_ROOT, Antrag, Kontext, Mapping
from intermediary.core.values import Ausgabe, Dokument, MemoryContent, Part
from intermediary.mapping.accessor import Group, Payload, boolean, code, date, decimal, integer, normal, text
from intermediary.mapping.builder import Builder, BuildError, Built, Node
from intermediary.mapping.codes import CodeTable, load_codes
from intermediary.mapping.document import Frame, document
from intermediary.mapping.entries import Entry, payload_entries
from intermediary.mapping.file_reference import (
    FROM_RECEIPT,
    PLACEHOLDER,
    demand_pattern,
    demand_texts,
    file_reference,
    filled_in,
    from_receipt,
    has_control,
)
from intermediary.mapping.files import media_type_of, shown_name
from intermediary.mapping.filled import Filled, Remark, Row, Section, Value, fill
from intermediary.mapping.findings import Findings
from intermediary.mapping.form import Form, FormField, FormGroup, identity_of
from intermediary.mapping.forms import configured_form
from intermediary.mapping.german import local, write_date, write_moment
from intermediary.mapping.labels import Labels, load_labels
from intermediary.mapping.letter import letter_sections
from intermediary.mapping.lexical import allows
from intermediary.mapping.package import package
from intermediary.mapping.page import File
from intermediary.mapping.partial_date import UNKNOWN_DAY, earliest, is_partial_date, write_birthday, write_partial
from intermediary.mapping.payload_json import payload_of
from intermediary.mapping.pdf import pdf_missing, pdf_of
from intermediary.mapping.provenance import Code, Sourced, codelist, constant, derived, metadata, rule
from intermediary.mapping.reference import Reference
from intermediary.mapping.settings import read_settings
from intermediary.mapping.structure import Shape, load
from intermediary.mapping.summary import intake, summary
from intermediary.mapping.xdomea_files import (
    MEDIUM_ELEKTRONISCH,
    PDF_A,
    Datei,
    Unterlage,
    all_files,
    attached,
    day_of_receipt,
    file_name,
    form_data,
    generated,
    received,
    shown_files,
    write_dokumente,
)
from intermediary.mapping.xdomea_head import ABGABE, TEST, Filing, HeadSettings, write_filing, write_kopf
from intermediary.mapping.xinneres_head import HeadOfServices, message_id, packed, write_frame, write_head
from intermediary.mapping.xslt.mapping import XsltMapping
from intermediary.mapping.xslt.stylesheet import Stylesheet, load_stylesheet

load_shape = load

__all__ = [
    "ABGABE",
    "ANY_ROOT",
    "FROM_RECEIPT",
    "MEDIUM_ELEKTRONISCH",
    "PDF_A",
    "PLACEHOLDER",
    "TEST",
    "UNKNOWN_DAY",
    "Antrag",
    "Ausgabe",
    "BuildError",
    "Builder",
    "Built",
    "Code",
    "CodeTable",
    "Datei",
    "Dokument",
    "Entry",
    "File",
    "Filing",
    "Filled",
    "Findings",
    "Form",
    "FormField",
    "FormGroup",
    "Frame",
    "Group",
    "HeadOfServices",
    "HeadSettings",
    "Kontext",
    "Labels",
    "Mapping",
    "MemoryContent",
    "Node",
    "Part",
    "Payload",
    "Reference",
    "Remark",
    "Row",
    "Section",
    "Shape",
    "Sourced",
    "Stylesheet",
    "Unterlage",
    "Value",
    "XsltMapping",
    "all_files",
    "allows",
    "attached",
    "boolean",
    "code",
    "codelist",
    "configured_form",
    "constant",
    "date",
    "day_of_receipt",
    "decimal",
    "demand_pattern",
    "demand_texts",
    "derived",
    "document",
    "earliest",
    "file_name",
    "file_reference",
    "fill",
    "filled_in",
    "form_data",
    "from_receipt",
    "generated",
    "has_control",
    "identity_of",
    "intake",
    "integer",
    "is_partial_date",
    "letter_sections",
    "load_codes",
    "load_labels",
    "load_shape",
    "load_stylesheet",
    "local",
    "media_type_of",
    "message_id",
    "metadata",
    "normal",
    "package",
    "packed",
    "payload_entries",
    "payload_of",
    "pdf_missing",
    "pdf_of",
    "read_settings",
    "received",
    "rule",
    "shown_files",
    "shown_name",
    "summary",
    "text",
    "what_cannot_be_transported",
    "write_birthday",
    "write_date",
    "write_dokumente",
    "write_filing",
    "write_frame",
    "write_head",
    "write_kopf",
    "write_moment",
    "write_partial",
]
