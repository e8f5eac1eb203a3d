"""Terms, holds, one Mandant, the record of processing: what people type, with the clock put forward."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from intermediary.core.clock import Clock
from intermediary.store.search_keys import search_rows
from intermediary.store.tables import search_keys
from intermediary.wiring import open_installation
from tests.acceptance.canaries import search_tree
from tests.acceptance.office import Office

LAST_DAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WHY = ("--reason", "Klage VG 4 K 11/26")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch):
    """Puts the time of the installation so many days behind the last of the office's days, and believes it."""

    def put(days: int) -> None:
        monkeypatch.setattr(Clock, "now", lambda _clock: LAST_DAY + timedelta(days=days))
        monkeypatch.setattr(Clock, "doubt", property(lambda _clock: None))

    put(0)
    return put


def _plan(office: Office) -> dict[tuple[str, str], tuple[int, int, int]]:
    rows = office.call("retention", "plan", "--json").rows
    return {(r["route"], r["state"]): (r["due"], r["within7Days"], r["within30Days"]) for r in rows}


def test_the_plan_says_what_a_run_erases(own, at):
    """Counted day by day; the run erases exactly what was due, and a second one nothing."""
    assert (0, 0, 1) == _plan(own)[("bewohnerparken", "completed")]

    at(25)
    assert (0, 1, 0) == _plan(own)[("bewohnerparken", "completed")]

    at(30)
    assert (1, 0, 0) == _plan(own)[("bewohnerparken", "completed")]
    people = own.call("retention", "plan")
    first = own.call("retention", "run", "--json")
    second = own.call("retention", "run")

    assert "Mensch entscheidet" in people.out
    assert [1] == [row["count"] for row in first.rows if row["what"] == "payloads"]
    assert (0, "Kein Inhalt war zu löschen.") == (second.code, second.lines[-1])
    assert "erased" == own.call("list", own.ids["done"], "--json").rows[0]["payload"]


def test_an_erased_nachricht_says_what_is_gone(own, at):
    """show, explain, replay and the dossier answer; the trail verifies."""
    at(31)
    own.call("retention", "run")
    done = own.ids["done"]
    show, explain = own.call("show", done), own.call("explain", done)
    again = own.call("replay", done, "--redeliver", "eakte", *WHY)
    dossier = own.call("audit", "dossier", done, "-o", own.folder / "d.json")

    assert "Inhalt            gelöscht" in show.out
    assert "payload.erased" in show.out
    assert "rule completed: 30 days (default)" in show.out
    assert "Der Inhalt ist gelöscht" in explain.out
    assert "0 Nachrichten laufen weiter." == again.lines[-1]
    assert 0 == dossier.code
    assert '"erased": true' in (own.folder / "d.json").read_text()
    assert 0 == own.call("audit", "verify").code


def test_nothing_is_erased_while_the_clock_is_doubted(own, at, monkeypatch):
    """A clock that jumped a year ahead erases nothing."""
    at(400)
    monkeypatch.setattr(Clock, "doubt", property(lambda _clock: "ahead"))
    said = own.call("retention", "run")

    assert 2 == said.code
    assert "ahead" in said.err
    assert "present" == own.call("list", own.ids["done"], "--json").rows[0]["payload"]


def test_a_hold_needs_a_reason_and_stops_the_term(own, at):
    """Set on one, on a route to come, listed, shown, released; afterwards the term holds again."""
    done = own.ids["done"]
    silent = own.call("hold", "set", done)
    one = own.call("hold", "set", done, *WHY)
    all_ = own.call("hold", "set", "mandant=musterstadt", "route=bewohnerparken", "--standing", *WHY)
    wrong = own.call("hold", "set", "state=completed", "--standing", *WHY)
    listed = own.call("hold", "list", "--json").rows
    told = own.call("hold", "list").lines
    at(31)
    own.call("retention", "run")

    assert (2, 0, 0, 2) == (silent.code, one.code, all_.code, wrong.code)
    assert [("", True), (done, False)] == [(row.get("id", ""), row["standing"]) for row in listed]
    assert [WHY[1]] * 2 == [row["reason"] for row in listed]
    assert all(row["actor"] for row in listed)
    assert [f"Nachricht {done} (musterstadt):", WHY[1]] == [told[-2], told[-1].partition(": ")[2]]
    assert "Löschsperre       seit" in own.call("show", done).out
    assert "present" == own.call("list", done, "--json").rows[0]["payload"]

    own.call("hold", "release", done, *WHY)
    own.call("retention", "run")
    assert "present" == own.call("list", done, "--json").rows[0]["payload"]

    own.call("hold", "release", "mandant=musterstadt", "route=bewohnerparken", "--standing", *WHY)
    own.call("retention", "run")
    late = own.call("hold", "set", done, *WHY)
    assert "erased" == own.call("list", done, "--json").rows[0]["payload"]
    assert (1, "nichts ist gesperrt") == (late.code, own.call("hold", "list").lines[-1])


