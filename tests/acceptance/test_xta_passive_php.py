"""PHP's SOAP client, an implementation of somebody else, sends to our server and fetches from it over mutual TLS."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.testing.xta_site import OWN, PORTAL, XTA_SERVICE
from intermediary.wiring import utc_now
from intermediary.xta.wire.report import GREEN
from tests.acceptance.xta_office import Office
from tests.unit.xta.official import official_folder

SCRIPT = Path(__file__).with_name("xta_reader.php")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Office]:
    if shutil.which("php") is None:
        pytest.skip("php-cli and php-soap are missing")
    made = Office(tmp_path_factory.mktemp("php") / "site", pki)
    yield made
    made.close()


def php(office: Office, shared: Path, name: str, verb: str, argument: str = "") -> dict[str, Any]:
    """What the client prints, run as a program of its own with this certificate."""
    tls = office.site.tls
    files = [str(tls / one) for one in ("ca.cert.pem", f"{name}.cert.pem", f"{name}.key.pem")]
    wsdl = str(official_folder(shared) / "XTA.wsdl")
    base = office.site.url("").rstrip("/")
    ran = subprocess.run(
        ["php", str(SCRIPT), wsdl, *files, base, verb, argument],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == ran.returncode, ran.stdout + ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return said


def test_it_sends_fetches_and_closes(office: Office, shared: Path, tmp_path: Path) -> None:
    """What PHP sends lies in the box; what it fetches is byte for byte what ours is handed; closed, it is delivered."""
    payload = tmp_path / "antrag.xml"
    payload.write_bytes(sample_letter(1, now=utc_now()).contents[0])
    sent = php(office, shared, "portal", "send", f"{PORTAL}|{OWN}|{XTA_SERVICE}|{payload}")
    office.fill(1, begin=2)
    reader = office.client("reader")
    ids = reader.status_list().listed.message_ids
    ours = {one: sha256(reader.fetch(one).container.message.content.read()).hexdigest() for one in ids}

    fetched = php(office, shared, "reader", "loop")["fetched"]
    office.work()

    assert 2 == len(ids)
    assert ours == {one["id"]: one["sha256"] for one in fetched}
    assert [] == php(office, shared, "reader", "list")["ids"]
    assert GREEN == office.client("portal").report(sent["id"]).report.status


def test_it_is_turned_away(office: Office, shared: Path) -> None:
    """Wrong and expired certificates get no connection, unlisted ones an exception that it understands."""
    for name in ("foreign", "expired"):
        refused = php(office, shared, name, "check")
        assert ("", "") == (refused["number"], refused["exception"])
        assert refused["fault"] in ("Could not connect to host", "Error Fetching http headers")
    unlisted = php(office, shared, "unlisted", "check")

    assert ("9012", "PermissionDeniedException") == (unlisted["number"], unlisted["exception"])
    assert {"active": True} == php(office, shared, "reader", "check")
