"""A whole installation in one folder for the demo: keys, configuration, routes, folders; nothing outside of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from intermediary.keys.wrap import create_kek
from intermediary.testing.pki import Pki, make_pki, write_pki
from intermediary.testing.samples import NAMESPACE, ROOT, SERVICE

MANDANT = "musterstadt"
SERVICE_WITHOUT_ROUTE = "urn:example:musterland:bewohnerparken:2.0"

_MARK = "# The demo's installation. Everything lies in this folder; the keys are throw-away."
_CONFIG = f"""\
{_MARK}
[installation]
name = "demo"
data = "data"
routes = "routes.toml"

[delivery]
first_wait_seconds = 1
longest_wait_seconds = 4
deadline_hours = 72
recheck_seconds = 300

[audit]
head_seconds = 5
heads_folder = "audit-heads"

[schemas]
folder = "schemas"

[[mandant]]
name = "musterstadt"
kek_file = "secrets/musterstadt.kek"
keyring = "keys/keyring.toml"

[[channel]]
name = "eingang"
type = "folder"
mandanten = ["musterstadt"]
[channel.folder]
inbox = "eingang"
[channel.answer]
type = "folder"
folder = "quittungen"
"""

_ROUTE = """\
[[route]]
name = "{name}"
mandant = "musterstadt"
stage = "test"                       # production routes demand the official xdomea package (schemas install)
mapping = "bewohnerparken@1"
require = ["content-signature"]
[route.when]
root = "{root}"
service = "{service}"
[route.settings]
{settings}
[[route.target]]
name = "eakte"
connector = "ordner"
[route.target.settings]
drop = "fachverfahren"
state = ".fachverfahren-state"
checksum = true

"""


@dataclass(frozen=True, slots=True)
class Site:
    """The demo's folder and what was made in it."""

    folder: Path
    pki: Pki

    @property
    def config(self) -> Path:
        return self.folder / "intermediary.toml"

    @property
    def inbox(self) -> Path:
        return self.folder / "eingang"

    @property
    def drop(self) -> Path:
        return self.folder / "fachverfahren"

    @property
    def answers(self) -> Path:
        return self.folder / "quittungen"

    def use_database(self, url: str) -> None:
        """Have the store in a PostgreSQL database; before it is opened first."""
        secret = self.folder / "secrets" / "store.url"
        secret.touch(mode=0o600)
        secret.write_text(url, encoding="utf-8")
        with self.config.open("a", encoding="utf-8") as file:
            file.write('\n[store]\nurl_file = "secrets/store.url"\n')

    def add_missing_route(self, settings: str) -> None:
        """What the operator does about `route.missing`."""
        with (self.folder / "routes.toml").open("a", encoding="utf-8") as file:
            file.write(route_toml("bewohnerparken-neu", SERVICE_WITHOUT_ROUTE, settings))

    def occupy(self, nachricht_id: str) -> Path:
        """A file that the Fachverfahren has not fetched yet stands where a package has to go."""
        leftover = self.drop / f"{nachricht_id}_Abgabe.Abgabe.0401.zip"
        leftover.write_bytes(b"")
        return leftover


def make_site(folder: Path, *, now: datetime, settings: str, pki: Pki | None = None) -> Site:
    """Make the demo's folder; `settings` is the TOML of the mapping's settings. The folder must be new or empty.

    Without `pki` new keys are made, which takes about a second.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "intermediary.toml").write_text(_CONFIG, encoding="utf-8")
    pki = pki or make_pki(valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=365))
    write_pki(pki, folder / "keys", random=secrets.token_bytes)
    for name in ("secrets", "eingang", "fachverfahren", ".fachverfahren-state", "quittungen", "audit-heads", "schemas"):
        (folder / name).mkdir(mode=0o700)
    create_kek(folder / "secrets" / "musterstadt.kek")
    (folder / "routes.toml").write_text(route_toml("bewohnerparken", SERVICE, settings), encoding="utf-8")
    return Site(folder, pki)


def is_demo(folder: Path) -> bool:
    """Whether a demo made this folder, so that the next one may replace it."""
    try:
        return (folder / "intermediary.toml").read_text(encoding="utf-8").startswith(_MARK)
    except (OSError, UnicodeDecodeError):
        return False


def route_toml(name: str, service: str, settings: str) -> str:
    """One route of the demo as TOML."""
    return _ROUTE.format(name=name, service=service, root=f"{{{NAMESPACE}}}{ROOT}", settings=settings)