def test_a_release_waits_for_a_second_person(own, at):
    """Where it is configured, a hold is released by two."""
    own.call("hold", "set", own.ids["done"], *WHY)
    text = own.config.read_text().replace("[audit]", '[approvals]\nrequired = ["hold-release"]\n[audit]', 1)
    own.config.write_text(text)
    said = own.call("hold", "release", own.ids["done"], *WHY)

    assert 0 != said.code
    assert own.call("list", own.ids["done"], "--json").rows[0]["heldSince"]
    assert 1 == len(own.call("approvals", "list", "--json").rows)


def test_a_mandant_is_handed_over_whole(own, at):
    """Facts, dossiers that verify alone, contents byte for byte; what was read is in the audit trail."""
    folder = own.folder / "uebergabe"
    said = own.call("mandant", "export", "musterstadt", "-o", folder, "--with-payload", *WHY)
    again = own.call("mandant", "export", "musterstadt", "-o", folder, *WHY)
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    dossiers = sorted(folder.glob("dossiers/??/*.json"))
    checked = [
        subprocess.run([sys.executable, folder / "verify.py", one], capture_output=True, text=True) for one in dossiers
    ]
    rows = {row["id"]: row for row in map(json.loads, (folder / "nachrichten.jsonl").read_text().splitlines())}
    events = own.call("show", own.ids["done"], "--json").rows[0]["events"]

    assert (0, 2, 0) == (said.code, again.code, sums.returncode)
    assert len(own.ids) == len(dossiers) == len(rows)
    assert [0] * len(checked) == [one.returncode for one in checked]
    assert all("noch nicht" not in one.stdout for one in checked)
    done = rows[own.ids["done"]]
    assert done["length"] == (folder / done["payloadFile"]).stat().st_size
    assert ("person.read", "mandant export") == (events[-1]["event"], events[-1]["fields"]["what"])
    assert 0 == own.call("audit", "verify").code


def test_a_mandant_is_deleted_for_good(own, at):
    """Only with force while something is open; then nothing is readable, and every chain and dossier verifies."""
    unknown = own.call("mandant", "delete", "musterstat", *WHY)
    dry = own.call("mandant", "delete", "musterstadt", "--dry-run")
    refused = own.call("mandant", "delete", "musterstadt", *WHY)
    before = own.call("list", "--json").rows
    done = own.call("mandant", "delete", "musterstadt", "--force", *WHY)
    after = own.call("list", "--json").rows

    assert (2, 0, 1, 0) == (unknown.code, dry.code, refused.code, done.code)
    assert 'did you mean "musterstadt"' in unknown.err
    assert {"present"} == {row["payload"] for row in before}
    assert {"erased"} == {row["payload"] for row in after}
    assert {"completed", "rejected", "discarded"} == {row["state"] for row in after}
    assert "musterstadt.kek" in done.out
    assert [] == [path for path in (own.folder / "data/blobs").glob("??/*") if path.is_file()]
    assert 0 == own.call("audit", "verify").code
    assert 0 == own.call("audit", "dossier", own.ids["done"], "-o", own.folder / "d.json").code
    assert 1 == own.call("search", "portal/done").code


