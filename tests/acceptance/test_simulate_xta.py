"""The simulated XTA server: faithful by default, troublesome on command, and whole after any end."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from intermediary.testing.simulate.command import command
from intermediary.testing.simulate.xta.simulator import ACCOUNT, Simulator
from intermediary.testing.simulate.xta.trouble import KNOBS, parse
from intermediary.testing.xta import sample_container, sample_order
from intermediary.unseal.xta.values import Party
from intermediary.wiring import utc_now
from intermediary.xta.wire.operations import CHECK_ACCOUNT_ACTIVE
from intermediary.xta.wire.report import GREEN
from tests.acceptance.xta_office import Client


class Beside:
    """What a client needs to know of a simulator: as an `XtaSite`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.port = int(simulator.url.rpartition(":")[2].partition("/")[0])

    def url(self, port: str) -> str:
        return f"{self._simulator.url}/{port}"

    def context(self, name: str) -> ssl.SSLContext:
        tls = self._simulator.folder / "tls"
        context = ssl.create_default_context(cafile=str(tls / "ca.cert.pem"))
        context.load_cert_chain(tls / f"{name}.cert.pem", tls / f"{name}.key.pem")
        return context


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path / "sim") as made:
        yield made


def client_of(simulator: Simulator) -> Client:
    return Client(Beside(simulator), "reader")  # type: ignore[arg-type]


def ordered(simulator: Simulator, name: str, **arguments: Any) -> dict[str, Any]:
    """What a command answers."""
    beside = Beside(simulator)
    connection = http.client.HTTPSConnection("localhost", beside.port, context=beside.context("reader"), timeout=60)
    body = json.dumps(arguments) if arguments else None
    connection.request("POST" if arguments else "GET", f"/simulator/{name}", body)
    said: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return said


def test_the_usual_way(simulator: Simulator, tmp_path: Path) -> None:
    """Filled, listed, fetched, closed; sent, reported; and all of it found again by the next one."""
    assert {"stored": 3} == ordered(simulator, "fill", count=3)
    client = client_of(simulator)
    ids = client.status_list().listed.message_ids
    fetched = client.fetch(ids[0])
    assert "" == client.close(fetched.box.request_id, ids[0]).number
    order = sample_order(9, now=utc_now())
    assert "" == client.send(order, sample_container(9, now=utc_now())).number

    assert {"waiting": 2, "sent": 1} == ordered(simulator, "state")
    simulator.__exit__()
    with Simulator(tmp_path / "sim") as again:
        other = client_of(again)
        assert ids[1:] == other.status_list().listed.message_ids
        assert GREEN == other.report(order.message_id).report.status
        assert Party(ACCOUNT).identifier == ACCOUNT


def test_trouble_on_command(simulator: Simulator) -> None:
    """Each knob does what it says to the operation it names, as often as it says, and nothing to others."""
    simulator.fill(1)
    client = client_of(simulator)

    def turned(knob: str) -> Client:
        assert {"knob": knob} == ordered(simulator, "knob", knob=knob)
        return client

    assert "9010" == turned("fault:9010@checkAccountActive=next1").call(CHECK_ACCOUNT_ACTIVE).number
    assert "" == client.call(CHECK_ACCOUNT_ACTIVE).number
    assert 503 == turned("unavailable:7=next1").call(CHECK_ACCOUNT_ACTIVE).status
    assert "text/html; charset=utf-8" == turned("wrong-type=next1").call(CHECK_ACCOUNT_ACTIVE).headers["content-type"]
    assert 3 * 1024 * 1024 == len(turned("huge:3=next1").call(CHECK_ACCOUNT_ACTIVE).raw)
    for knob in ("drop-before=next1", "drop-after=next1", "truncate=next1"):
        with pytest.raises((ConnectionError, http.client.HTTPException, ssl.SSLError)):
            turned(knob).call(CHECK_ACCOUNT_ACTIVE)
    first = client.new_id()
    assert first == turned("same-id@createMessageId=next1").new_id()
    assert 2 == len(turned("same-id@getStatusList=next1").status_list().listed.message_ids)
    (message_id,) = client.status_list().listed.message_ids
    request_id = client.fetch(message_id).box.request_id
    with pytest.raises((ConnectionError, http.client.HTTPException, ssl.SSLError)):
        turned("drop-after@close=next1").close(request_id, message_id)
    assert "" == client.close(request_id, message_id).number
    assert {} == ordered(simulator, "calm")
    assert "mistake" in ordered(simulator, "knob", knob="nonsense=1")


def test_the_command_line() -> None:
    """Knobs are listed with what they do, and a wrong one is told."""
    listed = CliRunner().invoke(command, ["xta", "--list-knobs"])
    wrong = CliRunner().invoke(command, ["xta", "--knob", "fault:1=1"])

    assert all(name in listed.output for name in KNOBS)
    assert (2, True) == (wrong.exit_code, "a fault is one of" in wrong.output)
    with pytest.raises(ValueError, match="NAME one of delay"):
        parse("lose-chunk=1")
