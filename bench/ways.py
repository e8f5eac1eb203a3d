"""The ways by which a large sealed message reaches a daemon: as a file, by reference from a queue, over HTTP."""

from __future__ import annotations

import hashlib
from http.client import HTTPConnection
from pathlib import Path
from typing import Protocol

import pika

from intermediary.ingress.amqp.intake import queue_arguments
from intermediary.ingress.doors import OSCI_MIME
from intermediary.testing.demo_site import Site
from intermediary.testing.pki import KEYRING
from intermediary.testing.servers import free_ports

_QUEUE = "efa.gross"
_CHANNEL = """
[[channel]]
name = "gross"
type = "amqp"
mandanten = ["musterstadt"]
[channel.amqp]
url_file = "secrets/amqp.url"
queue = "efa.gross"
[channel.amqp.claims.ablage]
folder = "ablage"
[channel.answer]
type = "folder"
folder = "quittungen-gross"
"""
_ENDPOINT = """
[[channel]]
name = "osci"
type = "osci_passive"
mandanten = ["musterstadt"]
[channel.osci_passive]
listen = "127.0.0.1:{port}"
"""
_SIGN = '\n[[sign]]\np12 = "recipient-signature.p12"\npassword_file = "recipient-signature.pass"\n'
_ANSWER_SECONDS = 300


class Way(Protocol):
    """`prepare` is called once, before the daemon starts; `hand_over` may move the sealed file.

    `is_told` says whether it can be seen from outside that the message is done.
    """

    def prepare(self, site: Site) -> None: ...

    def hand_over(self, site: Site, sealed: Path) -> None: ...

    def is_told(self, site: Site) -> bool: ...


class AsFile:
    """The folder door: the file is renamed into the watched folder."""

    def prepare(self, site: Site) -> None:
        """The demo's installation has this door."""

    def hand_over(self, site: Site, sealed: Path) -> None:
        sealed.rename(site.inbox / sealed.name)

    def is_told(self, site: Site) -> bool:
        return any(site.answers.glob("*.json"))


class ByClaim:
    """The claim check: the file lies in a shared folder, and a message without a body refers to it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def prepare(self, site: Site) -> None:
        for name in ("ablage", "quittungen-gross"):
            (site.folder / name).mkdir(mode=0o700)
        secret = site.folder / "secrets" / "amqp.url"
        secret.write_text(self._url, encoding="ascii")
        secret.chmod(0o600)
        with site.config.open("a", encoding="utf-8") as file:
            file.write(_CHANNEL)

    def hand_over(self, site: Site, sealed: Path) -> None:
        with sealed.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        claim = {"store": "ablage", "key": sealed.name, "size": sealed.stat().st_size, "sha256": sha256}
        sealed.rename(site.folder / "ablage" / sealed.name)
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        channel = connection.channel()
        channel.queue_declare(_QUEUE, durable=True, arguments=dict(queue_arguments(_QUEUE)))
        channel.confirm_delivery()
        properties = pika.BasicProperties(
            content_type=OSCI_MIME, message_id="urn:bench:claim", delivery_mode=2, headers={"x-claim": claim}
        )
        channel.basic_publish("", _QUEUE, b"", properties, mandatory=True)
        connection.close()

    def is_told(self, site: Site) -> bool:
        return any((site.folder / "quittungen-gross").glob("*.json"))


class AtEndpoint:
    """The passive OSCI recipient: the file is the body of one request, whose answer may come before the verdict."""

    def __init__(self) -> None:
        (self._port,) = free_ports(1)

    def prepare(self, site: Site) -> None:
        with site.config.open("a", encoding="utf-8") as file:
            file.write(_ENDPOINT.format(port=self._port))
        with (site.folder / "keys" / KEYRING).open("a", encoding="utf-8") as file:
            file.write(_SIGN)

    def hand_over(self, site: Site, sealed: Path) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_SECONDS)
        with sealed.open("rb") as body:
            connection.request("POST", "/osci", body, {"Content-Length": str(sealed.stat().st_size)})
            connection.getresponse().read()
        connection.close()

    def is_told(self, site: Site) -> bool:
        return any(site.drop.glob("*.zip"))
