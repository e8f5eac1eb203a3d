"""A sealed building application on a production route: judged by both schemas, delivered with its Bauvorlagen."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from intermediary.core.states import NachrichtState
from intermediary.osci.write.letter import Attachment, Letter
from intermediary.testing.documents import sample_pdf
from intermediary.validate.install import install
from intermediary.validate.lock import product_pins
from intermediary.wiring import Configuration
from intermediary.xml.parser import parse
from tests.acceptance.rig import Rig

N = NachrichtState
PACKAGES = ("common/xoev.de", "common/www.w3.org", "common/www.osci.de/xinneres", "xplanung/5.1", "xbau/2.1")
GOLDEN = Path(__file__).resolve().parents[2] / "mappings/bauantrag/golden"
XBAU = "{http://www.xleitstelle.de/xbau/schema/2/1/}"
ROUTE = """
[[route]]
name = "bauantrag"
mandant = "musterstadt"
stage = "production"
mapping = "bauantrag@1"
[route.when]
root = "{urn:intermediary:eingang:bauantrag:1}bauantrag"
[route.settings]
SETTINGS
[[route.target]]
name = "bauaufsicht"
connector = "ordner"
[route.target.settings]
drop = "fachverfahren"
state = ".fachverfahren-state"
"""
SETTINGS = """
behoerdenkennung = "bab:05315000"
behoerdenname = "Stadt Musterstadt, Bauaufsichtsamt"
schluesselversion = "2026-01-01"
"""
LAGEPLAN = Attachment("Lageplan.pdf", "application/pdf", sample_pdf("Lageplan"))
GRUNDRISS = Attachment("Grundriss EG.pdf", "application/pdf", sample_pdf("Grundriss"))


@pytest.fixture
def bau(rig: Rig, shared: Path) -> Rig:
    """The rig with the official packages and a production route for building applications."""
    for package in PACKAGES:
        install(shared / "schemas" / package, rig.site.folder / "schemas", product_pins())
    return _with_route(rig, SETTINGS)


def test_an_application_arrives_with_its_bauvorlagen(bau: Rig) -> None:
    """One ZIP is handed over: the message names each sealed attachment by the file that holds its bytes."""
    payload = (GOLDEN / "01-einfamilienhaus/input.xml").read_bytes()
    found = bau.submit(Letter(message_id="b-1", contents=(payload,), attachments=(LAGEPLAN, GRUNDRISS)), "b-1")

    bau.work()

    assert N.COMPLETED is bau.get(found).state
    (file,) = bau.site.drop.iterdir()
    archive = zipfile.ZipFile(io.BytesIO(file.read_bytes()))
    message = parse(archive.read(f"{file.stem}.xml"))
    uuid = message.findtext("nachrichtenkopf.privat2G/identifikation.nachricht/nachrichtenUUID")
    assert f"{uuid}_baugenehmigung.antrag.0200.zip" == file.name
    names = [str(one.text) for one in message.iter(f"{XBAU}dateinameAnhang")]
    assert [LAGEPLAN.data, GRUNDRISS.data] == [archive.read(name) for name in names]
    assert payload in {archive.read(name) for name in archive.namelist()}
    assert ["accepted"] == [answer["status"] for answer in bau.answers()]


def test_a_missing_bauvorlage_is_the_senders_to_send(bau: Rig) -> None:
    """A named file that was not sent ends with a negative Quittung naming field and rule; nothing is delivered."""
    payload = (GOLDEN / "01-einfamilienhaus/input.xml").read_bytes()
    found = bau.submit(Letter(message_id="b-2", contents=(payload,), attachments=(LAGEPLAN,)), "b-2")

    bau.work()

    assert N.REJECTED is bau.get(found).state
    (answer,) = bau.answers()
    assert "rejected" == answer["status"]
    assert "UNTERLAGE-FEHLT" in str(answer)
    assert [] == list(bau.site.drop.iterdir())


def test_a_missing_setting_waits_and_heals(bau: Rig) -> None:
    """Without the key of the authority the Nachricht waits; once the route names it, it runs on by itself."""
    _with_route(bau, SETTINGS.replace("behoerdenkennung", "# behoerdenkennung"))
    payload = (GOLDEN / "01-einfamilienhaus/input.xml").read_bytes()
    found = bau.submit(Letter(message_id="b-3", contents=(payload,), attachments=(LAGEPLAN, GRUNDRISS)), "b-3")

    bau.work()

    assert "mapping.setting.invalid" == bau.get(found).wait_reason
    assert [] == list(bau.site.drop.iterdir())

    _with_route(bau, SETTINGS)
    bau.clock.advance(bau.get(found).due_at - bau.clock())
    bau.work()

    assert N.COMPLETED is bau.get(found).state


def _with_route(rig: Rig, settings: str) -> Rig:
    (rig.site.folder / "routes.toml").write_text(ROUTE.replace("SETTINGS", settings), encoding="utf-8")
    rig.configuration = Configuration(rig.installation.settings)
    rig.worker = rig.new_worker()
    return rig
