"""The connector `rest` through a real nginx: certificates on both sides, large bodies, and what a proxy says by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.rest.connector import CONNECTOR, Rest
from connectors.rest.settings import RestSettings
from intermediary.connect.settings import build_settings
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.ports import Delivered
from intermediary.core.values import MemoryContent
from intermediary.testing.authority import root
from intermediary.testing.connectors import deliver, make_auftrag, recover
from intermediary.testing.rest_target import RestTarget, Trouble
from tests.acceptance.certificates import END, START, Certificates, make_certificates
from tests.acceptance.front import nginx_before


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("rest-pki"))


@pytest.fixture(scope="module")
def target() -> Iterator[RestTarget]:
    with RestTarget() as made:
        yield made


@pytest.fixture(scope="module")
def url(target: RestTarget, pki: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nginx_before(target.port, tmp_path_factory.mktemp("rest-nginx"), pki) as front:
        yield front


def connect(url: str, pki: Certificates, path: str = "zustellungen", body: str = "multipart", **http: Any) -> Rest:
    """A connector that comes with a certificate; a value None leaves a setting out."""
    files = {"ca_file": str(pki.ca), "client_cert": str(pki.client), "client_key": str(pki.client_key), **http}
    table = {
        "url": url,
        "idempotency": "native",
        "request": [{"path": path, "body": body, "take": {"id": "id", "sha256": "sha256"}}],
        "http": {name: value for name, value in files.items() if value is not None},
    }
    made = CONNECTOR.build(build_settings(RestSettings, table, base=pki.ca.parent, where="settings"), pki.ca.parent)
    assert isinstance(made, Rest)
    return made


@pytest.mark.parametrize("body", ["json", "multipart", "raw"])
def test_with_certificates_on_both_sides(body: str, url: str, pki: Certificates, target: RestTarget) -> None:
    """A package of many pieces arrives byte for byte behind nginx, however it is wrapped."""
    data = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(100_000))
    auftrag = make_auftrag({"json": 1, "multipart": 2, "raw": 3}[body], data=data)
    connector = connect(url, pki, body=body)
    connector.probe()
    verdict = deliver(connector, auftrag)

    assert isinstance(verdict, Delivered)
    assert hashlib.sha256(data).hexdigest() == verdict.proof["sha256"] == target.effects[-1].sha256


def test_who_is_refused_at_the_door(url: str, pki: Certificates, target: RestTarget, tmp_path: Path) -> None:
    """No certificate, a stranger's and an unknown server are the operator's: nothing arrives, and no sender is blamed."""
    before = len(target.effects)
    stranger = root("Fremde CA", start=START, end=END).issue("intermediary", start=START, end=END)
    (tmp_path / "foreign.pem").write_bytes(stranger.certificate.public_bytes(Encoding.PEM))
    key = tmp_path / "foreign.key"
    key.write_bytes(stranger.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"client_cert": None, "client_key": None}, "target.http"),
        ({"client_cert": str(tmp_path / "foreign.pem"), "client_key": str(key)}, "target.http"),
        ({"ca_file": None}, "target.tls"),
    ]
    for files, code in cases:
        with pytest.raises(Misconfigured) as raised:
            deliver(connect(url, pki, **files), make_auftrag(4))
        assert code == raised.value.code, files
    with pytest.raises(Misconfigured) as raised:
        deliver(connect(url.replace("localhost", "127.0.0.2"), pki), make_auftrag(4))

    assert "target.tls" == raised.value.code
    assert before == len(target.effects)


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [
        ("closed", Transient, "target.unreachable"),
        ("moved", Misconfigured, "target.http"),
        ("unknown", Misconfigured, "target.http"),
    ],
)
def test_what_the_proxy_says_by_itself(path: str, kind: type[Fault], code: str, url: str, pki: Certificates) -> None:
    """Closed for now, moved elsewhere, not there: told apart, and nothing is followed."""
    with pytest.raises(kind) as raised:
        deliver(connect(url, pki, path=path), make_auftrag(5))

    assert code == raised.value.code


@pytest.mark.parametrize("trouble", [Trouble.RESET_AFTER, Trouble.RESET_BEFORE, Trouble.ERROR_AFTER])
def test_a_target_that_breaks_off_behind_the_proxy(
    trouble: Trouble, url: str, pki: Certificates, target: RestTarget
) -> None:
    """The proxy says 502 of it, which tells nothing of what was done: unclear, and one effect after the repetition."""
    auftrag = replace(make_auftrag(10 + list(Trouble).index(trouble)))
    target.troubles.append(trouble)
    connector = connect(url, pki)
    with pytest.raises(Unclear) as raised:
        deliver(connector, auftrag)
    recover(connector, auftrag)

    assert "target.no-answer" == raised.value.code
    assert 1 == sum(one.key == auftrag.key for one in target.effects)


def test_renewed_certificates_are_read_by_themselves(
    url: str, pki: Certificates, target: RestTarget, tmp_path: Path
) -> None:
    """A connector that lives for months takes the new file under the old name."""
    certificate = tmp_path / "ours.pem"
    certificate.write_text("expired and removed")
    connector = connect(url, pki, client_cert=str(certificate))
    with pytest.raises(Misconfigured):
        connector.probe()
    certificate.write_bytes(pki.client.read_bytes())
    auftrag = make_auftrag(6)
    deliver(connector, replace(auftrag, package=replace(auftrag.package, content=MemoryContent(b"neu"))))

    assert hashlib.sha256(b"neu").hexdigest() == target.effects[-1].sha256
