"""Places in the record of processing: every setting is one or is known to be none, and no secret is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from intermediary.connect.settings import settings_of
from intermediary.operations.processing import channel_places
from intermediary.operations.whereabouts import (
    INPUTS,
    SECRETS,
    TEXTS,
    URL_FILES,
    Whereabouts,
    address_in,
    is_place,
    plain,
)
from intermediary.route.plugins import Connectors
from intermediary.settings.channels import Channel
from intermediary.settings.listening import Callbacks
from intermediary.settings.models import Settings
from intermediary.settings.scan import Scan
from intermediary.settings.table import Table
from intermediary.settings.watching import Alerts, Health

HOW = """
accepted author client_id code complete completes csrf_header delivered document element file_name header host_key key
key_header key_property list_uri list_version message_type metadata name operation operator package path
payload_schema pending probe reason reference refused scenario scope service state timestamp_header transient type
unknown unknown_faults user username
"""
"""Settings of connectors that are text and say how something is done, not where. A path is a place unless it is an input."""

HOW_OURS = """
name mandanten type mail_tls mail_from mail_user identifier_type mandant service scenario code list_uri list_version
payload_schema sync_services claims
"""
"""The same of our own tables."""

TOLD_ELSEWHERE = "installation store intake delivery lane audit approvals memory retention incidents schemas mandant"
"""Tables of `intermediary.toml` that the record tells by itself (storage, keys, terms), or that name no place."""


def test_every_setting_of_a_connector_is_a_place_or_none() -> None:
    """A new setting that is text or a path has to be put on one side; a secret is on neither."""
    connectors = Connectors()
    open_questions = [
        f"{name}: {one.key}"
        for name in connectors.names()
        for one in settings_of(connectors.get(name))
        if ("text" in one.type or (one.type == "path" and one.key.rpartition(".")[2] not in INPUTS))
        and not one.is_secret
        and not is_place(one.key.rpartition(".")[2], one)
        and one.key.rpartition(".")[2] not in HOW.split()
    ]

    assert [] == open_questions


def test_every_setting_of_ours_is_a_place_or_none() -> None:
    """The same for channels and services: each text and path of their tables is a place, a secret, or tells how."""
    tables = (Channel, Scan, Alerts, Callbacks, Health)
    told = {name for name in Settings.model_fields if name not in TOLD_ELSEWHERE.split()}

    assert {"channel", "scan", "alerts", "callbacks", "health"} == told
    leaves = {name: kind for table in tables for name, kind in _leaves(table)}
    paths = {name for name, kind in leaves.items() if kind is Path}
    assert {"inbox", "folder"} == paths - URL_FILES - INPUTS - SECRETS
    assert set() == leaves.keys() - paths - TEXTS - set(HOW_OURS.split())
    assert all("file" in name or "key" in name for name in SECRETS)


def _leaves(table: type[Table]) -> Iterator[tuple[str, type]]:
    """Every field that holds texts or paths, of a table and of those inside."""
    for name, field in table.model_fields.items():
        for kind in _kinds(field.annotation):
            if isinstance(kind, type) and issubclass(kind, Table):
                yield from _leaves(kind)
            elif kind in (str, Path):
                yield name, kind


def _kinds(annotation: Any) -> Iterator[Any]:
    inner = [one for part in get_args(annotation) for one in _kinds(part)]
    yield from inner or [annotation]


ADDRESSES = {
    "amqps://nutzer:geheim@broker.example:5671/efa": "amqps://broker.example:5671/efa",
    "postgresql://nutzer:geheim@db.example/efa?password=geheim": "postgresql://db.example/efa",
    "https://hooks.example/geheim": "https://hooks.example/geheim",
    "amqp://nutzer:geheim@[fd00::1]:5672/": "amqp://[fd00::1]:5672/",
    "amqp://nutzer:12/geheim@broker.example/efa": "",
    "amqp://nutzer:12?geheim@broker.example/efa": "",
    "amqp://nutzer:ge/heim@broker.example/efa": "",
    "geheim": "",
    "geheim@broker.example": "",
    "amqp://nutzer:geheim@": "",
    "": "",
}


@pytest.mark.parametrize(("written", "told"), ADDRESSES.items(), ids=list(map(str, range(len(ADDRESSES)))))
def test_of_an_address_with_its_password_only_the_place_is_told(tmp_path: Path, written: str, told: str) -> None:
    """Scheme, host, port and what is named there; where that cannot be told apart, only the file."""
    file = tmp_path / "url"
    file.write_text(written)

    assert (told or f"steht in {file}, hier nicht zu lesen") == address_in(file, is_whole=True)
    assert "geheim" not in address_in(file, is_whole=False)


def test_a_file_that_is_not_here_is_named(tmp_path: Path) -> None:
    """The record can be made where the secrets are not."""
    assert f"steht in {tmp_path / 'weg'}, hier nicht zu lesen" == address_in(tmp_path / "weg", is_whole=True)


def test_a_place_is_told_without_account_and_query() -> None:
    """Whatever somebody wrote into an address; a mail address stays whole."""
    assert "https://host.example/a" == plain("https://nutzer:geheim@host.example/a?token=geheim#geheim")
    assert "host.example" == plain("nutzer:geheim@host.example")
    assert "bereitschaft@it.example" == plain("bereitschaft@it.example")


AMQP = {
    "url_file": "secrets/ziel.url",
    "routing_key": "fachverfahren",
    "exchange": "efa",
    "claims": {"name": "ablage", "folder": "/srv/ablage"},
    "answers": {"queue": "antworten", "archive": "archiv", "unmatched": "fremd"},
    "tls": {"ca_file": "ca.pem", "client_key": "secrets/client.key"},
}


def test_a_target_tells_all_its_places(tmp_path: Path) -> None:
    """Broker, exchange, key, queue and every folder; neither certificates nor keys."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/ziel.url").write_text("amqps://nutzer:geheim@broker.example/efa\n")
    told = set(Whereabouts(tmp_path).of_target(AMQP, settings_of(Connectors().get("amqp"))))

    assert {
        "url_file: amqps://broker.example/efa",
        "routing_key = fachverfahren",
        "exchange = efa",
        "claims.folder = /srv/ablage",
        "answers.queue = antworten",
        f"answers.archive = {tmp_path / 'archiv'}",
        f"answers.unmatched = {tmp_path / 'fremd'}",
    } == told


