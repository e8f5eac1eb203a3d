"""The installation of a campaign: two doors, two routes, three kinds of target, and the plug-in they belong to."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from intermediary.osci.write.seal import seal
from intermediary.testing import pki as pki_module
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import SERVICE_WITHOUT_ROUTE, Site, make_site
from intermediary.testing.pki import Pki, make_pki
from intermediary.testing.samples import NAMESPACE, ROOT, SERVICE, sample_letter
from intermediary.wiring import utc_now

QUEUE = "efa.musterstadt"
ANSWERS = "efa.quittungen"
LEASE_SECONDS = 10
BODIES = 24

_ENTRY_POINTS = """\
[intermediary.connectors]
chaos-native = tests.chaos.targets:NATIVE
chaos-lookup = tests.chaos.targets:LOOKUP
chaos-none = tests.chaos.targets:NONE
"""

_ROUTE = """\
[[route]]
name = "{name}"
mandant = "musterstadt"
stage = "test"
mapping = "bewohnerparken@1"
{order}[route.when]
root = "{root}"
service = "{service}"
[route.settings]
{settings}
"""

_TARGET = """\
[[route.target]]
name = "{kind}"
connector = "chaos-{kind}"
[route.target.settings]
socket = "{socket}"
locks = "{socket}-locks"
"""

_BROKER = """
[[channel]]
name = "rabbit"
type = "amqp"
mandanten = ["musterstadt"]
[channel.amqp]
url_file = "secrets/amqp.url"
queue = "{queue}"
[channel.answer]
type = "amqp"
queue = "{answers}"
"""


@dataclass(frozen=True, slots=True)
class Stand:
    """An installation with sealed bodies to hand in: `ordinary` go to the targets native and lookup, `bold` to none."""

    site: Site
    plugins: Path
    socket: Path
    ordinary: tuple[bytes, ...]
    bold: tuple[bytes, ...]

    @property
    def folder(self) -> Path:
        return self.site.folder

    @property
    def log(self) -> Path:
        return self.site.folder / "daemon.log"


def make_stand(
    folder: Path, *, pki: Pki | None = None, database: str = "", broker: str = "", is_ordered: bool = True
) -> Stand:
    """Make it in a folder that does not exist; the URLs are those that the daemon is to use."""
    site = make_site(folder, now=utc_now(), settings=golden_settings(), pki=pki or small_pki())
    socket = folder / "sink"
    (folder / "sink-locks").mkdir()
    order = 'order = "vorgang"\n' if is_ordered else ""
    common = {"root": f"{{{NAMESPACE}}}{ROOT}", "settings": golden_settings()}
    ordinary = _ROUTE.format(name="ordentlich", service=SERVICE, order=order, **common)
    bold = _ROUTE.format(name="gewagt", service=SERVICE_WITHOUT_ROUTE, order="", **common)
    targets = {kind: _TARGET.format(kind=kind, socket=socket) for kind in ("native", "lookup", "none")}
    routes = ordinary + targets["native"] + targets["lookup"] + bold + targets["none"]
    (folder / "routes.toml").write_text(routes, encoding="utf-8")
    _hasten(site)
    if database:
        site.use_database(database)
    _edit(site, "[store]\n", f"[store]\nlease_seconds = {LEASE_SECONDS}\n", otherwise=True)
    if broker:
        _use_broker(site, broker)
    plugins = folder / "plugins"
    write_plugins(plugins)
    return Stand(site, plugins, socket, _seal(site, SERVICE), _seal(site, SERVICE_WITHOUT_ROUTE))


def small_pki() -> Pki:
    """A cast whose readers have the smallest keys allowed: each process that starts proves its keyring's keys anew."""
    now = utc_now()
    roles = tuple(role if role.is_signer else replace(role, bits=2048) for role in pki_module._ROLES)
    with patch.object(pki_module, "_ROLES", roles):
        return make_pki(valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=365))


def write_plugins(folder: Path) -> None:
    """What makes the connectors of `tests.chaos.targets` installed for whoever has this folder in its path."""
    about = folder / "chaos_targets-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: chaos-targets\nVersion: 1.0\n", encoding="ascii")
    (about / "entry_points.txt").write_text(_ENTRY_POINTS, encoding="ascii")


def _hasten(site: Site) -> None:
    """Short waits; and no key in the keyring that this way of handing in does not need, since each start proves them all."""
    ring = site.folder / "keys" / "keyring.toml"
    text = ring.read_text(encoding="utf-8")
    unused = '\n[[key]]\np12 = "recipient-signature.p12"\npassword_file = "recipient-signature.pass"\n'
    ring.write_text(text.replace(unused, ""), encoding="utf-8")
    _edit(
        site, "longest_wait_seconds = 4", "longest_wait_seconds = 1\nfirst_rest_seconds = 1\nlongest_rest_seconds = 4"
    )
    _edit(site, "recheck_seconds = 300", "recheck_seconds = 1")
    _edit(site, "head_seconds = 5", "head_seconds = 1")


def _edit(site: Site, old: str, new: str, *, otherwise: bool = False) -> None:
    text = site.config.read_text(encoding="utf-8")
    if old not in text:
        if not otherwise:
            raise AssertionError(f"the demo's configuration has no {old!r}")
        text, old = text + "\n" + old, old
    site.config.write_text(text.replace(old, new, 1), encoding="utf-8")


def _use_broker(site: Site, url: str) -> None:
    secret = site.folder / "secrets" / "amqp.url"
    secret.touch(mode=0o600)
    secret.write_text(url, encoding="ascii")
    with site.config.open("a", encoding="utf-8") as file:
        file.write(_BROKER.format(queue=QUEUE, answers=ANSWERS))


def _seal(site: Site, service: str) -> tuple[bytes, ...]:
    """A pool of bodies; what makes them different Nachrichten is the message id they are handed in under."""
    now = utc_now() - timedelta(seconds=5)
    return tuple(
        seal(
            sample_letter(number, now=now, service=service),
            parties=site.pki.parties,
            random=secrets.token_bytes,
            now=now,
        )
        for number in range(BODIES)
    )
