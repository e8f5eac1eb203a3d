"""The connector `rest` against a target that misbehaves: what each trouble means, and how often something arrives."""

from __future__ import annotations

import base64
import email
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connectors.rest.connector import CONNECTOR, MANIFEST, Rest
from connectors.rest.settings import RestSettings
from intermediary.connect.settings import build_settings, describe_settings
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, Idempotency, NotDelivered, Refused
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument, MemoryContent, Zustellauftrag
from intermediary.testing.connectors import CHECKS, NOW, Arrival, Check, code_of, deliver, make_auftrag, recover
from intermediary.testing.crashes import kill_at, stopped_at
from intermediary.testing.rest_target import RestTarget, Trouble

SIMPLE = {"path": "zustellungen", "take": {"id": "id", "sha256": "sha256"}}
CASE = [
    {"name": "case", "path": "cases", "contents": "none", "take": {"case": "id"}},
    {"name": "document", "path": "cases/{case}/documents", "per": "file", "body": "raw", "take": {"sha256": "sha256"}},
    {"name": "close", "path": "cases/{case}/close", "body": "none"},
]
PATIENT = {"idle_seconds": 30, "total_seconds": 60, "max_answer_bytes": 100_000}
BRISK = {Trouble.SILENT_AFTER: {**PATIENT, "idle_seconds": 1}, Trouble.DRIP_AFTER: {**PATIENT, "total_seconds": 1}}
LOOKUP = {"path": "zustellungen/{key}", "take": {"id": "id", "sha256": "sha256"}}


def settings(target: RestTarget, folder: Path, **changed: Any) -> RestSettings:
    """Settings of a native target; a value None leaves one out."""
    table: dict[str, Any] = {
        "url": target.url,
        "idempotency": "native",
        "request": [SIMPLE],
        "http": PATIENT,
        **changed,
    }
    present = {name: value for name, value in table.items() if value is not None}
    return build_settings(RestSettings, present, base=folder, where="settings")


def connect(target: RestTarget, folder: Path = Path("/"), **changed: Any) -> Rest:
    """A connector of it."""
    return CONNECTOR.build(settings(target, folder, **changed), folder)


@pytest.fixture
def target() -> Iterator[RestTarget]:
    with RestTarget() as made:
        yield made


@dataclass(frozen=True)
class Counted:
    """The target as the conformance suite sees it."""

    server: RestTarget
    options: dict[str, Any] = field(default_factory=dict)

    def connect(self) -> Rest:
        return connect(self.server, **self.options)

    def consume(self) -> None:
        """It keeps what has arrived."""

    def arrived(self) -> list[Arrival]:
        return [Arrival(one.name, one.sha256) for one in self.server.effects]

    def expects(self, auftrag: Zustellauftrag) -> list[Arrival]:
        return [Arrival(auftrag.package.file_name, auftrag.package.content.sha256)]

    def snapshot(self) -> object:
        return tuple(self.server.effects)


@contextmanager
def counted(**options: Any) -> Iterator[Any]:
    """Makes fresh targets for one check."""
    servers: list[RestTarget] = []

    def make(name: str) -> Counted:
        removes_doubles = options.get("idempotency", "native") == "native"
        server = RestTarget(removes_doubles=removes_doubles).__enter__()
        servers.append(server)
        if len(servers) > 2:  # no check looks at more than two at a time
            servers.pop(0).__exit__(None, None, None)
        return Counted(server, options)

    try:
        yield make
    finally:
        for server in servers:
            server.__exit__(None, None, None)


def _mark(check: Check) -> Any:
    is_slow = "survives" in check.__name__ or "rival" in check.__name__ or "kill" in check.__name__
    return pytest.param(check, marks=pytest.mark.soak if is_slow else (), id=check.__name__)


@pytest.mark.parametrize("check", [_mark(check) for check in CHECKS])
def test_conforms_where_the_target_removes_doubles(check: Check) -> None:
    """The contract of the port: killed before any line, stopped at any line and overtaken (soak), repeated at will."""
    with counted() as make:
        check(make)


@pytest.mark.parametrize("check", [_mark(check) for check in CHECKS if "rival" not in check.__name__])
def test_conforms_where_the_target_can_be_asked(check: Check) -> None:
    """The same, but for a worker that was stopped right before it sends: that only a target with keys can see."""
    with counted(idempotency="lookup", lookup=LOOKUP) as make:
        check(make)


