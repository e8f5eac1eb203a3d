"""An installation that fetches from a small XTA gateway and sends its Quittungen back through it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intermediary.ingress.fetching.door import FetchDoor
from intermediary.store.owners import own_name
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.wiring import Configuration, Installation, all_answers, bench, open_doors, open_installation, utc_now
from intermediary.worker import Worker
from intermediary.xta.client.answers import XtaAnswers
from tests.unit.xta.gateway import Certificates, Gateway

ACCOUNT = "ags:05999044"
CHANNEL = """
[[channel]]
name = "xta"
type = "xta_fetch"
mandanten = ["musterstadt"]
[channel.xta_fetch]
poll_seconds = 1
poll_most_seconds = 2
[channel.xta_fetch.msgbox]
url = "@URL@"
ca_file = "@CA@"
[channel.xta_fetch.management]
url = "@URL@"
ca_file = "@CA@"
[channel.xta_fetch.send]
url = "@URL@"
ca_file = "@CA@"
[[channel.xta_fetch.account]]
mandant = "musterstadt"
identifier = "@ACCOUNT@"
tls_cert = "@CERT@"
tls_key = "@KEY@"
[channel.answer]
type = "xta"
[channel.answer.xta]
service = "urn:example:musterland:quittungen:1.0"
"""


@dataclass
class XtaOffice:
    """Both sides: the gateway, and the installation that fetches from it."""

    gateway: Gateway
    site: Site
    certificates: Certificates

    @contextmanager
    def opened(self) -> Iterator[Bureau]:
        """The installation in this process; opening it again is a restart."""
        bureau = Bureau(open_installation(self.site.config))
        try:
            yield bureau
        finally:
            bureau.close()

    def quittungen(self) -> list[dict[str, Any]]:
        """What was sent to the gateway."""
        return [json.loads(body) for _, body in self.gateway.orders.values()]


class Bureau:
    """One run of the installation: its fetch door, and one worker."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        (self.door,) = [one for one in open_doors(installation) if isinstance(one, FetchDoor)]
        configuration = Configuration(installation.settings)
        self._answers = all_answers(installation.settings, configuration)
        self.worker = Worker(bench(installation, configuration, self._answers), owner=own_name())

    def close(self) -> None:
        """The end of the run."""
        self.door.close()
        for way in self._answers.values():
            if isinstance(way, XtaAnswers):
                way.close()
        self.installation.store.close()

    def sweep(self) -> int:
        """Visit the box now, whatever its pace says."""
        self.door._queue = [(0.0, index) for _, index in self.door._queue]
        return self.door.sweep()

    @property
    def states(self) -> list[str]:
        """Of all Nachrichten."""
        return sorted(line.state.value for line in self.installation.store.state_lines())


def unsigned_routes(site: Site) -> None:
    """Routes that demand no signature: XTA has none."""
    routes = site.folder / "routes.toml"
    text = routes.read_text(encoding="utf-8").replace('require = ["content-signature"]\n', "")
    routes.write_text(text, encoding="utf-8")


def channel_toml(url: str, certificates: Certificates, *, name: str = "account") -> str:
    """The channel's part of the configuration; an account with a certificate of the authority."""
    files = certificates.files(name)
    text = CHANNEL.replace("@URL@", url).replace("@CA@", str(certificates.ca_file)).replace("@ACCOUNT@", ACCOUNT)
    return text.replace("@CERT@", str(files.certificate)).replace("@KEY@", str(files.key))


@contextmanager
def xta_office(folder: Path, pki: Pki) -> Iterator[XtaOffice]:
    """A gateway that serves, and an installation that knows it."""
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings(), pki=pki)
    unsigned_routes(site)
    certificates = Certificates(folder / "tls")
    with Gateway(certificates) as gateway:
        with site.config.open("a", encoding="utf-8") as file:
            file.write(channel_toml(gateway.url, certificates))
        yield XtaOffice(gateway, site, certificates)
