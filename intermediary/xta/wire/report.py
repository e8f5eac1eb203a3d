"""The TransportReport: what became of a transport order (digest §6)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field

from intermediary.unseal.xta.entity import Octets
from intermediary.unseal.xta.metadata import read_code, read_metadata
from intermediary.unseal.xta.names import DS, META, XTA
from intermediary.unseal.xta.reading import Children, moment, number, text, token
from intermediary.unseal.xta.values import CodeValue, MessageMetaData
from intermediary.xml.markup import element
from intermediary.xml.parser import Element
from intermediary.xta.wire.markup import leaf
from intermediary.xta.wire.metadata import write_code, write_metadata

OPEN, GREEN, YELLOW, RED = 0, 1, 2, 3
"""Still under way; done without errors, with warnings, with errors. The worst counts."""


@dataclass(frozen=True, slots=True)
class Record:
    """Something that happened: when (`xs:dateTime`), what, and in words (data of the other side, for display)."""

    time: str
    code: CodeValue
    reason: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FurtherReport:
    """A report of another kind that is attached, as an OSCI process card."""

    key: CodeValue
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TransportReport:
    """The state of one transport order; `server` is who reports, `status` one of OPEN, GREEN, YELLOW, RED."""

    order: MessageMetaData
    time: str
    server: str
    status: int
    errors: tuple[Record, ...] = ()
    warnings: tuple[Record, ...] = ()
    infos: tuple[Record, ...] = ()
    further: tuple[FurtherReport, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen: stop asking."""
        return self.status != OPEN


_LISTS = (("ErrorList", "Error"), ("WarnList", "Warning"), ("InfoList", "Info"))


def write_transport_report(report: TransportReport) -> str:
    """The TransportReport element, unsigned."""
    lists = zip(_LISTS, (report.errors, report.warnings, report.infos), strict=True)
    status = leaf("xta:Status", str(report.status)) + "".join(
        element(f"xta:{name}", "".join(_record(f"xta:{entry}", one) for one in records))
        for (name, entry), records in lists
        if records
    )
    further = "".join(
        element("xta:Report", write_code("xta:Key", one.key) + leaf("xta:Data", b64encode(one.data).decode()))
        for one in report.further
    )
    return element(
        "xta:TransportReport",
        write_metadata(report.order)
        + leaf("xta:ReportTime", report.time)
        + leaf("xta:XTAServerIdentity", report.server)
        + element("xta:MessageStatus", status)
        + (element("xta:AdditionalReports", further) if further else ""),
    )


def read_transport_report(body: Element, octets: Octets) -> TransportReport:
    """The report; a signature is not looked at. Raises `Rejected("xta.structure")`."""
    children = Children(body)
    order = read_metadata(children.one(META + "MessageMetaData"))
    time, server = moment(children.one(XTA + "ReportTime")), token(children.one(XTA + "XTAServerIdentity"))
    inside = Children(children.one(XTA + "MessageStatus"))
    further = children.maybe(XTA + "AdditionalReports")
    children.maybe(DS + "Signature")
    children.end()
    status = number(inside.one(XTA + "Status"))
    errors, warnings, infos = (_records(inside.maybe(XTA + name), entry) for name, entry in _LISTS)
    inside.end()
    return TransportReport(order, time, server, status, errors, warnings, infos, _further(further, octets))


def _record(name: str, record: Record) -> str:
    inside = leaf("xta:Timestamp", record.time) + write_code("xta:Code", record.code)
    return element(name, inside + leaf("xta:Reason", record.reason))


def _records(element: Element | None, entry: str) -> tuple[Record, ...]:
    if element is None:
        return ()
    children = Children(element)
    entries = children.many(XTA + entry)
    children.end()
    return tuple(map(_read_record, entries))


def _read_record(element: Element) -> Record:
    children = Children(element)
    time, code = moment(children.one(XTA + "Timestamp")), read_code(children.one(XTA + "Code"))
    reason = text(children.one(XTA + "Reason"))
    children.end()
    return Record(time, code, reason)


def _further(element: Element | None, octets: Octets) -> tuple[FurtherReport, ...]:
    if element is None:
        return ()
    children = Children(element)
    found = []
    for one in children.many(XTA + "Report"):
        inside = Children(one)
        key, data = read_code(inside.one(XTA + "Key")), inside.one(XTA + "Data")
        inside.end()
        found.append(FurtherReport(key, octets.of(data).read()))
    children.end()
    return tuple(found)
