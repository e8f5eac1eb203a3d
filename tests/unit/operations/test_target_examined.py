"""What `lint` says of the files that targets name: certificates, keys and descriptions that cannot be used."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from intermediary.operations.target_files import lint_target_files
from intermediary.route.plugins import Connectors
from intermediary.settings.finding import Finding, Severity
from intermediary.testing.simulate.fachverfahren.soap import WSDL
from tests.acceptance.certificates import Certificates, make_certificates

REST = {"url": "https://fv.example/", "idempotency": "native"}
SOAP = {"url": "https://fv.example/", "wsdl": "fv.wsdl", "operation": "einreichen", "arguments": {"schluessel": "key"}}
SFTP = {"host": "fv.example", "user": "u", "drop": "/d", "staging": "/s", "host_key": ["SHA256:" + "A" * 43]}
EAKTE = {"transport": "rest", "state": "s", "answers": {"folder": "f", "archive": "a", "unmatched": "u"}}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a routes file, with what targets may name."""
    (tmp_path / "fv.wsdl").write_text(WSDL)
    (tmp_path / "no.wsdl").write_text("<definitions")
    (tmp_path / "garbage").write_text("-----BEGIN NOTHING-----")
    (tmp_path / "garbage").chmod(0o600)
    (tmp_path / "url").write_text("amqps://u:geheim@fv.example/")
    (tmp_path / "url").chmod(0o600)
    return tmp_path


def found(folder: Path, connector: str, table: dict[str, Any]) -> list[Finding]:
    settings: Any = SimpleNamespace(installation=SimpleNamespace(routes=folder / "routes.toml"), mandant=[])
    target = SimpleNamespace(name="t", connector=connector, settings=table)
    routes: Any = SimpleNamespace(routes=[SimpleNamespace(name="r", targets=[target])])
    return list(lint_target_files(settings, routes, Connectors()))


@pytest.mark.parametrize(
    ("connector", "table", "place"),
    [
        ("rest", {**REST, "http": {"ca_file": "missing.pem"}}, "rest: ca_file"),
        ("rest", {**REST, "http": {"ca_file": "garbage"}}, "rest: ca_file"),
        ("rest", {**REST, "http": {"client_cert": "CERT", "client_key": "garbage"}}, "rest: client_cert, client_key"),
        ("cmis", {"url": "https://fv.example/", "http": {"ca_file": "garbage"}, "folder": "/", "key_property": "x:k",
                  "document": {"type": "x:d"}}, "url: ca_file"),
        ("soap", {**SOAP, "wsdl": "missing.wsdl"}, "missing.wsdl"),
        ("soap", {**SOAP, "wsdl": "no.wsdl"}, "no.wsdl"),
        ("soap", {**SOAP, "operation": "verwerfen"}, "operation: verwerfen"),
        ("soap", {**SOAP, "arguments": {"schluessel": "key", "akte": "mandant"}}, "arguments of einreichen"),
        ("amqp", {"url_file": "garbage", "routing_key": "q"}, "url_file"),
        ("amqp", {"url_file": "url", "routing_key": "q", "tls": {"ca_file": "garbage"}}, "tls.ca_file"),
        ("sftp", {**SFTP, "key_file": "garbage"}, "key_file"),
        ("eakte_xdomea", {**EAKTE, "rest": {**REST, "http": {"ca_file": "garbage"}}}, "rest: ca_file"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_found(
    connector: str, table: dict[str, Any], place: str, folder: Path, pki: Certificates
) -> None:
    """Offline, with the setting or file in the text; the daemon starts all the same, and `lint` does not end with 0."""
    if isinstance(table.get("http"), dict) and "client_cert" in table["http"]:
        table = {**table, "http": {**table["http"], "client_cert": str(pki.client)}}
    [finding] = found(folder, connector, table)

    assert "route[r].target[t].settings" == finding.path
    assert place in finding.what
    assert "geheim" not in finding.what + finding.hint
    assert finding.hint
    assert (Severity.TARGET, True, False) == (finding.severity, finding.is_error, finding.is_blocking)


def test_what_can_be_used_is_no_finding(folder: Path, pki: Certificates) -> None:
    """Certificates of both sides, a WSDL with its operations, an address of a broker."""
    tls = {"ca_file": str(pki.ca), "client_cert": str(pki.client), "client_key": str(pki.client_key)}
    arguments = {"schluessel": "key", "datei.name": "package.name", "datei.inhalt": "package.mtom"}

    assert [] == found(folder, "rest", {**REST, "http": tls})
    assert [] == found(folder, "soap", {**SOAP, "http": tls, "arguments": arguments})
    assert [] == found(folder, "amqp", {"url_file": "url", "routing_key": "q", "tls": tls})


def test_a_secret_is_told_once(folder: Path) -> None:
    """One that is missing is a finding of its own, and nothing is said of it again."""
    [finding] = found(folder, "sftp", {**SFTP, "key_file": "missing"})

    assert finding.severity is Severity.MISSING_SECRET
