"""An installation that fetches from a simulated OSCI intermediary and sends its Quittungen back through it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.ingress.fetching.box import Delivery
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.osci.client.answers import OsciAnswers
from intermediary.osci.client.emptying import Visiting
from intermediary.osci.client.fetch_door import FetchDoor
from intermediary.osci.client.http import HttpExchange, HttpLimits
from intermediary.osci.client.line import Line
from intermediary.osci.client.party import Intermediary, Party
from intermediary.osci.client.postbox import PostBox
from intermediary.store.owners import own_name
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.simulate.osci.chunks import Limits
from intermediary.testing.simulate.osci.simulator import Simulator
from intermediary.testing.simulate.osci.site import KENNUNG
from intermediary.testing.simulate.osci.site import make_site as make_partner
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.policy import profile
from intermediary.wiring import Configuration, Installation, all_answers, bench, open_doors, open_installation, utc_now
from intermediary.worker import Worker

ONLINE_SERVICE = "test:online-dienst"
CHANNEL = f"""
[[channel]]
name = "postfach"
type = "osci_fetch"
mandanten = ["musterstadt"]
partner = "{KENNUNG}"
[channel.osci_fetch]
poll_seconds = 1
poll_most_seconds = 2
@FETCH@
[channel.answer]
type = "osci"
partner = "{KENNUNG}"
reader = "{ONLINE_SERVICE}"
@ANSWER@
"""
SIGN = '\n[[sign]]\np12 = "recipient-signature.p12"\npassword_file = "recipient-signature.pass"\n'


@dataclass
class PostOffice:
    """Both sides: the simulator, and the installation that fetches from it."""

    simulator: Simulator
    site: Site
    folder: Path

    @contextmanager
    def opened(self) -> Iterator[Bureau]:
        """The installation in this process; opening it again is a restart."""
        installation = open_installation(self.site.config)
        bureau = Bureau(installation)
        try:
            yield bureau
        finally:
            bureau.close()

    def quittungen(self) -> list[dict[str, Any]]:
        """What lies in the online service's post box, fetched, opened and acknowledged by it."""
        members = self.simulator.site.pki.members
        own, signer = members["originator-cipher"], members["originator-signature"].key
        keyring = Keyring([DecryptionKey(own.private, own.certificate)])
        found: list[dict[str, Any]] = []
        spool = Spool(self.folder / "service-spool")

        def keep(delivery: Delivery) -> str:
            message = open_message(delivery.body, keyring=keyring, policy=profile("osci"), at=utc_now(), role="client")
            (part,) = message.opened.contents
            (content_signature,) = [one for one in message.opened.signatures if one.layer == "content"]
            assert content_signature.valid
            found.append(json.loads(part.content.read()))
            return ""

        line = Line(
            exchange=HttpExchange(
                self.simulator.url,
                where="test",
                spool=spool,
                limits=HttpLimits(),
                ca_file=self.simulator.site.tls[0],
            ),
            party=Party(keyring=keyring, policy=profile("osci"), cipher=own.certificate, signer=signer),
            intermediary=Intermediary(
                kennung=KENNUNG,
                cipher=members["intermediary-cipher"].certificate,
                signatures=frozenset({members["intermediary-signature"].certificate.public_bytes(Encoding.DER)}),
            ),
            spool=spool,
            random=secrets.token_bytes,
            clock=utc_now,
        )
        box = PostBox("online-dienst", Visiting())
        try:
            while box.visit(line, keep).has_more:
                pass
        finally:
            line.exchange.close()
        return found


class Bureau:
    """One run of the installation: its fetch door, and one worker."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        (door,) = [one for one in open_doors(installation) if isinstance(one, FetchDoor)]
        self.door = door
        configuration = Configuration(installation.settings)
        self._answers = all_answers(installation.settings, configuration)
        self.worker = Worker(bench(installation, configuration, self._answers), owner=own_name())

    def close(self) -> None:
        self.door.close()
        for way in self._answers.values():
            if isinstance(way, OsciAnswers):
                way.close()
        self.installation.store.close()

    @property
    def states(self) -> list[str]:
        return sorted(line.state.value for line in self.installation.store.state_lines())


@contextmanager
def post_office(
    folder: Path, pki: Pki, *, fetch: str = "", limits: Limits | None = None, with_tls: bool = True
) -> Iterator[PostOffice]:
    """A simulator that serves, and an installation that knows it."""
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings(), pki=pki)
    partner = make_partner(folder / "partner", now=utc_now(), pki=pki)
    with Simulator(partner, limits=limits, with_tls=with_tls) as simulator:
        with partner.partners.open("a", encoding="utf-8") as file:
            file.write(
                f'\n[[partner]]\nkennung = "{ONLINE_SERVICE}"\nname = "Online-Dienst"\n'
                'cipher = ["keys/originator-cipher.cert.pem"]\n'
            )
        ca = f'ca_file = "{os.path.relpath(partner.tls[0], site.folder)}"' if with_tls else ""
        text = site.config.read_text(encoding="utf-8")
        partners = os.path.relpath(partner.partners, site.folder)
        text = text.replace("[installation]\n", f'[installation]\npartners = "{partners}"\n', 1)
        channel = CHANNEL.replace("@FETCH@", f"{ca}\n{fetch}").replace("@ANSWER@", ca)
        site.config.write_text(text + channel, encoding="utf-8")
        ring = site.folder / "keys" / "keyring.toml"
        if "[[sign]]" not in ring.read_text(encoding="utf-8"):
            with ring.open("a", encoding="utf-8") as file:
                file.write(SIGN)
        yield PostOffice(simulator, site, folder)