def test_killed_or_overtaken_here_and_there() -> None:
    """Every 19th line of it, for every run of the tests."""
    auftrag = make_auftrag()
    with counted() as make:
        for step in count(7, 19):
            target, rival = make("killed"), make("rival")
            code = code_of(target.connect())
            struck = kill_at(
                step,
                lambda target=target: deliver(target.connect(), auftrag),
                code=code,
                meanwhile=lambda: None,
            )
            recover(target.connect(), auftrag)
            with stopped_at(step, lambda rival=rival: deliver(rival.connect(), auftrag), code=code):
                recover(rival.connect(), auftrag)

            assert target.expects(auftrag) == target.arrived() == rival.arrived(), step
            if not struck:
                return


CERTAINLY_NOT = {
    Trouble.BUSY: (Transient, "target.unreachable"),
    Trouble.LIMITED: (Transient, "target.unreachable"),
    Trouble.UNAUTHORIZED: (Misconfigured, "target.credentials"),
    Trouble.REDIRECT: (Misconfigured, "target.http"),
    Trouble.REFUSED: (Rejected, "target.refused"),
}
UNCLEAR = {
    Trouble.RESET_BEFORE: "target.no-answer",
    Trouble.RESET_AFTER: "target.no-answer",
    Trouble.SILENT_AFTER: "target.no-answer",
    Trouble.ERROR_BEFORE: "target.no-answer",
    Trouble.ERROR_AFTER: "target.no-answer",
    Trouble.GATEWAY_AFTER: "target.no-answer",
    Trouble.DRIP_AFTER: "target.no-answer",
    Trouble.HUGE_AFTER: "target.answer.too-large",
    Trouble.HTML_AFTER: "target.answer.unreadable",
    Trouble.ERROR_BODY: "target.answer.unreadable",
    Trouble.FOREIGN_ID_AFTER: "target.answer.unreadable",
}


def test_every_trouble_is_told_apart() -> None:
    """None of them is left out here."""
    assert set(Trouble) == {*CERTAINLY_NOT, *UNCLEAR}


@pytest.mark.parametrize(("trouble", "expected"), CERTAINLY_NOT.items())
def test_what_says_clearly_that_nothing_was_done(
    trouble: Trouble, expected: tuple[type[Fault], str], target: RestTarget
) -> None:
    """Who heals it, with the time the target asks for; nothing went elsewhere and nothing was committed."""
    target.troubles.append(trouble)
    with pytest.raises(expected[0]) as raised:
        deliver(connect(target), make_auftrag())

    assert expected == (type(raised.value), raised.value.code)
    assert [] == target.effects
    if isinstance(raised.value, Transient):
        assert timedelta(seconds=1) == raised.value.retry_after
    assert "person" not in str(raised.value)


@pytest.mark.parametrize(("trouble", "code"), UNCLEAR.items())
@pytest.mark.parametrize("idempotency", ["native", "lookup", "none"])
def test_what_leaves_it_open(trouble: Trouble, code: str, idempotency: str) -> None:
    """Unclear; then one effect where the target removes doubles or can be asked, and at most one where it cannot."""
    auftrag = make_auftrag()
    with RestTarget(removes_doubles=idempotency == "native") as target:
        asked = {"idempotency": idempotency, "lookup": LOOKUP if idempotency == "lookup" else None}
        connector = connect(target, **asked)
        target.troubles.append(trouble)
        with pytest.raises(Unclear) as raised:
            deliver(connect(target, **asked, http=BRISK.get(trouble, PATIENT)), auftrag)
        verdict = recover(connector, auftrag)

    assert Idempotency(idempotency) is connector.manifest.idempotency
    assert code == raised.value.code
    assert CATALOGUE[code].healer.value == "target"
    if idempotency == "none":
        assert len(target.effects) <= 1
    else:
        assert isinstance(verdict, Delivered)
        assert [auftrag.package.content.sha256] == [one.sha256 for one in target.effects]


def test_a_reason_is_a_code(target: RestTarget) -> None:
    """What the operator may see of a refusal: a code of the target at the path that was agreed, and no text."""
    target.troubles += [Trouble.REFUSED, Trouble.REFUSED]
    wheres = []
    for path in ("error.code", "error.text"):
        with pytest.raises(Rejected) as raised:
            deliver(connect(target, reason=path), make_auftrag())
        wheres.append(raised.value.where)

    assert ["rest: deliver: HTTP 422 E4711", "rest: deliver: HTTP 422 unspecified"] == wheres


