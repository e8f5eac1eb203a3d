"""A target that tells its verdict by itself: through the real door over HTTP, with the store and a worker behind it."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client, Response

from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.ingress.callbacks.door import CallbackDoor
from intermediary.operations.check import lint
from intermediary.operations.doors import doors
from intermediary.operations.prove import compare_rows
from intermediary.settings.load import load
from intermediary.store.owners import own_name
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, route_toml
from intermediary.testing.rest_target import RestTarget
from intermediary.testing.samples import SERVICE, sample_letter
from intermediary.testing.servers import free_ports
from intermediary.testing.simulate.fachverfahren.office import Choice, Fachverfahren
from intermediary.wiring import open_doors
from tests.acceptance.rig import Rig

N, Z = NachrichtState, ZustellungState
PATH = f"/callbacks/{MANDANT}/bewohnerparken/fachverfahren"
ACCEPTED, REFUSED = {"state": "angenommen"}, {"state": "abgelehnt", "grund": "E4711"}

TARGET = """\
[[route.target]]
name = "{name}"
connector = "rest"
[route.target.settings]
url = "{url}"
idempotency = "native"
[[route.target.settings.request]]
path = "zustellungen"
headers = {{ X-Callback = "https://wir.example{path}/{{key}}" }}
take = {{ id = "id" }}
[route.target.settings.verdict]
state = "state"
accepted = ["angenommen"]
refused = ["abgelehnt"]
reason = "grund"
callback = {callback}
"""
TOKEN, SIGNED = '{ token_file = "callback.token" }', '{ signature = { secret_file = "callback.secret" }, key = "key" }'


@dataclass
class Town:
    """An installation that has sent to a target which decides later, and its door for callbacks."""

    rig: Rig
    target: RestTarget
    client: Client

    def send(self, seed: int = 1) -> tuple[str, str]:
        """The ids of a Nachricht whose target has it, and of its Zustellung."""
        nachricht_id = self.rig.submit(sample_letter(seed, now=self.rig.clock()), f"m-{seed}")
        self.rig.work()
        return nachricht_id, self.target.headers[-1]["idempotency-key"]

    def call(self, key: str, said: object, *, path: str = PATH, token: str = "t0k3n") -> Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.post(f"{path}/{key}" if key else path, content=json.dumps(said), headers=headers)

    def sign(self, said: object, *, late: timedelta = timedelta(), secret: str = "geheim") -> Response:
        body = json.dumps(said).encode()
        stamp = str(int((self.rig.clock() - late).timestamp()))
        digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return self.client.post(PATH, content=body, headers={"X-Timestamp": stamp, "X-Signature": f"sha256={digest}"})

    def state(self, nachricht_id: str) -> tuple[NachrichtState, ZustellungState]:
        (zustellung,) = self.rig.store.zustellungen(nachricht_id)
        return self.rig.get(nachricht_id).state, zustellung.state


@pytest.fixture
def town(rig: Rig, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    folder = rig.site.folder
    for name, text in (("callback.token", "t0k3n\n"), ("callback.secret", "geheim\n")):
        (folder / name).touch(0o600)
        (folder / name).write_text(text)
    with RestTarget() as target:
        original = target.take
        monkeypatch.setattr(target, "take", lambda *said: (202, original(*said)[1]))
        head = route_toml("bewohnerparken", SERVICE, golden_settings()).partition("[[route.target]]")[0]
        known = {"name": "fachverfahren", "url": target.url, "path": PATH, "callback": getattr(request, "param", TOKEN)}
        (folder / "routes.toml").write_text(head + TARGET.format_map(known), encoding="utf-8")
        listen = f'\n[callbacks]\nlisten = "127.0.0.1:{free_ports(1)[0]}"\n'
        rig.site.config.write_text(rig.site.config.read_text("utf-8") + listen, "utf-8")
        installation = replace(rig.installation, settings=load(rig.site.config))
        (door,) = [one for one in open_doors(installation, now=rig.clock) if isinstance(one, CallbackDoor)]
        thread = threading.Thread(target=door.run)
        thread.start()
        pause = threading.Event()
        while door.port is None and thread.is_alive():
            pause.wait(0.01)
        with Client(base_url=f"http://127.0.0.1:{door.port}") as client:
            yield Town(rig, target, client)
        door.stop()
        thread.join(20)


def test_an_acceptance_ends_the_nachricht_at_once(town: Town) -> None:
    """No polling: the sender is told in the moment after the callback, with the target's word as proof."""
    nachricht_id, key = town.send()
    assert (N.PLANNED, Z.AWAITING) == town.state(nachricht_id)
    assert town.target.headers[-1]["x-callback"] == f"https://wir.example{PATH}/{key}"
    asked = len(town.target.headers)
    first = town.call(key, ACCEPTED)
    town.rig.work()
    again = town.call(key, ACCEPTED)

    assert [(200, {"status": "taken"}), (200, {"status": "known"})] == [
        (a.status_code, a.json()) for a in (first, again)
    ]
    assert (N.COMPLETED, Z.DELIVERED) == town.state(nachricht_id)
    assert {"state": "angenommen", "told": "callback", "id": "F-1"}.items() <= _proof(town, nachricht_id).items()
    assert asked == len(town.target.headers)
    events = [entry.event.name for entry in town.rig.store.evidence(nachricht_id).entries]
    assert 1 == events.count("delivery.delivered")


