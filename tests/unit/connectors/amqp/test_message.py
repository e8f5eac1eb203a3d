"""What the connector `amqp` finds out before it says anything to a broker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest

from connectors.amqp.broker import opened
from connectors.amqp.claims import ClaimFolder
from connectors.amqp.message import make_message
from connectors.amqp.settings import AmqpSettings, ClaimStore
from intermediary.core.faults import Misconfigured
from intermediary.core.values import Dokument
from intermediary.testing.connectors import make_auftrag


@dataclass(frozen=True)
class Rotten:
    """A content that is not what its hash says."""

    length: int = 5
    sha256: str = "00" * 32

    def open(self) -> BinaryIO:
        return BytesIO(b"verfault")

    def read(self) -> bytes:
        raise AssertionError("a connector streams")


SETTINGS = AmqpSettings(url_file=Path("url"), routing_key="eingang")
AUFTRAG = replace(make_auftrag(), package=Dokument("p.zip", "application/zip", Rotten()))


def test_a_rotten_package_is_no_message() -> None:
    """Bytes that are not those of the plan are never published."""
    with pytest.raises(Misconfigured, match=r"payload\.corrupt"):
        make_message(AUFTRAG, SETTINGS, None)


def test_a_rotten_package_leaves_nothing_in_the_store(tmp_path: Path) -> None:
    """Not even a draft rests in the shared folder."""
    with pytest.raises(Misconfigured, match=r"payload\.corrupt"):
        make_message(AUFTRAG, replace(SETTINGS, max_body_bytes=1), ClaimFolder(ClaimStore("ablage", tmp_path)))

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["kein-broker geheim", "http://u:geheim@h/", "amqp://u:geheim@h:port/", ""])
def test_a_password_is_in_no_fault(url: str, tmp_path: Path) -> None:
    """An URL that is none is the operator's, and stays where it was."""
    file = tmp_path / "url"
    file.write_text(url)
    file.chmod(0o600)
    with pytest.raises(Misconfigured) as caught, opened(replace(SETTINGS, url_file=file)):
        """Never reached."""
    told = [caught.value, caught.value.__cause__, caught.value.__context__]

    assert "target.misconfigured" == caught.value.code
    assert not any("geheim" in repr(one) for one in told)
