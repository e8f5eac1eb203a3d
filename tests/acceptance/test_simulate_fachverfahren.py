"""The simulated Fachverfahren: our connectors deliver to its faces, its inbox and its page tell what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx2
import pytest

from intermediary.connect.settings import open_connector
from intermediary.core.faults import Rejected, Unclear
from intermediary.core.ports import Connector, Delivered
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument, MemoryContent, Zustellauftrag
from intermediary.testing.connectors import NOW, make_auftrag
from intermediary.testing.simulate.fachverfahren.office import CMIS_KEY, Choice, Fachverfahren

CANARY = b"CANARY-Erika-Musterfrau"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fachverfahren]:
    """One Fachverfahren for all tests; each has keys of its own."""
    folder = tmp_path_factory.mktemp("fachverfahren")
    with Fachverfahren(Choice(folder, with_sftp=False, with_xta=False)) as running:
        yield running


def connect(office: Fachverfahren, name: str) -> Connector:
    """Our own connector at one of its faces, with the settings of the howto."""
    reply = {"state": "status", "delivered": ["ANGENOMMEN"]}
    tables: dict[str, dict[str, Any]] = {
        "rest": {"url": f"{office.url}/rest/", "idempotency": "native"},
        "cmis": {
            "url": office.cmis.browser_url,
            "folder": "/",
            "key_property": CMIS_KEY,
            "document": {"type": "efa:dokument"},
        },
        "soap": {
            "url": f"{office.url}/soap",
            "wsdl": str(office.wsdl),
            "operation": "einreichen",
            "arguments": {
                "schluessel": "key",
                "mandant": "mandant",
                "datei[].name": "document.name",
                "datei[].inhalt": "document.mtom",
            },
            "reply": {**reply, "reference": "vorgang"},
            "lookup": {
                "operation": "abfragen",
                "arguments": {"schluessel": "key"},
                "reply": {**reply, "unknown": ["UNBEKANNT"]},
            },
        },
    }
    (point,) = entry_points(group="intermediary.connectors", name=name)
    return open_connector(point.load(), tables[name], base=Path("/"), where="target")


def auftrag(number: int) -> Zustellauftrag:
    document = Dokument("plan.pdf", "application/pdf", MemoryContent(CANARY + b"%d" % number))
    return replace(make_auftrag(number), nachricht=MemoryContent(b"<n/>"), dokumente=(document,))


def deliver(office: Fachverfahren, name: str, what: Zustellauftrag) -> Delivered:
    connector = connect(office, name)
    verdict = connector.deliver(what, Checkpoints(connector.manifest.steps), NOW)
    assert isinstance(verdict, Delivered)
    return verdict


def arrived(office: Fachverfahren, key: str) -> list[tuple[str, str]]:
    """Note and knobs of everything under a key."""
    office.look()
    return [(one.note, " ".join(one.trouble)) for one in office.inbox.arrivals() if one.key.split("/")[0] == key]


@pytest.mark.parametrize(("name", "number"), [("rest", 1), ("soap", 2), ("cmis", 3)])
def test_a_connector_delivers_once(office: Fachverfahren, name: str, number: int) -> None:
    """What a connector delivers is there once with its hash; a repetition has no second effect."""
    what = auftrag(number)
    deliver(office, name, what)
    deliver(office, name, replace(what, attempt=2))
    office.look()
    hashes = [piece.sha256 for one in office.inbox.arrivals() if one.key.startswith(what.key) for piece in one.pieces]

    assert ["neu", "wiederholt"][: len(arrived(office, what.key))] == [note for note, _ in arrived(office, what.key)]
    assert (what.package if name != "soap" else what.dokumente[0]).content.sha256 in hashes


@pytest.mark.parametrize(("name", "number"), [("rest", 11), ("soap", 12)])
def test_a_lost_answer_is_told_and_the_repetition_marked(office: Fachverfahren, name: str, number: int) -> None:
    """A knob by URL loses one answer; the page's facts say which, and that nothing happened twice."""
    what = auftrag(number)
    httpx2.post(f"{office.url}/simulator/knob", json={"knob": f"reset-after@{name}=next1"}).raise_for_status()
    with pytest.raises(Unclear):
        deliver(office, name, what)
    deliver(office, name, replace(what, attempt=2))

    assert [("neu", "reset-after"), ("wiederholt", "")] == arrived(office, what.key)


