"""A KEK that does not open blinds nobody: whoever only looks needs no key of a Mandant, and whoever needs one is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from intermediary.keys.wrap import create_kek
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.xta_site import free_port
from intermediary.wiring import utc_now
from tests.acceptance.command import call, process

LOOKING = (
    ("incidents", "list"),
    ("list",),
    ("list", "state=received"),
    ("state", "--all", "--json"),
    ("targets", "list"),
    ("jobs", "list"),
    ("approvals", "list"),
    ("hold", "list"),
    ("retention", "plan"),
    ("audit", "verify"),
)


def _is_open_to_all(kek: Path) -> None:
    kek.chmod(0o644)


def _is_gone(kek: Path) -> None:
    kek.unlink()


def _is_another(kek: Path) -> None:
    kek.unlink()
    create_kek(kek)


@pytest.fixture(params=[_is_open_to_all, _is_gone, _is_another], ids=lambda done: done.__name__.strip("_"))
def keyless(request: pytest.FixtureRequest, tmp_path: Path, pki: Pki) -> tuple[Site, str, Path]:
    """An installation with one Nachricht, its id, and the KEK that does not open any more."""
    site = make_site(tmp_path, now=utc_now(), settings=golden_settings(), pki=pki)
    letter = tmp_path / "brief.osci"
    letter.write_bytes(b"MIME-Version: 1.0\r\n\r\nkein Antrag\r\n")
    assert 0 == call("submit", letter, "--message-id", "portal/1", "-c", site.config).code
    ((nachricht,), kek) = call("list", "--json", "-c", site.config).rows, _kek(site)
    spoil: Callable[[Path], None] = request.param
    spoil(kek)
    return site, nachricht["id"], kek


def _kek(site: Site) -> Path:
    return next(site.folder.rglob(f"{MANDANT}.kek"))


def test_who_only_looks_needs_no_key(keyless: tuple[Site, str, Path]) -> None:
    """Step 1 of every runbook, and whatever else shows no content."""
    site, nachricht, _ = keyless

    for words in (*LOOKING, ("show", nachricht), ("explain", nachricht)):
        said = call(*words, "-c", site.config)

        assert (0, "") == (said.code, said.err), (words, said)


def test_who_needs_the_key_is_told_which(keyless: tuple[Site, str, Path]) -> None:
    """What seals, opens or looks by a keyed hash ends with exit code 2 and the place of the KEK; nothing is taken."""
    site, nachricht, kek = keyless
    letter = site.folder / "zweiter.osci"
    letter.write_bytes(b"MIME-Version: 1.0\r\n\r\nnoch keiner\r\n")

    for words in (
        ("submit", str(letter), "--message-id", "portal/2"),
        ("list", "key=4711"),
        ("search", "portal/1"),
        ("reveal", nachricht, "-o", str(site.folder / "heraus"), "--reason", "Anfrage"),
    ):
        said = call(*words, "-c", site.config)

        assert 2 == said.code, (words, said)
        assert f"{kek}" in said.err, (words, said)
    assert 1 == len(call("list", "--json", "-c", site.config).rows)


def test_a_refused_start_ends_with_what_to_do(keyless: tuple[Site, str, Path]) -> None:
    """The daemon starts only with every KEK; it leaves two lines, and promises nothing of what happens while it is down."""
    site, _, kek = keyless
    with site.config.open("a", encoding="utf-8") as file:
        file.write(f'\n[health]\nlisten = "127.0.0.1:{free_port()}"\n')
    said = process("run", "-c", site.config)
    lines = [line for line in said.err.splitlines() if not line.startswith("{")]

    assert 2 == said.code
    assert 2 == len(lines), said.err
    assert f"{kek}" in said.err
    assert any(what in lines[1] for what in ("chmod 600", "mode 0600", "sonst den Dienst starten"))
