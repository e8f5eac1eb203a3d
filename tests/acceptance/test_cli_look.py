"""Verbs that look: what a user is told about messages and the audit trail, on which channel, with which exit code."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.core.codes import CATALOGUE
from intermediary.operations.selection import Selection

# list, search, state


def test_list_shows_newest_first_and_selects(seen):
    """All, by condition, by id, limited; JSON has whole ids, people get a table."""
    everything = seen.call("list", "--json").rows
    parked = seen.call("list", "state=parked", "--json").rows
    missing = seen.call("list", "code=route.missing", "--json").rows
    limited = seen.call("list", "--limit", "2", "--json").rows
    table = seen.call("list", "state=rejected")

    assert set(seen.ids.values()) == {row["id"] for row in everything}
    assert everything == sorted(everything, key=lambda row: row["receivedAt"], reverse=True)
    assert {seen.ids["overdue"], seen.ids["conflict"]} == {row["id"] for row in parked}
    assert {seen.ids["overdue"], seen.ids["waiting"]} == {row["id"] for row in missing}
    assert everything[:2] == limited
    assert seen.ids["broken"][:13] in table.out
    assert "validate.input.invalid" in table.out
    assert all(len(line) <= 100 for line in table.lines)


def test_list_names_an_unknown_condition(seen):
    """The nearest condition, state or form of a time is offered."""
    for words, near in (
        (("stat=parked",), "state="),
        (("state=geparkt",), "parked"),
        (("since=gestern",), "2026-"),
        (("code=route.mising",), "route.missing"),
    ):
        said = seen.call("list", *words)

        assert 2 == said.code
        assert near in said.err


def test_search_finds_by_every_key(seen):
    """By the beginning of our id, by the sender's whole id, by code and by state; nothing found ends with 1."""

    def found(text: str) -> set[str]:
        return {row["id"] for row in seen.call("search", text, "--json").rows}

    assert {seen.ids["full"]} == found(seen.ids["full"][:10])
    assert {seen.ids["full"]} == found("portal/full")
    assert {seen.ids["done"], seen.ids["conflict"]} == found("portal/done")
    assert {seen.ids["overdue"], seen.ids["waiting"]} == found("route.missing")
    assert {seen.ids["broken"]} == found("validate.input.invalid")
    assert {seen.ids["overdue"], seen.ids["conflict"]} == found("parked")
    nothing = seen.call("search", "portal/fremd")
    assert 1 == nothing.code
    assert (1, "") == (
        seen.call("search", "portal/ful", "--json").code,
        seen.call("search", "portal/ful", "--json").out,
    )


def test_a_search_is_no_error(seen):
    """A text that several ids begin with is too little; a text that is also somebody's id finds that."""
    several = {found[:1] for found in seen.ids.values() if sum(f[:1] == found[:1] for f in seen.ids.values()) > 1}
    for text in several:
        said = seen.call("search", text)

        assert (2, "") == (said.code, said.out)
        assert "several" in said.err
    assert not several or 0 == seen.call("search", "portal/done").code


def test_a_time_without_zone_is_local(seen, monkeypatch):
    """What the tables show can be typed as it stands: local time."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        selection = Selection.parse(["since=2026-11-20T03:30", "until=2026-11-21"])
    finally:
        monkeypatch.undo()
        time.tzset()

    assert datetime(2026, 11, 20, 8, 30, tzinfo=UTC) == selection.since
    assert datetime(2026, 11, 21, 5, 0, tzinfo=UTC) == selection.until


def test_state_lines_keep_their_form(seen):
    """One line per Nachricht for checkers: id, state, code, Zustellungen with target, key and state (DESIGN 5)."""
    said = seen.call("state", "--all", "--json")
    by_id = {row["id"]: row for row in said.rows}

    assert (0, "") == (said.code, said.err)
    assert len(seen.ids) == len(said.rows) == len(by_id)
    for row in said.rows:
        assert {"id", "state", "code", "zustellungen"} <= row.keys()
        assert all({"target", "key", "state"} == zustellung.keys() for zustellung in row["zustellungen"])
    done = by_id[seen.ids["done"]]
    assert ("completed", "", ["delivered"]) == (done["state"], done["code"], [z["state"] for z in done["zustellungen"]])
    assert ("parked", "route.missing") == (by_id[seen.ids["overdue"]]["state"], by_id[seen.ids["overdue"]]["code"])
    assert ["parked"] == [z["state"] for z in by_id[seen.ids["stuck"]]["zustellungen"]]
    counted = {(row["state"], row["code"]): row["count"] for row in seen.call("state", "--json").rows}
    assert 1 == counted["parked", "intake.conflict"]
    assert len(seen.ids) == sum(counted.values())


# show and explain


def test_show_is_readable_and_complete(seen):
    """Facts on lines of their own, no JSON, nothing wider than a terminal; the machine's form has everything."""
    for name, found in seen.ids.items():
        said = seen.call("show", found[:14])
        (row,) = seen.call("show", found, "--json").rows

        assert 0 == said.code
        assert found in said.lines[0]
        assert not any(mark in said.out for mark in ('{"', "{'", "['", '["', "[{", "None", "True")), name
        assert max(map(len, said.lines)) <= 120, max(said.lines, key=len)
        assert row["id"] == found
        for event in row["events"]:
            assert event["event"] in said.out