def test_a_refusal_has_no_effect(office: Fachverfahren) -> None:
    """A refused key is as if it had never come."""
    what = auftrag(21)
    httpx2.post(f"{office.url}/simulator/knob", json={"knob": "reject@rest=next1"}).raise_for_status()
    with pytest.raises(Rejected):
        deliver(office, "rest", what)
    deliver(office, "rest", what)

    assert ["abgelehnt", "neu"] == [note for note, _ in arrived(office, what.key)]


def test_state_is_for_scripts(office: Fachverfahren) -> None:
    """Figures and arrivals as JSON, without a byte of any content."""
    deliver(office, "rest", auftrag(31))
    answer = httpx2.get(f"{office.url}/simulator/state")
    state = answer.json()

    assert state["arrivals"] == len(state["list"]) == sum(state["notes"].values())
    assert auftrag(31).key in {one["key"] for one in state["list"]}
    assert CANARY not in answer.content


def test_the_page_shows_what_arrived_and_no_content(office: Fachverfahren) -> None:
    """Key, hash, note and answer stand on the page; no script, no content, nothing loaded from elsewhere."""
    what = auftrag(41)
    deliver(office, "rest", what)
    httpx2.post(f"{office.url}/rest/x", content=b"anders", headers={"Idempotency-Key": what.key})
    answer = httpx2.get(f"{office.url}/?tor=rest")
    text = answer.text

    assert {what.key, what.package.content.sha256, "ABWEICHEND", "Auffällig"} <= set(re.findall(r"[\w-]+", text))
    assert CANARY not in answer.content
    assert not re.findall(r"<script|(?:src|href)=.?(?:https?:)?//", text)
    assert '<html lang="de">' in text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_page_turns_knobs(office: Fachverfahren) -> None:
    """The forms of the page do what the commands do."""
    form = {"name": "delay", "kind": "rest", "argument": "1", "count": "7"}
    httpx2.post(f"{office.url}/stoerung", data=form)
    turned = [one.words() for one in office.mischief.turned()]
    httpx2.post(f"{office.url}/ruhe")

    assert ["delay:1@rest=next7"] == turned
    assert () == office.mischief.turned()


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("path", ["/", "/simulator/state", "/inhalt/0"])
def test_other_pages_learn_nothing(office: Fachverfahren, path: str, headers: dict[str, str]) -> None:
    """Neither a rebound name nor a foreign page in the operator's browser reads or turns anything."""
    assert 404 == httpx2.get(office.url + path, headers=headers).status_code


def test_contents_are_kept_only_if_asked_for(tmp_path: Path) -> None:
    """Without the option nothing readable rests; with it a content is given after a question, and found again later."""
    for keeps in (False, True):
        choice = Choice(tmp_path / str(keeps), keeps=keeps, with_sftp=False, with_xta=False)
        with Fachverfahren(choice) as office:
            deliver(office, "rest", auftrag(51))
        with Fachverfahren(choice) as office:
            sha256 = auftrag(51).dokumente[0].content.sha256
            asked = httpx2.get(f"{office.url}/inhalt/{sha256}")
            given = httpx2.post(f"{office.url}/inhalt/{sha256}")
            readable = [path for path in choice.folder.rglob("*") if path.is_file() and CANARY in path.read_bytes()]

            assert (200 if keeps else 404) == asked.status_code == given.status_code
            assert CANARY not in asked.content
            assert keeps is (CANARY in given.content) is bool(readable)
            assert ["neu"] == [note for note, _ in arrived(office, auftrag(51).key)]
