"""A sealed application of a service that is only configuration: judged, filed with its document, and pinned to its form."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.core.states import NachrichtState
from intermediary.operations.check import lint
from intermediary.osci.write.letter import Attachment, Letter
from intermediary.testing.documents import sample_pdf
from intermediary.validate.install import install
from intermediary.validate.lock import product_pins
from intermediary.wiring import Configuration
from intermediary.xml.parser import parse
from tests.acceptance.rig import Rig

N = NachrichtState
PROJECT = Path(__file__).resolve().parents[2]
DIENST = PROJECT / "config/dienste/hundeanmeldung"
PAYLOAD = (PROJECT / "mappings/fim_eakte/golden/01-hundeanmeldung/input.xml").read_bytes()
SCHEIN = Attachment("Versicherung.pdf", "application/pdf", sample_pdf("Versicherung"))
XDOMEA = "{urn:xoev-de:xdomea:schema:3.1.0}"
TARGET = """
[[route.target]]
name = "eakte"
connector = "ordner"
[route.target.settings]
drop = "fachverfahren"
state = ".fachverfahren-state"
"""


@pytest.fixture
def hunde(rig: Rig, shared: Path) -> Rig:
    """The rig with xdomea and the example route on production, delivered into the rig's folder; its form lies beside it."""
    install(shared / "schemas/xdomea/3.1.0", rig.site.folder / "schemas", product_pins())
    shutil.copytree(DIENST, rig.site.folder / "hund")
    route = (DIENST / "route.toml").read_text(encoding="utf-8").partition("[[route.target]]")[0]
    for name in ("formular.xml", "listen"):
        route = route.replace(f'= "{name}"', f'= "hund/{name}"')
    (rig.site.folder / "routes.toml").write_text(route + TARGET, encoding="utf-8")
    rig.configuration = Configuration(rig.installation.settings)
    rig.worker = rig.new_worker()
    return rig


def test_the_application_is_filed_with_its_document(hunde: Rig) -> None:
    """One package: an officially valid message, a readable document, the form data byte by byte, the attachment."""
    found = hunde.submit(Letter(message_id="h-1", contents=(PAYLOAD,), attachments=(SCHEIN,)), "h-1")

    hunde.work()

    assert N.COMPLETED is hunde.get(found).state
    (file,) = hunde.site.drop.iterdir()
    archive = zipfile.ZipFile(io.BytesIO(file.read_bytes()))
    message, page, data, attachment = (archive.read(name) for name in archive.namelist())
    betreff = next(parse(message).iter(f"{XDOMEA}Betreff")).text

    assert "Hundesteuer – Anmeldung – Waldi, Bella" == betreff
    assert "Dackel (Teckel)" in page.decode()
    assert PAYLOAD == data
    assert SCHEIN.data == attachment
    assert ["accepted"] == [answer["status"] for answer in hunde.answers()]


def test_a_changed_form_is_a_new_configuration(hunde: Rig) -> None:
    """A better name in the form reaches the next document by itself; an unreadable one changes nothing."""
    form = hunde.site.folder / "hund/formular.xml"
    good = form.read_text(encoding="utf-8")
    form.write_text(good.replace(">Rufname<", ">Name des Hundes<"), encoding="utf-8")

    assert b"Name des Hundes" in _files(hunde)["formular"]
    assert 1 == hunde.configuration.generation

    form.unlink()
    kept = _files(hunde)

    assert b"Name des Hundes" in kept["formular"]


def test_the_form_is_pinned_with_the_nachricht(hunde: Rig) -> None:
    """The hash of every file the mapping was given stands among the pins: what was seen can be proved."""
    found = hunde.submit(Letter(message_id="h-2", contents=(PAYLOAD,)), "h-2")
    hunde.work()
    pins = hunde.get(found).pins

    assert {"file formular", "file codelisten/hunderasse_2026-01.xml"} <= set(pins)


def test_lint_tells_what_a_nachricht_would_wait_for(hunde: Rig) -> None:
    """A field that the form does not have, and a file that is not there, with their place in the routes file."""
    routes = hunde.site.folder / "routes.toml"
    text = routes.read_text(encoding="utf-8")
    routes.write_text(text.replace("Rufname=F99000000101", "Rufname=F99000000999"), encoding="utf-8")
    found = [str(one) for one in lint(hunde.site.config)]
    assert any("route[hundeanmeldung].settings.suchbegriffe" in one and "F99000000999" in one for one in found)

    routes.write_text(text.replace("hund/formular.xml", "hund/fehlt.xml"), encoding="utf-8")
    found = [str(one) for one in lint(hunde.site.config)]
    assert any("route[hundeanmeldung].files.formular" in one for one in found)
    with pytest.raises(Misconfigured, match=r"files\.formular"):
        Configuration(hunde.installation.settings)


def _files(rig: Rig) -> Mapping[str, bytes]:
    bank = rig.configuration.bank()
    (route,) = bank.table.routes
    return bank.files.of(route)
