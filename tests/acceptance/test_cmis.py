"""The connector `cmis` against a server, and the server against clients that are not ours: libcmis and cmislib."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.cmis.connector import CONNECTOR
from intermediary.connect.settings import open_connector
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.ports import Connector, Delivered
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Content, Dokument, MemoryContent, Zustellauftrag
from intermediary.testing.cmis import browser
from intermediary.testing.cmis.dms import ROOT, Dms, Traits
from intermediary.testing.cmis.server import CmisServer, Login
from intermediary.testing.connectors import NOW, make_auftrag
from intermediary.testing.faces.mischief import Knob

CANARY = b"CANARY-Erika-Musterfrau"
USER, PASSWORD = "intermediary", "geheim:mit Doppelpunkt"
STEPS = ("case", "document")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CmisServer]:
    """A server that demands a login and a CSRF token."""
    login = Login(user=USER, password=PASSWORD, bearer="t0ken", csrf=True)
    with CmisServer(tmp_path_factory.mktemp("dms"), login=login) as running:
        yield running


@pytest.fixture
def dms(server: CmisServer, tmp_path: Path) -> Dms:
    """A fresh repository behind it, and no knob turned."""
    server.mischief.calm()
    server.dms = Dms(tmp_path / "dms", clock=server.dms._clock)
    return server.dms


def connect(server: CmisServer, base: Path, **more: Any) -> Connector:
    password = base / "password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD + "\n", encoding="utf-8")
    table: dict[str, Any] = {
        "url": server.browser_url,
        "folder": "/",
        "key_property": "efa:schluessel",
        "csrf_header": "X-CSRF-Token",
        "document": {"type": "efa:dokument"},
        "auth": {"user": USER, "password_file": "password"},
        "http": {"idle_seconds": 2, "total_seconds": 10, "max_answer_bytes": 200_000},
    }
    return open_connector(CONNECTOR, {**table, **more}, base=base, where="target")


def deliver(connector: Connector, auftrag: Zustellauftrag) -> Delivered:
    verdict = connector.deliver(auftrag, Checkpoints(STEPS), NOW)
    assert isinstance(verdict, Delivered)
    return verdict


def case() -> Zustellauftrag:
    """A message and two documents of a case whose Aktenzeichen has what file names must not have."""
    documents = tuple(
        Dokument(name, "application/pdf", MemoryContent(b"%PDF-1.7 " + name.encode()))
        for name in ("Übersicht.pdf", "plan.pdf")
    )
    return replace(
        make_auftrag(data=b"PK-paket"),
        business_keys={"aktenzeichen": "BV/2026:17 \u00e4"},
        nachricht=MemoryContent(b"<nachricht/>"),
        dokumente=documents,
    )


CASE = {
    "contents": "documents",
    "folder": "/{mandant}",
    "case": {
        "name": "{aktenzeichen}",
        "type": "efa:vorgang",
        "shared": True,
        "properties": {"efa:aktenzeichen": "{aktenzeichen}"},
    },
    "document": {"type": "efa:dokument", "name": "{n} {file_name}", "properties": {"cmis:description": "{sha256}"}},
}


def test_a_case_is_filed_as_the_settings_say(server: CmisServer, dms: Dms, tmp_path: Path) -> None:
    """Folder, names, types, properties and contents; a second Zustellung of the Vorgang goes into the same folder."""
    folder = dms.create_folder(ROOT, {"cmis:name": "musterstadt"}, "x")
    connector = connect(server, tmp_path, **CASE)
    connector.probe()
    proof = deliver(connector, case()).proof
    deliver(connector, replace(make_auftrag(2), business_keys=case().business_keys))

    (vorgang,) = dms.children(folder.id)
    names = {one.name for one in dms.children(vorgang.id)}
    first, second = (Path(make_auftrag(number).package.file_name) for number in (1, 2))
    assert ("BV_2026_17 ä", "BV/2026:17 ä") == (vorgang.name, vorgang.values["efa:aktenzeichen"])
    assert {f"1 {first.stem}.xml", "2 Übersicht.pdf", "3 plan.pdf", f"1 {second.name}"} == names
    assert ("3", dms.at_path(f"/musterstadt/{vorgang.name}/3 plan.pdf").id) == (proof["documents"], proof["document_3"])


@pytest.mark.skipif(
    shutil.which("cmis-client") is None and "INTERMEDIARY_SERVERS_REQUIRED" not in os.environ,
    reason="apt-get install cmis-client",
)
def test_libcmis_sees_what_we_filed(server: CmisServer, dms: Dms, tmp_path: Path) -> None:
    """Debian's cmis-client lists our folder and gets our content, and what it files itself is a document like ours."""
    dms.create_folder(ROOT, {"cmis:name": "musterstadt"}, "x")
    proof = deliver(connect(server, tmp_path, **CASE), case()).proof
    (tmp_path / "brief.txt").write_text("Guten Tag")

    assert "efa:vorgang" in libcmis(server, tmp_path, "show-by-path", "/musterstadt/BV_2026_17 ä")
    shown = libcmis(server, tmp_path, "show-by-id", proof["document_2"])
    assert {"2 Übersicht.pdf", proof["sha256_2"]} <= {
        line.strip().removeprefix("Name: ") for line in shown.splitlines()
    }
    libcmis(server, tmp_path, "get-content", proof["document_2"])
    assert case().dokumente[0].content.read() == (tmp_path / "Übersicht.pdf").read_bytes()
    libcmis(
        server,
        tmp_path,
        *("--input-file", str(tmp_path / "brief.txt"), "--input-type", "text/plain", "--object-type", "efa:dokument"),
        *("--object-property", "efa:schluessel=fremd", "create-document", ROOT, "brief.txt"),
    )
    assert "fremd" == dms.at_path("/brief.txt").values["efa:schluessel"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("binding", ["browser", "atom"])
def test_cmislib_sees_what_we_filed(server: CmisServer, dms: Dms, tmp_path: Path, binding: str) -> None:
    """PyPI's cmislib finds our document by path and by query over both bindings, with its properties and content."""
    dms.create_folder(ROOT, {"cmis:name": "musterstadt"}, "x")
    proof = deliver(connect(server, tmp_path, **CASE), case()).proof
    there = cmislib(server, binding)
    query = f"SELECT * FROM efa:dokument WHERE efa:schluesselwort LIKE '{case().key}/%'"
    hits = {str(hit.getObjectId()): hit for hit in there.query(query)}

    assert {proof[f"document_{number}"] for number in (1, 2, 3)} == set(hits)
    one = hits[proof["document_3"]]
    assert ("3 plan.pdf", proof["sha256_3"]) == (one.getName(), one.getProperties()["cmis:description"])
    got = there.getObject(proof["document_3"]).getContentStream().read()
    assert case().dokumente[1].content.read() == (got.encode() if isinstance(got, str) else got)


@pytest.mark.parametrize(
    ("knob", "kind", "code"),
    [
        ("refuse:9@createDocument", Transient, "target.unreachable"),
        ("redirect@createDocument", Misconfigured, "target.http"),
        ("reject@createDocument", Misconfigured, "target.misconfigured"),
        ("error-after@createDocument", Unclear, "target.no-answer"),
        ("reset-after@createDocument", Unclear, "target.no-answer"),
        ("wrong-type@createDocument", Unclear, "target.answer.unreadable"),
        ("huge:1@createDocument", Unclear, "target.answer.too-large"),
        ("reset-after@query", Transient, "target.unreachable"),
        ("error-after@query", Transient, "target.unreachable"),
        ("wrong-type@query", Misconfigured, "target.http"),
    ],
)
def test_who_heals_what(server: CmisServer, dms: Dms, tmp_path: Path, knob: str, kind: type[Fault], code: str) -> None:
    """Each misbehaviour has its class and code; nothing of content or key stands in it; then it goes on by itself."""
    connector, auftrag = connect(server, tmp_path), make_auftrag(data=CANARY)
    server.mischief.turn(Knob.parse(f"{knob}=next1"))
    with pytest.raises(Fault) as raised:
        deliver(connector, auftrag)

    assert (kind, code) == (type(raised.value), raised.value.code)
    assert not {CANARY.decode(), auftrag.key} & set(str(raised.value).replace(":", " ").split())
    deliver(connector, replace(auftrag, attempt=2))
    assert 1 == len(dms.documents())


def test_a_slow_answer_is_waited_for(server: CmisServer, dms: Dms, tmp_path: Path) -> None:
    """Byte after byte is no failure as long as it ends in time."""
    server.mischief.turn(Knob.parse("drip:1@createDocument=next1"))

    assert "1" == deliver(connect(server, tmp_path), make_auftrag()).proof["documents"]


@pytest.mark.parametrize(
    ("traits", "denied", "kind", "code"),
    [
        (Traits(quota_bytes=3), False, Transient, "target.full"),
        (Traits(), True, Misconfigured, "target.credentials"),
        (Traits(updatability="pwconly"), False, Misconfigured, "target.misconfigured"),
    ],
)
def test_what_the_server_refuses(
    server: CmisServer, dms: Dms, tmp_path: Path, traits: Traits, denied: bool, kind: type[Fault], code: str
) -> None:
    """No room heals by time, a missing right and a way of working that the server does not allow by the operator."""
    dms.traits = traits
    dms.denied = {ROOT} if denied else set()
    connector = connect(server, tmp_path, chunk_mb=1)
    with pytest.raises(kind) as raised:
        deliver(connector, make_auftrag(data=bytes(1_500_000)))

    assert code == raised.value.code
    assert all(one.content is None for one in dms.documents())


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"repository": "andere"}, "repository: none of that id"),
        ({"folder": "/gibt/es/nicht"}, "folder: there is none"),
        ({"key_property": "efa:gibtesnicht"}, "key_property: the type has no such property"),
        ({"key_property": "cmis:versionLabel"}, "key_property: is written by the server only"),
        ({"document": {"type": "efa:anders"}}, "document.type: there is no such type"),
        ({"document": {"type": "efa:dokument", "properties": {"efa:x": "1"}}}, "document.properties.efa:x: the type"),
        ({"csrf_header": "X-Other"}, ""),
        ({"auth": {}}, "HTTP 401"),
    ],
)
def test_probe_names_the_setting_that_does_not_fit(
    server: CmisServer, dms: Dms, tmp_path: Path, more: dict[str, Any], where: str
) -> None:
    """`doctor` tells what is wrong before anything is sent; it changes nothing."""
    connector = connect(server, tmp_path, **more)
    if where:
        with pytest.raises(Misconfigured) as raised:
            connector.probe()

        assert where in raised.value.where
    else:
        connector.probe()
        with pytest.raises(Misconfigured, match="csrf_header"):
            deliver(connector, make_auftrag())
    assert [] == dms.documents() + dms.folders()