@pytest.mark.parametrize("town", [SIGNED], indirect=True)
def test_a_signed_refusal_is_told_to_the_sender(town: Town) -> None:
    """With its code; a body that was changed, an old signature and another secret are no target of ours."""
    nachricht_id, key = town.send()
    said = {"key": key, **REFUSED}
    strangers = [town.sign(said, secret="anders"), town.sign(said, late=timedelta(minutes=6)), town.call("", said)]
    assert [401] * 3 == [one.status_code for one in strangers]
    assert (N.PLANNED, Z.AWAITING) == town.state(nachricht_id)
    taken = town.sign(said)
    town.rig.work()

    assert (200, {"status": "taken"}) == (taken.status_code, taken.json())
    assert (N.REJECTED, Z.REFUSED) == town.state(nachricht_id)
    assert "E4711" == _proof(town, nachricht_id)["reason"]
    assert ["target.refused"] == [one["code"] for one in town.rig.answers()]


def test_a_verdict_is_never_changed(town: Town) -> None:
    """Who contradicts himself is told so, and nothing moves."""
    nachricht_id, key = town.send()
    town.call(key, ACCEPTED)
    other = town.call(key, REFUSED)
    town.rig.work()

    assert (409, {"error": "conflict"}) == (other.status_code, other.json())
    assert (N.COMPLETED, Z.DELIVERED) == town.state(nachricht_id)


def test_who_is_not_the_target_learns_nothing(town: Town) -> None:
    """A wrong token, a route and a target that do not exist: one answer for all, and nothing moves."""
    nachricht_id, key = town.send()
    answers = [
        town.call(key, ACCEPTED, token="falsch"),
        town.client.post(f"{PATH}/{key}", content=json.dumps(ACCEPTED)),
        town.call(key, ACCEPTED, token="t0k3n", path=PATH.replace("bewohnerparken", "gibt-es-nicht")),
        town.call(key, ACCEPTED, path=f"/callbacks/{MANDANT}/bewohnerparken/../x"),
        town.call("nirgends", ACCEPTED, token="falsch"),
    ]

    assert {(401, '{"error":"unauthorized"}')} == {
        (one.status_code, one.text) for one in answers if one.status_code != 404
    }
    assert (N.PLANNED, Z.AWAITING) == town.state(nachricht_id)


