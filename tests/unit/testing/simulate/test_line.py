"""The simulator over HTTP: answers, cut connections, TLS, the admin path, and the folder it lives in."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from intermediary.core.values import MemoryContent
from intermediary.keys.partners import Partners
from intermediary.keys.ring import Keyring
from intermediary.osci.write import Fetch
from intermediary.testing.pki import Pki
from intermediary.testing.simulate.osci.desk import World
from intermediary.testing.simulate.osci.simulator import Simulator
from intermediary.testing.simulate.osci.site import KENNUNG, make_site
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.policy import profile
from tests.unit.testing.simulate.client import SmallClient
from tests.unit.testing.simulate.conftest import Rig


@pytest.fixture
def simulator(tmp_path: Path, rig: Rig) -> Iterator[Simulator]:
    """A simulator on a port of its own."""
    world = World(clock=lambda: rig.now, random=rig.random, post=rig.post)
    site = make_site(tmp_path / "simulator", now=rig.now, pki=rig.pki)
    with Simulator(site, world=world) as running:
        yield running


def _client(simulator: Simulator, rig: Rig) -> SmallClient:
    def send(body: bytes) -> bytes:
        answer = httpx2.post(simulator.url, content=body, headers={"content-type": "text/xml"})
        assert 200 == answer.status_code
        return answer.content

    return SmallClient(rig.pki, send, rig.random, rig.now)


def _admin(simulator: Simulator, command: str, **arguments: Any) -> Any:
    return httpx2.post(f"{simulator.url.removesuffix('/osci')}/simulator/{command}", json=arguments).json()


def test_a_dialog_over_http(simulator: Simulator, rig: Rig) -> None:
    """Fill the box by the admin path, fetch, exit: nothing is left."""
    assert {"stored": 2} == _admin(simulator, "fill", count=2)
    client = _client(simulator, rig)
    client.init()

    assert ("0801", "3800") == client.fetch().order.feedback
    assert ("0801",) == client.fetch().order.feedback
    client.exit()
    state = _admin(simulator, "state")
    assert (0, 2, 2, 0) == (state["waiting"], state["cards"], state["received"], state["dialogs"])


def test_faults_are_http_200(simulator: Simulator) -> None:
    """Whatever comes in, the answer is an OSCI message with status 200 (digest §3)."""
    answer = httpx2.post(simulator.url, content=b"no message")

    assert 200 == answer.status_code
    assert b"<osci:Code>9100</osci:Code>" in answer.content


@pytest.mark.parametrize("knob", ["drop-before", "drop-after"])
def test_a_dropped_connection_ends_without_an_answer(simulator: Simulator, rig: Rig, knob: str) -> None:
    """The client sees the connection close and not a single byte; the next request is answered."""
    _admin(simulator, "fill", count=1)
    client = _client(simulator, rig)
    client.init()
    _admin(simulator, "knob", knob=f"{knob}@FetchDelivery=next1")
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending"):
        client.fetch()

    assert ("0801",) == client.init().order.feedback


def test_a_truncated_answer_ends_in_the_middle(simulator: Simulator, rig: Rig) -> None:
    """Half of the announced length comes."""
    client = _client(simulator, rig)
    _admin(simulator, "knob", knob="truncate=next1")
    with pytest.raises(httpx2.RemoteProtocolError, match="complete message body"):
        client.init()
    _admin(simulator, "calm")

    assert ("0801",) == client.init().order.feedback


def test_admin_mistakes_are_told(simulator: Simulator) -> None:
    """An unknown command or knob is a 400 with what is allowed."""
    base = simulator.url.removesuffix("/osci")

    assert 400 == httpx2.post(f"{base}/simulator/nonsense").status_code
    assert "knob is" in _admin(simulator, "knob", knob="nonsense")["error"]
    assert {"forgotten": 0} == _admin(simulator, "forget-dialogs")


def test_https_with_its_own_certificate(tmp_path: Path, rig: Rig) -> None:
    """A client that trusts the folder's certificate gets through; one that does not, does not."""
    site = make_site(tmp_path / "tls", now=rig.now, pki=rig.pki)
    trusting = ssl.create_default_context(cafile=str(site.tls[0]))
    with Simulator(site, with_tls=True) as simulator:
        assert simulator.url.startswith("https://127.0.0.1:")
        assert 200 == httpx2.post(simulator.url, content=b"x", verify=trusting).status_code
        with pytest.raises(httpx2.ConnectError):
            httpx2.post(simulator.url, content=b"x")


def test_the_folder_has_what_a_client_needs(simulator: Simulator, pki: Pki) -> None:
    """The partner directory names address and certificates, the keyring opens and signs for the box."""
    partner = Partners.load(simulator.site.partners).named(KENNUNG)
    keyring = Keyring.load(simulator.site.keyring)
    signer = keyring.signature_key()

    assert simulator.url == partner.endpoint
    assert (pki.members["intermediary-cipher"].certificate,) == partner.cipher
    assert (pki.members["intermediary-signature"].certificate,) == partner.signature
    assert pki.members["recipient-cipher"].certificate in keyring.certificates()
    assert signer is not None
    assert pki.members["recipient-signature"].certificate == signer.certificate


def test_a_folder_is_found_again(tmp_path: Path, rig: Rig) -> None:
    """The second start has the same keys and the same box; a folder of something else is refused."""
    first = make_site(tmp_path / "again", now=rig.now, pki=rig.pki)
    with Simulator(first) as simulator:
        ids = simulator.fill(1)
    with Simulator(make_site(tmp_path / "again", now=rig.now)) as simulator:
        assert [*ids] == [*simulator.desk.books.deliveries]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(ValueError, match="not empty"):
        make_site(tmp_path / "other", now=rig.now)


def test_an_answer_cannot_be_had_by_get(simulator: Simulator) -> None:
    """OSCI is POST only."""
    assert 405 == httpx2.get(simulator.url).status_code


def test_the_box_is_found_by_the_daemons_keyring(simulator: Simulator, rig: Rig) -> None:
    """What was filled in can be opened with the keyring that the folder offers."""
    _admin(simulator, "fill", count=1)
    client = _client(simulator, rig)
    client.init()
    client.ask("FetchDelivery", Fetch())
    keyring = Keyring.load(simulator.site.keyring)
    message = open_message(MemoryContent(client.raw), keyring=keyring, policy=profile(keyring.policy), at=rig.now)

    assert {"transport": True, "content": True} == {fact.layer: fact.valid for fact in message.opened.signatures}


def test_a_start_touches_no_file_that_stays_the_same(tmp_path: Path, rig: Rig) -> None:
    """A daemon that watches the partner directory is not disturbed by a restart on the same port."""
    site = make_site(tmp_path / "still", now=rig.now, pki=rig.pki)
    site.tell("http://127.0.0.1:1/osci")
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in (site.partners, site.keyring)]
    site.tell("http://127.0.0.1:1/osci")

    assert before == [(path.stat().st_ino, path.stat().st_mtime_ns) for path in (site.partners, site.keyring)]
    site.tell("http://127.0.0.1:2/osci")
    assert "127.0.0.1:2" in site.partners.read_text(encoding="utf-8")
