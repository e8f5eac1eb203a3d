"""The nursery tells how each daemon ended."""

from __future__ import annotations

import os

import pytest

from tests.chaos import nursery


def test_a_process_id_that_comes_again_has_no_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a campaign of minutes the kernel gives ids anew; a daemon just started is not as dead as who had its id before."""
    statuses = {4711: -9, 4712: 0}
    monkeypatch.setattr(os, "fork", lambda: 4711)

    assert 4711 == nursery._fork({}, None, statuses)
    assert {4712: 0} == statuses