def test_what_cannot_be_read_and_what_is_not_ours(town: Town) -> None:
    """No JSON, no state, a key of nobody, a state that decides nothing yet, more than a verdict can be."""
    nachricht_id, key = town.send()
    headers = {"Authorization": "Bearer t0k3n"}
    cases: list[tuple[Response, int]] = [
        (town.client.post(f"{PATH}/{key}", content=b"<xml/>", headers=headers), 400),
        (town.client.post(f"{PATH}/{key}", content=b"[" * 50_000, headers=headers), 400),
        (town.call(key, {"zustand": 1}), 400),
        (town.call("", ACCEPTED), 400),
        (town.call("%00", ACCEPTED), 400),
        (town.call("Erika%20Mustermann", ACCEPTED), 400),
        (town.call("5b1a3c0e-8c6f-5d3a-9a3e-6f0c2d7e4b11", ACCEPTED), 404),
        (town.call(key, {"state": "in Arbeit"}), 202),
        (town.client.post(f"{PATH}/{key}", content=b" " * 100_000, headers=headers), 413),
    ]

    assert [status for _, status in cases] == [one.status_code for one, _ in cases]
    assert (N.PLANNED, Z.AWAITING) == town.state(nachricht_id)


def test_a_worker_that_has_the_nachricht_is_waited_for(town: Town) -> None:
    """A target that calls back before we know that it has it is told to come again; nothing is lost by that."""
    nachricht_id, key = town.send()
    claim = town.rig.store.claim_one(nachricht_id, own_name(), town.rig.clock())
    early = town.call(key, ACCEPTED)
    town.rig.store.release(claim, town.rig.clock())
    later = town.call(key, ACCEPTED)

    assert (503, "5") == (early.status_code, early.headers["retry-after"])
    assert (200, {"status": "taken"}) == (later.status_code, later.json())


def test_a_late_acceptance_is_believed(town: Town) -> None:
    """Nobody called back in time and a person should look: then the target says that it has it after all."""
    nachricht_id, key = town.send()
    town.rig.clock.advance(timedelta(hours=73))
    town.rig.work()
    assert (N.PLANNED, Z.PARKED) == town.state(nachricht_id)
    refused = town.call(key, REFUSED)
    accepted = town.call(key, ACCEPTED)
    town.rig.work()

    assert [409, 200] == [refused.status_code, accepted.status_code]
    assert (N.COMPLETED, Z.DELIVERED) == town.state(nachricht_id)
    with town.rig.store.audit_snapshot() as snapshot:
        assert [] == list(compare_rows(snapshot.beside))


def test_the_simulated_fachverfahren_calls_back(town: Town, tmp_path: Path) -> None:
    """It answers 202 and calls the address that the request names, until its verdict is taken."""
    with Fachverfahren(Choice(tmp_path, with_sftp=False, with_xta=False, callback_token="t0k3n")) as office:
        routes = town.rig.site.folder / "routes.toml"
        text = routes.read_text("utf-8").replace(town.target.url, f"{office.url}/rest/")
        routes.write_text(text.replace("https://wir.example", str(town.client.base_url).rstrip("/")), "utf-8")
        nachricht_id = town.rig.submit(sample_letter(7, now=town.rig.clock()), "m-7")
        town.rig.work()
        pause = threading.Event()
        while "HTTP 200" not in (told := office.state()["callbacks"]).values():
            pause.wait(0.02)
    town.rig.work()

    (zustellung,) = town.rig.store.zustellungen(nachricht_id)
    assert {zustellung.key: "HTTP 200"} == told
    assert (N.COMPLETED, Z.DELIVERED) == town.state(nachricht_id)


@pytest.mark.parametrize("town", [SIGNED], indirect=True)
def test_lint_and_doctor_know_of_callbacks(town: Town) -> None:
    """Who calls back where nobody listens is an error before the start; the door is a line of doctor."""
    config = town.rig.site.config
    assert [] == [one.path for one in lint(config) if one.is_blocking]
    doors_told = [one for one in doors(load(config)) if one.subject == "door [callbacks]"]
    config.write_text(config.read_text("utf-8").partition("[callbacks]")[0], "utf-8")

    assert ["ok"] == [one.verdict for one in doors_told]
    wrong = "route[bewohnerparken].target[fachverfahren].settings.verdict.callback"
    assert [wrong] == [one.path for one in lint(config) if one.is_blocking]


def _proof(town: Town, nachricht_id: str) -> dict[str, Any]:
    (zustellung,) = town.rig.store.zustellungen(nachricht_id)
    return dict(zustellung.proof)
