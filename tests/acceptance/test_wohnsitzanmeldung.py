"""A sealed registration of residence on a production route: judged by both schemas, delivered as one XML message."""

from __future__ import annotations

import base64
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
PACKAGES = ("common/xoev.de", "common/www.osci.de/xinneres", "xmeld/25.11a")
GOLDEN = Path(__file__).resolve().parents[2] / "mappings/wohnsitzanmeldung/golden"
ROUTE = """
[[route]]
name = "meldeschein"
mandant = "musterstadt"
stage = "{stage}"
mapping = "wohnsitzanmeldung@1"
[route.when]
root = "{{urn:intermediary:eingang:wohnsitzanmeldung:1}}wohnsitzanmeldung"
[route.settings]
leser_kennung = "ags:05334002"
autor_kennung = "mbp:05000000"
autor_name = "Meldeportal Musterland"
autor_email = "meldeportal@musterland.example"
autor_strasse = "Portalweg"
autor_postleitzahl = "52064"
autor_ort = "Musterstadt"
[[route.target]]
name = "melderegister"
connector = "ordner"
[route.target.settings]
drop = "fachverfahren"
state = ".fachverfahren-state"
"""


@pytest.fixture
def melde(rig: Rig, shared: Path) -> Rig:
    """The rig with the official packages and a production route for registrations."""
    for package in PACKAGES:
        install(shared / "schemas" / package, rig.site.folder / "schemas", product_pins())
    return _with_route(rig, "production")


def test_a_registration_reaches_the_register_as_one_message(melde: Rig) -> None:
    """The confirmation named by the form is found among the sealed attachments, and one XML file is handed over."""
    pdf = sample_pdf("Wohnungsgeberbestätigung")
    found = melde.submit(_letter("07-zip", Attachment("b.pdf", "application/pdf", pdf)), "m-1")

    melde.work()

    assert N.COMPLETED is melde.get(found).state
    (file,) = melde.site.drop.iterdir()
    message = parse(file.read_bytes())
    uuid = message.findtext("nachrichtenkopf.g2g/identifikation.nachricht/nachrichtenUUID")
    assert f"{uuid}_onlinedienste.anmeldung.meldeschein.1704.xml" == file.name
    assert message.get("test") is None
    (bestaetigung,) = message.iter("{http://www.osci.de/xmeld2511a}wohnungsgeberbestaetigung")
    assert pdf == base64.b64decode(bestaetigung.text)
    assert ["accepted"] == [answer["status"] for answer in melde.answers()]


def test_a_refused_registration_names_every_rule(melde: Rig) -> None:
    """A move from abroad ends with a negative Quittung that names field and rule; nothing is delivered."""
    found = melde.submit(_letter("09-zuzug-aus-ausland"), "m-2")

    melde.work()

    assert N.REJECTED is melde.get(found).state
    (answer,) = melde.answers()
    assert "rejected" == answer["status"]
    assert "ZUZUG-AUS-AUSLAND" in str(answer)
    assert [] == list(melde.site.drop.iterdir())


def test_a_test_message_waits_on_a_production_route_and_passes_a_test_route(melde: Rig) -> None:
    """What its sender marks as a test never reaches a production target; on a test route it is delivered with its mark."""
    found = melde.submit(_letter("05-testnachricht"), "m-3")

    melde.work()

    assert "test.message" == melde.get(found).wait_reason
    assert [] == list(melde.site.drop.iterdir())

    _with_route(melde, "test")
    melde.clock.advance(melde.get(found).due_at - melde.clock())
    melde.work()

    assert N.COMPLETED is melde.get(found).state
    (file,) = melde.site.drop.iterdir()
    assert "Abnahmetest Portal" == parse(file.read_bytes()).get("test")


def _with_route(rig: Rig, stage: str) -> Rig:
    (rig.site.folder / "routes.toml").write_text(ROUTE.format(stage=stage), encoding="utf-8")
    rig.configuration = Configuration(rig.installation.settings)
    rig.worker = rig.new_worker()
    return rig


def _letter(case: str, *attachments: Attachment) -> Letter:
    payload = (GOLDEN / case / "input.xml").read_bytes()
    return Letter(message_id=f"1234-{case}", contents=(payload,), attachments=attachments)
