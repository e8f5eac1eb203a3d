"""lookupService: which services a reader offers, and with which parameters."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field

from intermediary.unseal.xta.entity import Octets
from intermediary.unseal.xta.metadata import read_code, read_party
from intermediary.unseal.xta.names import META, XSI, XTA
from intermediary.unseal.xta.reading import Children, boolean, broken, token
from intermediary.unseal.xta.values import CodeValue, Party
from intermediary.xml.markup import element
from intermediary.xml.parser import Element
from intermediary.xta.wire.markup import leaf
from intermediary.xta.wire.metadata import write_code, write_party


@dataclass(frozen=True, slots=True)
class ServiceQuestion:
    """Does this reader offer this service (URI)?"""

    reader: Party
    service: str


@dataclass(frozen=True, slots=True)
class ServiceParameter:
    """A technical parameter of a service, as its type says."""

    type: CodeValue
    resource: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """The question and its answer: `available` None means that it is not known."""

    reader: Party
    service: str
    available: bool | None
    parameters: tuple[ServiceParameter, ...] = ()


def write_lookup_request(questions: tuple[ServiceQuestion, ...]) -> str:
    """At least one question."""
    entries = (element("xta:LookupService", _question(one.reader, one.service), "") for one in questions)
    inside = "".join(element("xta:LookupServiceRequestList", one) for one in entries)
    return element("xta:LookupServiceRequest", inside)


def write_lookup_response(answers: tuple[ServiceAnswer, ...]) -> str:
    """One answer for each question."""
    inside = "".join(element("xta:LookupServiceResult", _answer(one)) for one in answers)
    return element("xta:LookupServiceResponse", element("xta:LookupServiceResultList", inside))


def read_lookup_request(body: Element) -> tuple[ServiceQuestion, ...]:
    """Raises `Rejected("xta.structure")`, as all readers here."""
    children = Children(body)
    lists = children.many(XTA + "LookupServiceRequestList")
    children.end()
    if not lists:
        raise broken("LookupServiceRequest")
    questions = []
    for one in lists:
        inside = Children(one)
        question = Children(inside.one(XTA + "LookupService"))
        inside.end()
        reader, service = read_party(question.one(META + "Reader")), token(question.one(XTA + "ServiceType"))
        question.end()
        questions.append(ServiceQuestion(reader, service))
    return tuple(questions)


def read_lookup_response(body: Element, octets: Octets) -> tuple[ServiceAnswer, ...]:
    """The answers; an empty one (`xsi:nil`) is left out."""
    children = Children(body)
    results = Children(children.one(XTA + "LookupServiceResultList"))
    children.end()
    found = results.many(XTA + "LookupServiceResult")
    results.end()
    if not found:
        raise broken("LookupServiceResultList")
    nil = XSI + "nil"
    return tuple(_read_answer(one, octets) for one in found if not boolean(one.get(nil, "false"), "nil"))


def _question(reader: Party, service: str) -> str:
    return write_party("oscimeta:Reader", reader) + leaf("xta:ServiceType", service)


def _answer(one: ServiceAnswer) -> str:
    if one.available is None:
        value = leaf("xta:ServiceIsAvailableUnknown", "true")
    else:
        value = leaf("xta:ServiceIsAvailable", str(one.available).lower())
    parameters = (
        write_code("xta:ParameterType", parameter.type) + leaf("xta:Resource", b64encode(parameter.resource).decode())
        for parameter in one.parameters
    )
    return (
        _question(one.reader, one.service)
        + element("xta:IsServiceAvailableValue", value)
        + "".join(element("xta:ServiceParameter", parameter) for parameter in parameters)
    )


def _read_answer(result: Element, octets: Octets) -> ServiceAnswer:
    children = Children(result)
    reader, service = read_party(children.one(META + "Reader")), token(children.one(XTA + "ServiceType"))
    value = Children(children.one(XTA + "IsServiceAvailableValue"))
    said = value.maybe(XTA + "ServiceIsAvailable")
    available = None if said is None else boolean(token(said), "ServiceIsAvailable")
    if said is None:
        value.one(XTA + "ServiceIsAvailableUnknown")
    value.end()
    parameters = children.many(XTA + "ServiceParameter")
    children.end()
    return ServiceAnswer(reader, service, available, tuple(_parameter(one, octets) for one in parameters))


def _parameter(element: Element, octets: Octets) -> ServiceParameter:
    children = Children(element)
    kind, resource = read_code(children.one(XTA + "ParameterType")), children.one(XTA + "Resource")
    children.end()
    return ServiceParameter(kind, octets.of(resource).read())
