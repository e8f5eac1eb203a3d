"""The connector `cmis` killed before each of its lines, and every request disturbed in every way in every variant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intermediary.testing.cmis.server import CmisServer
from intermediary.testing.connectors import Check, tolerates_a_stopped_rival
from tests.conformance.cmis_target import CmisTarget
from tests.conformance.test_connector_cmis import SLOW, VARIANTS, disturb_everywhere

pytestmark = pytest.mark.soak

TROUBLE = (
    "reset-before",
    "reset-inside",
    "reset-after",
    "error-before",
    "error-after",
    "refuse",
    "twice",
    "wrong-type",
)
TELLS_LITTLE = "at a server that tells little"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CmisServer]:
    """A server; each target gives it a repository of its own."""
    with CmisServer(tmp_path_factory.mktemp("cmis")) as running:
        yield running


class Keeping(CmisTarget):
    """A repository whose clerk leaves everything where it is."""

    def consume(self) -> None:
        """Nothing is moved."""


@pytest.mark.parametrize("check", sorted(SLOW, key=lambda one: one.__name__), ids=lambda check: check.__name__)
@pytest.mark.parametrize("variant", ["with a folder", "in pieces"])
def test_conforms_under_kills(check: Check, variant: str, server: CmisServer, tmp_path: Path) -> None:
    """Killed or stopped before any line, with a clerk who is fast or slow, the recovery makes it exactly one effect."""
    kind = Keeping if check is tolerates_a_stopped_rival else CmisTarget  # the README names the gap of the other
    check(lambda name: kind(server, tmp_path / name, **VARIANTS[variant]))


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("keeps_steps", [True, False])
def test_one_effect_whichever_request_is_disturbed(
    variant: str, trouble: str, keeps_steps: bool, server: CmisServer, tmp_path: Path
) -> None:
    """Recovery makes it one effect, with what was noted and without; a server that allows equal names is its own limit."""
    if (variant, trouble) == (TELLS_LITTLE, "twice"):
        return  # documented: what a proxy repeats there is two documents
    disturb_everywhere(server, tmp_path, trouble, VARIANTS[variant], keeps_steps=keeps_steps)
