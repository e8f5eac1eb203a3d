"""What a CMIS server's answers mean: who heals a refusal, and what is read of an object."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.cmis.answer import Absent, NameTaken, ask_refusal, found, found_all, json_of, refusal
from intermediary.connect.api import HttpAnswer
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear

CANARY = "CANARY-Erika-Musterfrau"


def answer(status: int, exception: str = "") -> HttpAnswer:
    body = json.dumps({"exception": exception, "message": CANARY}).encode() if exception else b""
    return HttpAnswer(status, body=body, retry_after=timedelta(seconds=7))


@pytest.mark.parametrize(
    ("status", "exception", "kind", "code"),
    [
        (409, "constraint", Misconfigured, "target.misconfigured"),
        (400, "invalidArgument", Misconfigured, "target.misconfigured"),
        (405, "notSupported", Misconfigured, "target.misconfigured"),
        (403, "streamNotSupported", Misconfigured, "target.misconfigured"),
        (409, "versioning", Misconfigured, "target.misconfigured"),
        (403, "permissionDenied", Misconfigured, "target.credentials"),
        (401, "", Misconfigured, "target.credentials"),
        (403, "", Misconfigured, "target.credentials"),
        (500, "storage", Transient, "target.full"),
        (409, "updateConflict", Transient, "target.busy"),
        (503, "", Transient, "target.unreachable"),
        (429, "runtime", Transient, "target.unreachable"),
        (500, "runtime", Unclear, "target.no-answer"),
        (500, "", Unclear, "target.no-answer"),
        (502, "", Unclear, "target.no-answer"),
        (500, "somethingElse", Unclear, "target.no-answer"),
        (404, "", Misconfigured, "target.http"),
        (409, "", Misconfigured, "target.http"),
        (307, "", Misconfigured, "target.http"),
    ],
)
def test_a_refused_effect(status: int, exception: str, kind: type[Fault], code: str) -> None:
    """A CMIS exception says that nothing was done; what says nothing certain is unclear. No message is repeated."""
    failure = refusal(answer(status, exception), where="document")

    assert isinstance(failure, kind)
    assert isinstance(failure, Fault)
    assert (code, False) == (failure.code, CANARY in str(failure))


def test_a_taken_name_and_a_missing_object_are_no_faults_yet() -> None:
    """Whether it is ours, or gone, is looked into by the caller."""
    assert isinstance(refusal(answer(409, "nameConstraintViolation"), where="x"), NameTaken)
    assert isinstance(refusal(answer(409, "contentAlreadyExists"), where="x"), NameTaken)
    assert isinstance(refusal(answer(404, "objectNotFound"), where="x"), Absent)


def test_a_question_may_always_be_asked_again() -> None:
    """What would be unclear for an effect heals by time where nothing was changed."""
    failure = ask_refusal(answer(500, "runtime"), where="folder")

    assert isinstance(failure, Transient)
    assert isinstance(ask_refusal(answer(404), where="folder"), Absent)


@pytest.mark.parametrize("notation", ["succinct", "full"])
def test_objects_are_read_in_both_notations(notation: str) -> None:
    """Servers that ignore `succinct` are understood as well."""
    values = {
        "cmis:objectId": "workspace://a;1.0",
        "cmis:contentStreamLength": 5,
        "cmis:contentStreamHash": ["{md5}00", "{SHA-256}ABCD"],
        "cmis:creationDate": 1_763_715_600_000,
        "efa:schluessel": ["einzeln"],
    }
    full = {"properties": {name: {"id": name, "value": value} for name, value in values.items()}}
    one = found({"succinctProperties": values} if notation == "succinct" else full)

    assert ("workspace://a;1.0", 5, "abcd") == (one.id, one.length, one.sha256)
    assert ("einzeln", "2025-11-21T09:00:00+00:00") == (one.text("efa:schluessel"), one.moment("cmis:creationDate"))


@pytest.mark.parametrize("data", [None, [], "x", {}, {"succinctProperties": {"cmis:objectId": "a\nb"}}])
def test_what_is_no_object_is_refused(data: object) -> None:
    """An id that could not stand in a proof is none."""
    with pytest.raises(ValueError, match="object"):
        found(data)


def test_what_is_no_answer_is_refused() -> None:
    """HTML of a login page, and JSON that is deeper than anything, are no answers."""
    with pytest.raises(ValueError, match="value"):
        json_of(HttpAnswer(200, body=b"<html>"))
    with pytest.raises(ValueError, match="deep"):
        json_of(HttpAnswer(200, body=b"[" * 100_000))
    with pytest.raises(ValueError, match="results"):
        found_all({"results": None})