@pytest.mark.parametrize(
    ("conflict", "kind"),
    [("done", None), ("refused", Rejected), ("unclear", Unclear)],
    ids=["done", "refused", "unclear"],
)
def test_what_a_conflict_means_is_agreed(
    conflict: str, kind: type[Fault] | None, target: RestTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409: it has it already, it does not want it, or nobody knows."""
    monkeypatch.setattr(target, "take", lambda *_: (409, {"id": "F-1"}))
    connector = connect(target, request=[{"path": "zustellungen", "conflict": conflict}])
    if kind is None:
        assert isinstance(deliver(connector, make_auftrag()), Delivered)
    else:
        with pytest.raises(kind):
            deliver(connector, make_auftrag())


def with_documents(auftrag: Zustellauftrag) -> Zustellauftrag:
    documents = tuple(
        Dokument(f"{name}.pdf", "application/pdf", MemoryContent(name.encode() * 1000)) for name in ("plan", "foto")
    )
    return replace(auftrag, dokumente=documents, business_keys={"aktenzeichen": "112/ä \\u0000"})


def test_the_json_of_the_readme(target: RestTarget) -> None:
    """Everything of a Zustellung, contents in base64, under one key."""
    auftrag = with_documents(make_auftrag(data=b"\0\1paket"))
    proof = deliver(connect(target), auftrag)

    (body,) = target.bodies
    tree = json.loads(body)
    assert (auftrag.key, auftrag.mandant, False) == (tree["key"], tree["mandant"], tree["test"])
    assert b"\0\1paket" == base64.b64decode(tree["package"]["data"])
    assert ["plan.pdf", "foto.pdf"] == [one["fileName"] for one in tree["documents"]]
    assert b"foto" * 1000 == base64.b64decode(tree["documents"][1]["data"])
    assert [auftrag.key] == [one["idempotency-key"] for one in target.headers]
    assert Delivered({"key": auftrag.key, "id": "F-1", "sha256": auftrag.package.content.sha256}) == proof


def test_json_by_template(target: RestTarget) -> None:
    """Names and nesting are the target's; numbers and lists keep their type, business keys and headers are filled."""
    shape = {
        "vorgang": {"az": "{business.aktenzeichen}", "groesse": "{package.length}", "test": "{test}", "art": 7},
        "inhalt": "{package.data}",
        "anlagen": "{documents}",
        "namen": ["{nachricht}/{package.file_name}"],
    }
    request = {"path": "zustellungen", "json": shape, "headers": {"X-Mandant": "m-{mandant}"}}
    auftrag = with_documents(make_auftrag())
    connector = connect(target, request=[request], document_json={"name": "{file_name}", "nr": "{n}", "b64": "{data}"})
    deliver(connector, auftrag)

    tree = json.loads(target.bodies[0])
    length = auftrag.package.content.length
    assert {"az": "112/ä \\u0000", "groesse": length, "test": False, "art": 7} == tree["vorgang"]
    assert auftrag.package.content.read() == base64.b64decode(tree["inhalt"])
    assert [("plan.pdf", 1), ("foto.pdf", 2)] == [(one["name"], one["nr"]) for one in tree["anlagen"]]
    assert [f"{auftrag.nachricht_id}/{auftrag.package.file_name}"] == tree["namen"]
    assert "m-musterstadt" == target.headers[0]["x-mandant"]


def test_a_business_key_that_is_missing_waits_for_the_operator(target: RestTarget) -> None:
    """Nothing is sent with a hole in it."""
    request = {"path": "zustellungen", "json": {"az": "{business.aktenzeichen}"}}
    with pytest.raises(Misconfigured) as raised:
        deliver(connect(target, request=[request]), make_auftrag())

    assert ("{business.aktenzeichen}", []) == (raised.value.where, target.effects)


def test_multipart_and_bare_files(target: RestTarget) -> None:
    """Parts with their names and types, metadata without content; or the bare file under its own type."""
    auftrag = with_documents(make_auftrag(data=b"--intermediary-\r\n\0"))
    deliver(connect(target, request=[{**SIMPLE, "body": "multipart"}]), auftrag)
    deliver(connect(target, request=[{**SIMPLE, "body": "raw"}]), make_auftrag(2))

    head = b"Content-Type: " + target.headers[0]["content-type"].encode() + b"\r\n\r\n"
    parts = email.message_from_bytes(head + target.bodies[0]).get_payload()
    described = [(part.get_param("name", header="content-disposition"), part.get_content_type()) for part in parts]
    assert [
        ("metadata", "application/json"),
        ("package", "application/zip"),
        ("document", "application/pdf"),
        ("document", "application/pdf"),
    ] == described
    assert b"--intermediary-\r\n\0" == parts[1].get_payload(decode=True)
    assert "data" not in json.loads(parts[0].get_payload(decode=True))["package"]
    assert ("application/zip", b"<antrag/>") == (target.headers[1]["content-type"], target.bodies[1])


def case_connector(target: RestTarget, **changed: Any) -> Rest:
    """A protocol in steps."""
    return connect(target, request=CASE, **changed)


@pytest.mark.parametrize("position", range(5))
@pytest.mark.parametrize("trouble", [Trouble.RESET_AFTER, Trouble.ERROR_AFTER, Trouble.BUSY, Trouble.RESET_BEFORE])
def test_a_protocol_in_steps_is_resumed(position: int, trouble: Trouble, target: RestTarget) -> None:
    """The case is made once, each document once, and a later attempt goes on at the step that is not done."""
    auftrag = with_documents(make_auftrag())
    moods = iter([None] * position + [trouble] + [None] * 20)
    target.mood = lambda: next(moods)
    steps = Checkpoints(MANIFEST.steps)
    with pytest.raises((Unclear, Transient)):
        case_connector(target).deliver(auftrag, steps, NOW)
    assert position == len(list(steps))
    case_connector(target).deliver(replace(auftrag, attempt=2), steps, NOW)

    assert ["case", "document", "document", "document", "closed"] == [one.kind for one in target.effects]
    assert [one.content.sha256 for one in (*auftrag.dokumente, auftrag.package)] == [
        one.sha256 for one in target.effects if one.kind == "document"
    ]
    assert 5 == len({one.key for one in target.effects})


def test_a_case_that_is_found_open_is_gone_on_with(target: RestTarget) -> None:
    """Asked by key, the target has the case but not all of it: its number is a step that is done, nothing is made twice."""
    lookup = {
        "path": "cases?key={key}",
        "state": "state",
        "complete": ["closed"],
        "completes": "case",
        "take": {"case": "id"},
    }
    auftrag = make_auftrag()
    target.removes_doubles = False
    connector = case_connector(target, idempotency="lookup", lookup=lookup)
    target.troubles.append(Trouble.RESET_AFTER)
    steps = Checkpoints(MANIFEST.steps)
    with pytest.raises(Unclear):
        connector.deliver(auftrag, steps, NOW)
    found = connector.lookup(auftrag.key, steps, NOW)
    delivered = connector.deliver(replace(auftrag, attempt=2), steps, NOW)
    again = connector.lookup(auftrag.key, steps, NOW)

    assert NotDelivered() == found
    assert ["case", "document", "closed"] == [one.kind for one in target.effects]
    assert isinstance(delivered, Delivered)
    assert delivered == again


def test_an_address_that_the_target_names(target: RestTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Location is followed for the next step on the same host, and on no other: credentials stay at home."""
    requests = [
        {"name": "case", "path": "cases", "contents": "none", "take": {"place": "id"}},
        {"name": "close", "path": "{place}/close", "body": "none"},
    ]
    original = target.take
    places = iter(["/cases/C-1", "https://elsewhere.example/cases/C-1"])

    def take(path: str, *rest: Any) -> tuple[int, dict[str, object]]:
        status, answer = original(path, *rest)
        return (status, {**answer, "id": next(places)}) if path == "/cases" else (status, answer)

    monkeypatch.setattr(target, "take", take)
    deliver(connect(target, request=requests), make_auftrag())
    with pytest.raises(Misconfigured) as raised:
        deliver(connect(target, request=requests), make_auftrag(2))

    assert ["case", "closed", "case"] == [one.kind for one in target.effects]
    assert ("target.http", "rest: another host") == (raised.value.code, raised.value.where)


def secret(folder: Path, text: str) -> str:
    """A secret file."""
    path = folder / hashlib.sha256(text.encode()).hexdigest()[:8]
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    return str(path)


def test_a_token_is_kept_and_renewed_once(target: RestTarget, tmp_path: Path) -> None:
    """OAuth 2: one token for many requests, a new one when it is no longer accepted or has ended, and no endless circle."""
    target.wants_token = True
    oauth = {"token_url": f"{target.url}/token", "client_id": "wir", "client_secret_file": secret(tmp_path, "geheim")}
    connector = connect(target, tmp_path, oauth=oauth)
    for number in range(3):
        deliver(connector, make_auftrag(number))
    assert 1 == sum(one[":path"] == "/token" for one in target.headers)
    target.token()  # ours is void now
    deliver(connector, make_auftrag(3))
    connector.deliver(make_auftrag(4), Checkpoints(MANIFEST.steps), NOW + timedelta(seconds=3590))
    tokens = sum(one[":path"] == "/token" for one in target.headers)
    target.troubles += [Trouble.UNAUTHORIZED] * 3
    with pytest.raises(Misconfigured) as raised:
        deliver(connector, make_auftrag(5))

    assert 3 == tokens
    assert "target.credentials" == raised.value.code
    assert f"Basic {base64.b64encode(b'wir:geheim').decode()}" == next(
        one["authorization"] for one in target.headers if one[":path"] == "/token"
    )
    assert list(range(5)) == [int(one.key == make_auftrag(n).key) * n for n, one in enumerate(target.effects)]


def test_fixed_logins(target: RestTarget, tmp_path: Path) -> None:
    """User and password, or a token; from files that only we may read."""
    basic = {"user": "wir", "password_file": secret(tmp_path, "geheim")}
    deliver(connect(target, tmp_path, auth=basic), make_auftrag())
    deliver(connect(target, tmp_path, auth={"token_file": secret(tmp_path, "t0ken")}), make_auftrag(2))
    (tmp_path / "open").write_text("x")
    (tmp_path / "open").chmod(0o644)
    with pytest.raises(Misconfigured) as raised:
        deliver(connect(target, tmp_path, auth={"token_file": str(tmp_path / "open")}), make_auftrag(3))

    assert [f"Basic {base64.b64encode(b'wir:geheim').decode()}", "Bearer t0ken"] == [
        one["authorization"] for one in target.headers
    ]
    assert "target.secret.exposed" == raised.value.code


def test_a_signature_over_time_and_body(target: RestTarget, tmp_path: Path) -> None:
    """HMAC-SHA256 over TIMESTAMP.BODY; whoever changes a byte or repeats it later is found out."""
    signature = {"secret_file": secret(tmp_path, "gemeinsam")}
    deliver(connect(target, tmp_path, signature=signature), with_documents(make_auftrag()))

    (headers,), (body,) = target.headers, target.bodies
    signed = f"{headers['x-timestamp']}.".encode() + body
    assert str(int(NOW.timestamp())) == headers["x-timestamp"]
    assert f"sha256={hmac.new(b'gemeinsam', signed, 'sha256').hexdigest()}" == headers["x-signature"]


@pytest.mark.parametrize("table", ["oauth", "signature", "auth"])
def test_an_empty_secret_is_none(table: str, target: RestTarget, tmp_path: Path) -> None:
    """A file that somebody forgot to fill neither logs in nor signs."""
    empty = secret(tmp_path, "")
    tables = {
        "oauth": {"token_url": f"{target.url}/token", "client_id": "wir", "client_secret_file": empty},
        "signature": {"secret_file": empty},
        "auth": {"token_file": empty},
    }
    with pytest.raises(Misconfigured) as raised:
        deliver(connect(target, tmp_path, **{table: tables[table]}), make_auftrag())

    assert ("target.credentials", []) == (raised.value.code, target.effects)


def test_a_verdict_that_comes_later(target: RestTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """202: awaited and asked for; nothing yet, refused with a code, accepted; an outage heals by time."""
    verdict = {
        "path": "verdicts/{key}",
        "state": "state",
        "accepted": ["angenommen"],
        "refused": ["abgelehnt"],
        "reason": "grund",
        "deadline_hours": 2,
    }
    original = target.take
    monkeypatch.setattr(target, "take", lambda *arguments: (202, original(*arguments)[1]))
    connector, auftrag = connect(target, verdict=verdict), make_auftrag()
    awaiting = deliver(connector, auftrag)
    assert isinstance(awaiting, Awaiting)
    collect = lambda: connector.collect(auftrag.key, awaiting.correlation, NOW)  # noqa: E731
    said: list[object] = [collect()]
    for state in (
        {"state": "in Arbeit"},
        {"state": "abgelehnt", "grund": "E7"},
        {"state": "abgelehnt", "grund": "Frau M. fehlt"},
        {"state": "angenommen"},
    ):
        target.verdicts[auftrag.key] = state  # type: ignore[assignment]
        said.append(collect())

    assert awaiting.until == NOW + timedelta(hours=2)
    assert [None, None] == said[:2]
    assert ["E7", "unspecified"] == [one.reason for one in said[2:4] if isinstance(one, Refused)]
    assert isinstance(said[4], Delivered)
    target.__exit__(None, None, None)
    with pytest.raises(Transient):
        collect()


def test_a_target_that_is_away_cannot_be_asked(tmp_path: Path) -> None:
    """Neither a delivery nor a question guesses; probing says so too."""
    with RestTarget() as target:
        connector = connect(target, idempotency="lookup", lookup=LOOKUP)
        connector.probe()
    for ask in (
        lambda: deliver(connector, make_auftrag()),
        lambda: connector.lookup(make_auftrag().key, Checkpoints(MANIFEST.steps), NOW),
        connector.probe,
    ):
        with pytest.raises(Transient) as raised:
            ask()
        assert "target.unreachable" == raised.value.code


def test_probe_finds_wrong_logins_and_addresses(target: RestTarget) -> None:
    """Without an effect: a login that is not accepted, and a path that nobody knows."""
    connect(target).probe()
    with pytest.raises(Misconfigured) as raised:
        connect(target, probe="status").probe()
    assert "target.http" == raised.value.code
    target.wants_token = True
    with pytest.raises(Misconfigured) as raised:
        connect(target).probe()
    assert "target.credentials" == raised.value.code
    assert [] == target.effects


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://fach.example/"},
        {"url": "https://user:secret@fach.example/"},
        {"idempotency": None},
        {"idempotency": "lookup"},
        {"request": [SIMPLE, SIMPLE]},
        {"request": [{"path": "cases/{case}"}]},
        {"request": [{"path": "{typo"}]},
        {"request": [{"headers": {"Authorization": "x"}}]},
        {"request": [{"headers": {"X Y": "x"}}]},
        {"request": [{"take": {"Id": "id"}}]},
        {"request": [{"body": "raw", "contents": "none"}]},
        {"request": [{"json": {"a": "{betreff}"}}]},
        {"key_header": ""},
        {"key_header": "Content-Length"},
        {"lookup": {"path": "x/{key}", "state": "state"}},
        {"lookup": {"path": "x/{key}", "found": [404]}},
        {"lookup": {"path": "x/{key}", "completes": "other"}},
        {"lookup": {"path": "x/{nachricht}"}},
        {"document_json": {"a": "{package.data}"}},
        {"oauth": {"token_url": "ftp://x/", "client_id": "a", "client_secret_file": "b"}},
        {"auth": {"user": "a"}},
        {"http": {"client_cert": "a"}},
    ],
)
def test_settings_that_could_hurt_are_findings(wrong: dict[str, Any], target: RestTarget) -> None:
    """TLS is demanded, nothing is idempotent by assumption, and every placeholder has a value."""
    with pytest.raises(Misconfigured) as raised:
        settings(target, Path("/"), **wrong)

    assert raised.value.findings


def test_faults_carry_no_content(target: RestTarget) -> None:
    """Neither what is sent nor what comes back is in a fault."""
    auftrag = make_auftrag(data=b"CANARY-Erika-Musterfrau")
    for trouble in (*CERTAINLY_NOT, *UNCLEAR):
        if trouble in (Trouble.SILENT_AFTER, Trouble.DRIP_AFTER):
            continue  # they take their time, and have no body
        target.troubles.append(trouble)
        with pytest.raises(Fault) as raised:
            deliver(connect(target), auftrag)
        told = f"{raised.value!r} {raised.value.where} {raised.value.__cause__!r}"
        assert "CANARY" not in told
        assert auftrag.key not in told


def test_readme_names_every_setting_and_only_known_codes(project: Path) -> None:
    """The page for operators is complete, and invents nothing."""
    readme = (project / "connectors/rest/README.md").read_text(encoding="utf-8")
    described = [one.key for one in describe_settings(RestSettings)]
    codes = set(re.findall(r"^\| `(target\.[a-z.-]+|payload\.[a-z.-]+)` \|", readme, re.MULTILINE))

    assert [] == [key for key in described if f"`{key.rpartition('.')[2]}`" not in readme]
    assert codes
    assert not codes - set(CATALOGUE)
