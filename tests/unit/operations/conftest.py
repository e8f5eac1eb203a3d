"""A small installation on disk: keyring, partner directory, certificates and revocation material."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.settings.load import read
from intermediary.settings.models import Settings
from intermediary.testing.authority import Authority, root

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)

MAIN = """
[installation]
name = "test"
data = "data"
routes = "routes.toml"
partners = "partners.toml"
[audit]
heads_folder = "heads"
[schemas]
folder = "schemas"
[[mandant]]
name = "musterstadt"
kek_file = "secrets/musterstadt.kek"
keyring = "keyring.toml"
[[channel]]
name = "ablage"
type = "folder"
partner = "ags:05513000"
mandanten = ["musterstadt"]
folder = { inbox = "eingang" }
answer = { type = "folder", folder = "quittungen" }
"""


@dataclass
class Place:
    """The folder of the installation, and an authority whose certificate lies in it as `ca.pem`."""

    folder: Path
    ca: Authority = field(
        default_factory=lambda: root("Wurzel", start=NOW - 400 * DAY, end=NOW + 4000 * DAY), repr=False
    )

    def write(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def certificate(self, name: str, *, days: float) -> None:
        """A certificate with so many days left, as PEM."""
        signer = self.ca.issue(name, start=NOW - 300 * DAY, end=NOW + days * DAY)
        self.write(f"{name}.pem", signer.certificate.public_bytes(Encoding.PEM))

    def settings(self, main: str = MAIN) -> Settings:
        self.write("intermediary.toml", main)
        found, _ = read(self.folder / "intermediary.toml")
        assert found is not None
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An installation with nothing to complain about."""
    made = Place(tmp_path)
    made.write("ca.pem", made.ca.certificate.public_bytes(Encoding.PEM))
    made.write("keyring.toml", '[[trust]]\npem = "ca.pem"\n')
    made.write("partners.toml", '[[partner]]\nkennung = "ags:05513000"\nname = "Portal"\n')
    made.write("routes.toml", "")
    return made
