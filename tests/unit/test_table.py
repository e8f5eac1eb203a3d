"""Tables for people fit a terminal: columns that may give room are cut, ids and codes never."""

from __future__ import annotations

import pytest

from intermediary.cli.options import WIDTH, table

HEADS = ("Id", "Code", "Route", "Mandant")
ROW = ("4f3a2b1c-9d8e", "delivery.deadline.resting", "gewerbeanmeldung-" * 3, "samtgemeinde-" * 4)


def test_it_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """What gives room is cut with a mark, the wider one first; everything else stays whole."""
    table([ROW], HEADS, gives=("Route", "Mandant"))
    head, line, told = capsys.readouterr().out.splitlines()

    assert all(len(one) <= WIDTH for one in (head, line, told))
    assert told.startswith(f"{ROW[0]}  {ROW[1]}  gewerbeanmeldung-")
    assert 2 == told.count("…")


def test_what_fits_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """A narrow table has every word, and one without columns that give is as wide as it is."""
    table([("a", "b", "bauantrag", "musterstadt")], HEADS, gives=("Route", "Mandant"))
    table([ROW], HEADS)
    said = capsys.readouterr().out

    assert "bauantrag  musterstadt" in said
    assert ROW[2] in said
    assert "…" not in said
