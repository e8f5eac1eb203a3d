"""The cast of the forged messages: a receiver, whom it trusts, and a stranger who signs as well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from intermediary.osci.write import Parties
from intermediary.testing.pki import Pki, make_pki
from tests.evil.forger import NOW


@pytest.fixture(scope="session")
def pki() -> Pki:
    """The receiver and whom it trusts, made once."""
    return make_pki(valid_from=NOW - timedelta(days=1), valid_until=NOW + timedelta(days=365))


@pytest.fixture(scope="session")
def parties(pki: Pki) -> Parties:
    """The trusted parties, and a second author of another CA."""
    stranger = make_pki(valid_from=NOW - timedelta(days=1), valid_until=NOW + timedelta(days=365))
    return replace(pki.parties, authors=(pki.parties.authors[0], stranger.parties.authors[0]))