def test_show_tells_where_everything_is(seen):
    """Proof, versions, signatures, hashes and the sender's own id are on the sheet."""
    (row,) = seen.call("show", seen.ids["done"], "--json").rows
    said = seen.call("show", seen.ids["done"]).out

    assert "portal/done" in said
    for value in (
        row["bodySha256"],
        row["zustellungen"][0]["key"],
        row["zustellungen"][0]["outputSha256"],
        row["zustellungen"][0]["proof"]["file_name"],
        row["pins"]["mapping"],
        "osci@1",
        "aes256-gcm",
    ):
        assert value in said, value
    assert "O4895" not in seen.call("show", seen.ids["broken"]).out


def test_explain_says_who_heals_and_how(seen):
    """In German: what is the matter, who can help, what to type, when it is tried again."""
    names = ("waiting", "conflict", "broken", "stuck", "full", "done")
    said = {name: seen.call("explain", seen.ids[name]) for name in names}
    waiting, conflict, broken, stuck, full, done = (" ".join(said[name].out.split()) for name in names)

    assert "der Betrieb" in waiting
    assert CATALOGUE["route.missing"].remedy in waiting
    assert f"decide {seen.ids['conflict']} " in conflict
    assert "der Sender" in broken
    assert "Befunde (" in broken
    assert "(Zeile " in broken
    assert f"decide {seen.ids['stuck']}/eakte " in stuck
    assert "die Zeit" in full
    assert "target.full" in full
    assert "angekommen" in done
    assert all(len(line) <= 120 for one in said.values() for line in one.lines)
    row = seen.call("explain", seen.ids["done"], "--json").rows[0]
    assert {"id", "headline", "lines", "state", "deadline", "incidents", "actions", "history", "runbook"} == row.keys()


@pytest.mark.parametrize("verb", ["show", "explain"])
def test_an_unknown_id_is_answered_with_a_way_to_find_it(seen, verb):
    """Nothing with this id, or too little of it: said so, with what to do, and 2."""
    unknown = seen.call(verb, "00000000")
    everything = {found[:1] for found in seen.ids.values()}
    several = next((one for one in everything if sum(f.startswith(one) for f in seen.ids.values()) > 1), None)

    assert (2, "") == (unknown.code, unknown.out)
    assert "00000000" in unknown.err
    assert "intermediary search" in unknown.err
    if several is not None:
        assert "several" in seen.call(verb, several).err


# audit


def test_audit_verifies_and_exports(seen):
    """An untouched trail is sound; the export is one JSON object per line and has every event."""
    said = seen.call("audit", "verify")
    (report,) = seen.call("audit", "verify", "--json").rows
    lines = seen.call("audit", "export")

    assert 0 == said.code
    assert "unversehrt" in said.out
    assert (True, []) == (report["ok"], report["problems"])
    assert report["events"] == len(lines.rows)
    assert 0 == lines.code


def test_audit_names_the_first_bad_entry(own):
    """One flipped byte in what is stored is found and named: exit code 1."""
    (report,) = own.call("audit", "verify", "--json").rows
    _flip_a_byte(own.folder / "data" / "store.db")

    said = own.call("audit", "verify")
    (after,) = own.call("audit", "verify", "--json").rows

    assert report["ok"]
    assert 1 == said.code
    assert "VERLETZT" in said.out
    assert not after["ok"]
    assert after["problems"][0].keys() & {"number", "chain", "seq"}


def test_audit_misses_what_was_cut(own):
    """Events taken away behind the product's back are found against the head in the second place."""
    with sqlite3.connect(own.folder / "data" / "store.db") as database:
        database.execute("DELETE FROM audit_events WHERE number = (SELECT max(number) FROM audit_events)")
    database.close()

    assert 1 == own.call("audit", "verify").code


def _flip_a_byte(path: Path) -> None:
    """Change one bit of one letter in the body of the fourth event."""
    with sqlite3.connect(path) as database:
        query = "SELECT rowid, body FROM audit_events WHERE number = 4"
        row, body = database.execute(query).fetchone()
        place = len(body) // 2
        flipped = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        database.execute("UPDATE audit_events SET body = ? WHERE rowid = ?", (flipped, row))
    database.close()