def test_a_state_in_an_answer_is_no_folder(tmp_path: Path) -> None:
    """Names mean what the connector says: `state` is a folder of one, and a piece of the answer of another."""
    connectors, places = Connectors(), Whereabouts(tmp_path)
    rest = {
        "url": "https://ziel.example/api",
        "verdict": {"state": "status"},
        "oauth": {"token_url": "https://id.example"},
    }
    folder = {"drop": "/srv/drop", "state": "/srv/state"}

    assert ["url = https://ziel.example/api", "oauth.token_url = https://id.example"] == list(
        places.of_target(rest, settings_of(connectors.get("rest")))
    )
    assert ["drop = /srv/drop", "state = /srv/state"] == list(
        places.of_target(folder, settings_of(connectors.get("ordner")))
    )
    assert ["drop = /srv/drop", "state = /srv/state"] == list(places.of_target(folder, ()))


FETCH = {
    "msgbox": {"url": "https://xta.example/msgbox", "ca_file": "ca.pem"},
    "management": {"url": "https://xta.example/management"},
    "send": {"url": "https://senden.example/send"},
    "account": [{"mandant": "a", "identifier": "ags:05999044", "tls_cert": "a.pem", "tls_key": "a.key"}],
}
SERVER = {
    "listen": "0.0.0.0:8444",
    "tls_cert": "a.pem",
    "tls_key": "a.key",
    "client_ca": "ca.pem",
    "readers": {"ags:05999044": "a"},
}
BROKER = {"url_file": "url", "queue": "ein", "reply_to": ["q1"], "claims": {"gross": {"folder": "/srv/gross"}}}
DOORS: dict[str, tuple[dict[str, Any], set[str], set[str]]] = {
    "folder": (
        {"folder": {"inbox": "/srv/ein"}, "answer": {"type": "folder", "folder": "/srv/aus"}},
        {"inbox = /srv/ein", "refused = /srv/ein/.refused"},
        {"folder = /srv/aus"},
    ),
    "amqp": (
        {"amqp": BROKER, "answer": {"type": "amqp", "queue": "quittungen"}},
        {
            "url_file: amqps://broker.example/efa",
            "queue = ein",
            "refused = ein.refused",
            "claims.gross.folder = /srv/gross",
        },
        {"reply_to = q1", "queue = quittungen"},
    ),
    "osci_passive": ({"osci_passive": {"listen": "127.0.0.1:8443"}}, {"listen = 127.0.0.1:8443"}, set()),
    "osci_fetch": (
        {
            "osci_fetch": {},
            "partner": "dbs:010001",
            "answer": {"type": "osci", "partner": "dbs:010001", "reader": "dbs:010002"},
        },
        {"partner = dbs:010001 (https://osci.example/entry)"},
        {"partner = dbs:010001 (https://osci.example/entry)", "reader = dbs:010002"},
    ),
    "xta_fetch": (
        {"xta_fetch": FETCH, "answer": {"type": "xta", "xta": {"service": "urn:quittung"}}},
        {
            "msgbox.url = https://xta.example/msgbox",
            "management.url = https://xta.example/management",
            "send.url = https://senden.example/send",
            "account[1].identifier = ags:05999044",
        },
        {"send.url = https://senden.example/send"},
    ),
    "xta_passive": ({"xta_passive": SERVER}, {"listen = 0.0.0.0:8444", "readers = ags:05999044"}, set()),
}


@pytest.mark.parametrize(("kind", "said"), DOORS.items(), ids=DOORS)
def test_a_channel_tells_all_its_places(
    tmp_path: Path, kind: str, said: tuple[dict[str, Any], set[str], set[str]]
) -> None:
    """Of every type: where submissions come from and lie, and where the Quittung goes; no key, no certificate."""
    table, door, answer = said
    (tmp_path / "url").write_text("amqps://nutzer:geheim@broker.example/efa")
    context = {"base": tmp_path, "file": tmp_path / "intermediary.toml"}
    channel = Channel.model_validate(
        {"name": "ein", "type": kind, "mandanten": ["a"], **_frozen(table)}, context=context
    )
    told = channel_places(channel, Whereabouts(tmp_path, {"dbs:010001": "https://osci.example/entry"}))

    assert (door, answer) == (set(told["places"]), set(told["answerPlaces"]))
    assert set(DOORS) == set(get_args(Channel.model_fields["type"].annotation))


def _frozen(value: Any) -> Any:
    """Lists as the loader hands them over."""
    match value:
        case dict():
            return {name: _frozen(item) for name, item in value.items()}
        case list():
            return tuple(map(_frozen, value))
        case _:
            return value
