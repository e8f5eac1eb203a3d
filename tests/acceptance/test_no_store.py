"""Where no store is, a verb that looks or decides says so and creates nothing; the daemon and `submit` begin one."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.wiring import utc_now
from tests.acceptance.command import call

ID = "6f1f2c1e-7a0b-5a55-9a5b-0d9c4f7f6a01"
VERBS = (
    ("list",),
    ("show", ID),
    ("explain", ID),
    ("search", "kennung"),
    ("state", "--all", "--json"),
    ("targets", "list"),
    ("jobs", "list"),
    ("incidents", "list"),
    ("approvals", "list"),
    ("hold", "list"),
    ("retention", "plan"),
    ("audit", "verify"),
    ("audit", "export"),
    ("replay", ID, "--reason", "weiter"),
    ("decide", ID, "discard", "--reason", "weg"),
    ("doctor", "--quick"),
)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Site:
    """A configuration that is sound, and nobody has started anything yet."""
    return make_site(tmp_path_factory.mktemp("leer"), now=utc_now(), settings=golden_settings(), pki=pki)


def _files(site: Site) -> set[Path]:
    return set(site.config.parent.rglob("*"))


@pytest.mark.parametrize("words", VERBS, ids=lambda words: " ".join(words[:2]))
def test_nothing_is_created_by_looking(bare: Site, words: tuple[str, ...]) -> None:
    """Exit code 2, what is missing and where, and the folder is as it was."""
    before = _files(bare)

    said = call(*words, "-c", bare.config)

    assert (2, "") == (said.code, said.out), said
    assert "kein Speicher" in said.err
    assert str(bare.config.parent) in said.err
    assert before == _files(bare)


def test_what_is_handed_in_begins_one(tmp_path: Path, pki: Pki) -> None:
    """`submit` takes what it is given durably, also as the first of all; then there is something to look at."""
    site = make_site(tmp_path, now=utc_now(), settings=golden_settings(), pki=pki)
    letter = tmp_path / "brief.osci"
    letter.write_bytes(b"MIME-Version: 1.0\r\n\r\nkein Antrag\r\n")
    handed_in = call("submit", letter, "--message-id", "portal/1", "-c", site.config)

    assert 0 == handed_in.code, handed_in
    assert 1 == len(call("list", "--json", "-c", site.config).rows)


def test_alerts_can_be_tried_before_the_first_start(bare: Site) -> None:
    """`doctor` sends people there while there is no store yet, and a probe needs none."""
    before = _files(bare)

    said = call("incidents", "test", "-c", bare.config)

    assert (0, "") == (said.code, said.err), said
    assert "kein Weg eingestellt" in said.out
    assert before == _files(bare)