def test_a_token_opens_too(server: CmisServer, dms: Dms, tmp_path: Path) -> None:
    """Login by a fixed token from a file."""
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("t0ken\n")

    assert deliver(connect(server, tmp_path, auth={"token_file": "token"}), make_auftrag())


def test_the_host_a_server_names_is_never_called(
    server: CmisServer, dms: Dms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a proxy servers name their inner host; only the path of such an address counts."""
    real = browser.services
    monkeypatch.setattr(browser, "services", lambda dms, base: real(dms, "http://inner.invalid:8080"))

    assert deliver(connect(server, tmp_path), make_auftrag())


def test_a_content_that_is_not_what_it_says_never_becomes_whole(server: CmisServer, dms: Dms, tmp_path: Path) -> None:
    """The last piece is held back until the hash is right: in one request nothing is made, in pieces nothing complete."""

    class Torn(MemoryContent):
        @property
        def sha256(self) -> str:
            return "0" * 64

    torn: Content = Torn(bytes(1_500_000))
    for chunk in (0, 1):
        auftrag = replace(make_auftrag(), package=Dokument(f"{chunk}.zip", "application/zip", torn))
        with pytest.raises(Misconfigured) as raised:
            deliver(connect(server, tmp_path, chunk_mb=chunk), auftrag)

        assert "payload.corrupt" == raised.value.code
    assert [1 << 20] == [one.content.length for one in dms.documents() if one.content is not None]


def cmislib(server: CmisServer, binding: str) -> Any:
    """The repository as cmislib has it; its code and that of its libraries warn of themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cmislib.browser.binding import BrowserBinding
        from cmislib.model import CmisClient
    if binding == "browser":
        return CmisClient(server.browser_url, USER, PASSWORD, binding=BrowserBinding()).getDefaultRepository()
    return CmisClient(server.atom_url, USER, PASSWORD).getDefaultRepository()


def libcmis(server: CmisServer, folder: Path, *words: str) -> str:
    """What cmis-client says; it must not fail."""
    command = ["cmis-client", "--url", server.atom_url, "-r", browser.REPOSITORY_ID, "-u", USER, "-p", PASSWORD, *words]
    environment = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, cwd=folder, env=environment, timeout=60, check=False)
    assert 0 == done.returncode, done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8")
