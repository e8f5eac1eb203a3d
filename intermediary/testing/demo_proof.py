"""The demo's proof: the package that was delivered is the one that tests hold against the official xdomea schema.

The demo's first application is the golden case of the mapping. Ids follow from the Nachricht, and some fields from the
moment of receipt; those are made neutral on both sides, everything else must be equal byte for byte.
"""

from __future__ import annotations

import re
import tomllib
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from intermediary.mapping.german import local, write_date, write_moment
from intermediary.osci.write import Attachment, Letter, MetaData
from intermediary.route.plugins import Mappings
from intermediary.testing.golden import differences, load_case, run
from intermediary.testing.samples import SERVICE

MAPPING = "bewohnerparken@1"
CASE = "13-vorfuehrung"

_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def golden_settings() -> str:
    """The mapping's settings of the golden case, as lines of TOML."""
    settings = load_case(_folder()).kontext.settings
    return "\n".join(f'{name} = "{value}"' for name, value in settings.items())


def golden_letter(now: datetime) -> Letter:
    """The golden case's application, ready to be sealed."""
    folder = _folder()
    about = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    attachments = tuple(
        Attachment(entry["name"], entry["media_type"], (folder / "attachments" / entry["file"]).read_bytes())
        for entry in about["attachment"]
    )
    return Letter(
        message_id="urn:osci:beispiel:musterland:golden",
        subject="Antrag Bewohnerparkausweis",
        contents=((folder / "input.xml").read_bytes(),),
        attachments=attachments,
        metadata=MetaData(
            service=SERVICE,
            author="ags:05999000",
            reader="ags:05999044",
            origin=now,
            message_id="urn:de:xta:messageid:beispiel-online-dienst:golden",
        ),
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether the delivered package equals the golden one; `files` were compared, `differing` were not equal."""

    files: int
    differing: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether all of it is equal."""
        return self.files > 0 and not self.differing

    def text(self) -> str:
        """The result in German, one line."""
        if self.is_equal:
            return f"gleich (Fall {CASE}, {self.files} Dateien; nur Ids und Eingangszeit verschieden)"
        return f"VERSCHIEDEN (Fall {CASE}): {', '.join(self.differing) or 'kein Paket gefunden'}"


def compare_with_golden(drop: Path, key: str, received_at: datetime) -> Comparison:
    """Compare the package of the Nachricht `key` with what the golden case yields."""
    case = load_case(_folder())
    outcome = run(Mappings().get(MAPPING), case)
    if outcome.ausgabe is None or differences(case, outcome):
        return Comparison(0, ("the golden case itself",))
    expected = {"nachricht": outcome.ausgabe.nachricht}
    expected |= {_tail(one.file_name): one.content.read() for one in outcome.ausgabe.dokumente}
    golden = {name: _neutral(data, case.kontext.key, case.kontext.received_at) for name, data in expected.items()}
    found = {name: _neutral(data, key, received_at) for name, data in _package(drop, key).items()}
    names = golden.keys() | found.keys()
    return Comparison(len(found), tuple(sorted(name for name in names if golden.get(name) != found.get(name))))


def _package(drop: Path, key: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in drop.glob(f"{key}_*.zip"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                files["nachricht" if name == f"{path.stem}.xml" else _tail(name)] = archive.read(name)
    return files


def _tail(name: str) -> str:
    """A document's name without its UUID."""
    return name.partition("_")[2]


def _neutral(data: bytes, key: str, received_at: datetime) -> bytes:
    """The bytes with ids numbered in order of appearance and everything that tells the moment of receipt taken out."""
    order: dict[bytes, bytes] = {}
    data = _UUID.sub(lambda m: order.setdefault(m[0], b"uuid-%d" % len(order)), data)
    data = data.replace(key.partition("-")[0].encode(), b"VORGANG")
    day = local(received_at)
    moment = day.isoformat(timespec="milliseconds").encode()
    data = data.replace(moment, b"MOMENT").replace(write_moment(received_at).encode(), b"MOMENT")
    return data.replace(f"{day:%Y-%m-%d}".encode(), b"DAY").replace(write_date(day.date()).encode(), b"DAY")


def _folder() -> Path:
    return Mappings().folder(MAPPING) / "golden" / CASE