def test_a_search_is_written_down_without_what_for(own, at):
    """Who searched, with which result and why; not the identifier. A state or a code is nobody's."""
    own.call("search", "portal/done", "--reason", "Auskunft 17/26")
    own.call("search", "parked")
    own.call("list", "key=portal/done")
    rows = [row["event"] for row in own.call("audit", "export").rows if row["event"]["name"] == "person.searched"]

    assert [(2, "Auskunft 17/26"), (0, "")] == [(row["fields"]["found"], row["fields"]["reason"]) for row in rows]
    assert "portal/done" not in str(rows)


@pytest.mark.parametrize(
    "verb", [("list",), ("hold", "list"), ("hold", "set"), ("hold", "release"), ("replay", "--dry-run"), ("replay",)]
)
@pytest.mark.parametrize(("key", "found"), [("4711/25", 0), ("4711/26", 1)])
def test_whoever_names_a_key_searches(own, at, verb, key, found):
    """Whatever verb the selection is for, and whatever it finds, with the reason of the verb; not the key."""
    installation = open_installation(own.config)
    db, done = installation.store.retention._db, installation.store.get(own.ids["done"])
    with db.write() as tx:
        tx.execute(insert(search_keys), search_rows(db, done, {"zeichen": "4711/26"}))
    installation.store.close()
    own.call(*verb, f"key={key}", "--reason", "Auskunft 17/26")
    rows = [row["event"] for row in own.call("audit", "export").rows if row["event"]["name"] == "person.searched"]

    assert [(found, "Auskunft 17/26")] == [(row["fields"]["found"], row["fields"]["reason"]) for row in rows]
    assert key not in str(rows)


def test_the_record_of_processing_follows_the_configuration(own):
    """Flows, recipients and terms of every route; no secret, and nothing but the configuration is read."""
    own.config.write_text(
        own.config.read_text() + '\n[[retention]]\nstate = "completed"\ndays = 400\nroute = "bewohnerparken"\n'
    )
    said = own.call("report", "verarbeitung")
    (facts,) = own.call("report", "verarbeitung", "--json").rows
    (mandant,) = facts["mandanten"]
    (route,) = mandant["routes"]

    assert (0, 0) == (said.code, own.call("lint").code)
    for told in ("## Mandant musterstadt", "### Route bewohnerparken", "| zugestellt und quittiert | 400 Tagen |"):
        assert told in said.out
    assert [("completed", 400), ("rejected", 90)] == [(one["state"], one["days"]) for one in route["kept"][:2]]
    assert ["eakte"] == [one["name"] for one in route["recipients"]]
    assert 10 == facts["memory"]["auditYears"]


def test_lint_names_a_term_of_no_route(own):
    """A misspelt route is a warning with the nearest name; an unknown Mandant an error."""
    text = own.config.read_text()
    own.config.write_text(text + '\n[[retention]]\nstate = "completed"\ndays = 400\nroute = "bewohnerparke"\n')
    warned = own.call("lint")
    own.config.write_text(text + '\n[[retention]]\nstate = "completed"\ndays = 400\nmandant = "muster"\n')
    refused = own.call("lint")

    assert (0, 2) == (warned.code, refused.code)
    assert 'did you mean "bewohnerparken"' in warned.err + warned.out
    assert 'there is no Mandant "muster"' in refused.err + refused.out


def test_a_copy_without_its_keys_reads_nothing(own, at, tmp_path: Path):
    """A backup of database and blobs made before the erasure, restored after the term of the keys: nothing is readable."""
    shutil.copytree(own.folder, tmp_path / "sicherung")
    copy = Office(tmp_path / "sicherung", own.ids)
    with sqlite3.connect(copy.folder / "data" / "store.db") as database:
        database.execute("DELETE FROM data_keys")
    database.close()
    at(31)
    own.call("retention", "run")
    out = copy.call("mandant", "export", "musterstadt", "-o", tmp_path / "ex", "--with-payload", *WHY, "--json")

    assert (1, 0) == (out.code, out.rows[0]["payloads"])
    assert [] == [path for path in (tmp_path / "ex" / "payload").rglob("*") if path.is_file()]
    assert "nicht mehr lesbar" in copy.call("show", own.ids["done"]).out
    assert [] == list(search_tree([tmp_path / "ex"], {"sender": "portal/done"}))
