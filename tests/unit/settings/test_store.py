"""Lint and wiring: where the database is."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.settings import Severity, lint
from intermediary.settings.load import load
from intermediary.wiring.installation import spool_folder, store_url

ADDED = '\n[store]\nurl_file = "secrets/store.url"\n'


def _told(file: Path) -> list[tuple[str, str, Severity]]:
    return [(finding.path, finding.what, finding.severity) for finding in lint(file)]


def test_the_file_of_the_database_is_a_secret(installation: Path) -> None:
    """The URL has a password in it: the file is there, and closed to others."""
    url = installation.parent / "secrets/store.url"
    installation.write_text(installation.read_text() + ADDED)
    missing = _told(installation)
    url.write_text("postgresql://u:geheim@db/x")
    url.chmod(0o644)
    (open_to_others,) = _told(installation)
    url.chmod(0o600)

    assert [("store.url_file", f"there is no file {url}", Severity.MISSING_SECRET)] == missing
    assert ("store.url_file", f"{url} is open to others (mode 0644)") == open_to_others[:2]
    assert [] == _told(installation)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff"])
def test_a_file_that_says_nothing_is_no_other_database(installation: Path, content: bytes | None) -> None:
    """An empty or missing file is a fault: it must never lead to the SQLite file beside it."""
    installation.write_text(installation.read_text() + ADDED)
    url = installation.parent / "secrets/store.url"
    if content is not None:
        url.write_bytes(content)

    with pytest.raises(Misconfigured) as fault:
        store_url(load(installation))

    assert ("store.url.invalid", str(url)) == (fault.value.code, fault.value.where)


def test_the_url_is_read_without_the_end_of_its_line(installation: Path) -> None:
    """Editors end a file with a line feed."""
    installation.write_text(installation.read_text() + ADDED)
    (installation.parent / "secrets/store.url").write_text("postgresql://u:geheim@db/x\n")

    assert "postgresql://u:geheim@db/x" == store_url(load(installation))


def test_the_spool_may_be_on_a_disk_of_this_host(installation: Path) -> None:
    """By default it is in the data folder; where that is shared, it is somewhere else."""
    default = spool_folder(load(installation))
    installation.write_text(installation.read_text().replace("[installation]", '[installation]\nspool = "local"'))

    assert installation.parent / "data/spool" == default
    assert installation.parent / "local" == spool_folder(load(installation))
    assert [] == _told(installation)
