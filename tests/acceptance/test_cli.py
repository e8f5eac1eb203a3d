"""Each verb as a user calls it: what it says, on which channel, with which exit code."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intermediary.audit.second_place import write_head
from intermediary.cli.main import VERBS
from intermediary.core.codes import CATALOGUE
from intermediary.operations.selection import Selection
from intermediary.testing.demo_site import SERVICE_WITHOUT_ROUTE
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from tests.acceptance.command import Said, call, process
from tests.acceptance.rig import Rig


class Office:
    """An installation in which something has happened; `ids` tells what by name. Commands get its `config`."""

    def __init__(self, folder: Path, ids: dict[str, str]) -> None:
        self.folder = folder
        self.ids = ids

    @property
    def config(self) -> Path:
        return self.folder / "intermediary.toml"

    def call(self, *arguments: str | Path) -> Said:
        return call(*arguments, "-c", self.config)

    def state(self, name: str) -> str:
        (row,) = self.call("list", self.ids[name], "--json").rows
        return row["state"]


def _office(folder: Path, pki: Pki) -> Office:
    rig = Rig(folder, pki)
    now = rig.clock
    ids = {}
    ids["overdue"] = rig.submit(sample_letter(1, now=now(), service=SERVICE_WITHOUT_ROUTE), "portal/overdue")
    ids["stuck"] = rig.submit(sample_letter(2, now=now()), "portal/stuck")
    rig.site.occupy(ids["stuck"])
    rig.work()
    now.advance(timedelta(hours=72))
    rig.work()
    ids["done"] = rig.submit(sample_letter(3, now=now()), "portal/done")
    ids["broken"] = rig.submit(sample_letter(4, now=now(), is_broken=True), "portal/broken")
    ids["waiting"] = rig.submit(sample_letter(5, now=now(), service=SERVICE_WITHOUT_ROUTE), "portal/waiting")
    ids["full"] = rig.submit(sample_letter(6, now=now()), "portal/full")
    rig.site.occupy(ids["full"])
    ids["conflict"] = rig.submit(sample_letter(7, now=now()), "portal/done")
    rig.work()
    head = rig.store.seal_heads(rig.installation.signing.sign, now=now())
    write_head(rig.installation.settings.audit.heads_folder, head)
    rig.close()
    return Office(folder, ids)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Office:
    """One installation for verbs that only look."""
    return _office(tmp_path_factory.mktemp("cli") / "site", pki)


@pytest.fixture
def own(tmp_path: Path, seen: Office) -> Iterator[Office]:
    """A copy of it for verbs that change something."""
    shutil.copytree(seen.folder, tmp_path / "site")
    return Office(tmp_path / "site", seen.ids)


# the command itself


def test_an_unknown_verb_is_answered_with_the_nearest():
    """Also verbs of groups; usage mistakes end with 2, in the house's form, on standard error."""
    for words, near in (
        (("serch",), "search"),
        (("audit", "verfy"), "verify"),
        (("schemas", "instal"), "install"),
        (("list", "--jsn"), "--json"),
    ):
        said = call(*words)

        assert (2, "") == (said.code, said.out)
        assert said.err.startswith("intermediary: error: no such")
        assert f"'{near}'" in said.err


def test_a_missing_configuration_is_named(tmp_path):
    """A wrong path ends with 2 and names the path; so does none at all."""
    wrong = call("list", "-c", tmp_path / "nirgends.toml")
    missing = call("list")

    assert (2, 2) == (wrong.code, missing.code)
    assert "nirgends.toml" in wrong.err
    assert "--config" in missing.err
    assert wrong.err.startswith("intermediary: error: ")


def test_the_configuration_may_come_from_the_environment(seen):
    """INTERMEDIARY_CONFIG is the one variable of the environment; what it names need not be told again."""
    said = process("state", "--all", "--json", INTERMEDIARY_CONFIG=str(seen.config))

    assert (0, "") == (said.code, said.err)
    assert set(seen.ids.values()) == {row["id"] for row in said.rows}


def test_a_broken_configuration_is_told_in_full(own):
    """A verb that needs the installation says every finding on its own line, with hint, and ends with 2."""
    text = own.config.read_text()
    own.config.write_text(text.replace("head_seconds", "head_second").replace("= 300", '= "oft"'))

    said = own.call("list")

    assert (2, "") == (said.code, said.out)
    assert {"audit.head_second", "delivery.recheck_seconds"} == {
        line.split(": ")[3] for line in said.err.splitlines() if ": error: " in line
    }
    assert 'intermediary: hint: did you mean "head_seconds"?' in said.err.splitlines()


def test_control_characters_never_reach_the_terminal(own):
    """Whatever a sender or a user wrote: escape sequences and reversals of direction are shown, not sent (threat T17)."""
    evil = "x\x1b[31m\u202egnp.exe\r\n"
    file = own.folder / "evil.osci"
    shutil.copy(own.folder / "keys" / "keyring.toml", file)

    outputs = [
        own.call("show", evil),
        own.call("list", f"state={evil}"),
        own.call("decide", evil, "resume", "--reason", "x"),
        call(evil),
        call("list", "-c", evil),
        own.call("submit", file, "--channel", evil),
    ]

    for said in outputs:
        assert 2 == said.code
        assert not set("\x1b\u202e\r") & set(said.out + said.err), said
        assert "\\x1b" in said.err


def test_an_unexpected_defect_is_shown_without_its_text(own, monkeypatch):
    """An exception nobody expected may quote a message: kind and place are shown, its text is not."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError("Antrag von Frau Beispiel")

    monkeypatch.setattr("intermediary.operations.look.row", fail)
    said = own.call("list")

    assert 2 == said.code
    assert "ValueError" in said.err
    assert "Beispiel" not in said.err
    assert "Traceback" not in said.err


# lint and doctor


def test_lint_finds_the_example_sound(seen):
    """Exit code 0, and no finding that blocks."""
    said = seen.call("lint")

    assert (0, "") == (said.code, said.err)
    assert "sound" in said.out


BREAKAGES = {
    "intermediary.toml": [
        ("head_seconds", "head_second", "audit.head_second", "head_seconds"),
        ("recheck_seconds = 300", "recheck_seconds = -1", "delivery.recheck_seconds", ""),
        ('mandanten = ["musterstadt"]', 'mandanten = ["musterstad"]', "mandanten", "musterstadt"),
    ],
    "routes.toml": [
        ('connector = "ordner"', 'connector = "ordnr"', "route[bewohnerparken].target[eakte].connector", "ordner"),
        ("aktenplan =", "aktenpla =", "route[bewohnerparken].settings.aktenpla", "aktenplan"),
        ("bewohnerparken@1", "bewohnerparken@9", "route[bewohnerparken].mapping", "bewohnerparken@1"),
        ('mandant = "musterstadt"', 'mandant = "musterstad"', "route[bewohnerparken].mandant", "musterstadt"),
        ("checksum = true", "cheksum = true", "route[bewohnerparken].target[eakte].settings.cheksum", "checksum"),
    ],
    "keys/keyring.toml": [("purpose", "purpos", "trust[0].purpos", "purpose")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "before", "after", "path", "hint"),
    [(file, *one) for file, all_of_them in BREAKAGES.items() for one in all_of_them],
)
def test_lint_names_file_path_and_remedy(own, file, before, after, path, hint):
    """Each mistake is found with its file, its dotted path and the nearest name, and ends with 2."""
    place = own.folder / file
    text = place.read_text()
    assert before in text
    place.write_text(text.replace(before, after, 1))

    said = own.call("lint")

    assert 2 == said.code
    (error,) = [line for line in said.err.splitlines() if f"{path}: " in line or f"{path.split('.')[-1]}: " in line]
    assert f"intermediary: error: {place}: " in error
    assert hint in said.err


def test_lint_tells_all_findings_at_once(own):
    """Every mistake of every file in one run."""
    (own.folder / "secrets" / "musterstadt.kek").unlink()
    for file, before, after in (
        ("routes.toml", 'connector = "ordner"', 'connector = "ordnr"'),
        ("routes.toml", "aktenplan =", "aktenpla ="),
        ("keys/keyring.toml", "purpose", "purpos"),
    ):
        place = own.folder / file
        place.write_text(place.read_text().replace(before, after, 1))

    said = own.call("lint", "--json")
    rows = said.rows

    assert (2, "") == (said.code, said.err)
    found = {(Path(row["file"]).name, row["path"]) for row in rows}
    assert ("intermediary.toml", "mandant[musterstadt].kek_file") in found
    assert ("routes.toml", "route[bewohnerparken].target[eakte].connector") in found
    assert ("routes.toml", "route[bewohnerparken].settings.aktenpla") in found
    assert "keyring.toml" in {name for name, _ in found}


def test_lint_survives_a_file_that_is_no_toml(own):
    """What cannot be read is one finding with its line."""
    for file in ("routes.toml", "intermediary.toml"):
        (own.folder / file).write_text("[[route]\n")

        said = own.call("lint")

        assert 2 == said.code
        assert file in said.err
        assert "line 1" in said.err
        assert "Traceback" not in said.err


def test_doctor_looks_at_everything(seen):
    """Keys with their days, store, schemas, doors, ways back and targets; 0 when nothing is bad."""
    said = seen.call("doctor")
    rows = seen.call("doctor", "--json").rows

    assert 0 == said.code
    assert {"ok", "warning"} >= {row["verdict"] for row in rows}
    for subject in ("key musterstadt", "store", "schemas", "door eingang", "answers of eingang", "audit heads",
                    "target bewohnerparken/eakte"):  # fmt: skip
        assert any(row["subject"].startswith(subject) for row in rows), subject
    assert len(rows) <= len(said.lines)


@pytest.mark.parametrize(
    ("folder", "subject"),
    [
        ("eingang", "door eingang"),
        ("quittungen", "answers of eingang"),
        ("fachverfahren", "target bewohnerparken/eakte"),
        (".fachverfahren-state", "target bewohnerparken/eakte"),
    ],
)
def test_doctor_misses_what_is_missing(own, folder, subject):
    """A folder that has gone is bad news of the one who uses it: named with a remedy, exit code not 0."""
    (own.folder / folder).rename(own.folder / "weg")

    said = own.call("doctor", "--json")

    assert 1 == said.code
    bad = {row["subject"]: row["hint"] for row in said.rows if row["verdict"] == "bad"}
    assert any(name.startswith(subject) and hint for name, hint in bad.items()), bad


def test_doctor_quick_asks_only_the_store(own):
    """The health check of a container: 0 while the store opens, 2 when it does not."""
    (own.folder / "quittungen").rename(own.folder / "weg")
    assert 0 == own.call("doctor", "--quick").code

    (own.folder / "data" / "store.db").write_bytes(b"this is no database" * 1000)

    said = own.call("doctor", "--quick")
    assert 2 == said.code
    assert said.err.startswith("intermediary: error: ")


# submit


def test_submit_takes_recognises_and_refuses(own):
    """New, the same again, the same id with other bytes, and what the channel does not let in."""
    rig_file = own.folder / "antrag.osci"
    rig_file.write_bytes(b"MIME-Version: 1.0\r\n\r\nkein Antrag, aber dauerhaft\r\n")
    other = own.folder / "anderer.osci"
    other.write_bytes(b"MIME-Version: 1.0\r\n\r\nandere Bytes\r\n")
    empty = own.folder / "leer.osci"
    empty.write_bytes(b"")

    new = own.call("submit", rig_file, "--json")
    again = own.call("submit", rig_file, "--json")
    conflict = own.call("submit", other, "--message-id", "antrag.osci", "--json")
    refused = own.call("submit", empty, rig_file, "--json")
    unknown = own.call("submit", other, "--content-type", "text/plain", "--json")

    assert (0, "new") == (new.code, new.rows[0]["outcome"])
    assert (0, "duplicate", new.rows[0]["id"]) == (again.code, again.rows[0]["outcome"], again.rows[0]["id"])
    assert "conflict" == conflict.rows[0]["outcome"]
    assert 1 == refused.code
    assert [("refused", "intake.body.empty"), ("duplicate", "")] == [(r["outcome"], r["code"]) for r in refused.rows]
    assert (1, "intake.type.unknown") == (unknown.code, unknown.rows[0]["code"])
    assert rig_file.exists()
    assert "received" == own.call("list", new.rows[0]["id"], "--json").rows[0]["state"]


def test_submit_tells_people_why_it_refuses(own):
    """For people a refusal says meaning and remedy, not only a code."""
    empty = own.folder / "leer.osci"
    empty.write_bytes(b"")

    said = own.call("submit", empty)

    assert 1 == said.code
    assert "leer.osci: refused" in said.out
    assert CATALOGUE["intake.body.empty"].meaning in said.out + said.err


def test_submit_demands_what_it_needs(own):
    """A file that is not there, an unknown channel, one id for two files: usage, 2, and nothing was taken."""
    file = own.folder / "routes.toml"
    before = own.call("state", "--all", "--json").out

    for arguments in (("fehlt.osci",), (file, "--channel", "nirgends"), (file, file, "--message-id", "a")):
        said = own.call("submit", *arguments)

        assert (2, "") == (said.code, said.out)
        assert said.err.startswith("intermediary: error: ")
    assert before == own.call("state", "--all", "--json").out


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
    assert all(len(line) <= 120 for line in table.lines)


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
    assert {"id", "headline", "lines"} == seen.call("explain", seen.ids["done"], "--json").rows[0].keys()


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


# replay and decide


def test_replay_shows_first_and_moves_then(own):
    """The dry run changes no state; the real one needs a reason and moves on what can move."""
    before = own.call("state", "--all", "--json").out
    dry = own.call("replay", own.ids["overdue"], own.ids["done"], "--dry-run", "--json")
    assert before == own.call("state", "--all", "--json").out
    silent = own.call("replay", own.ids["overdue"])
    real = own.call("replay", own.ids["overdue"], own.ids["done"], "--reason", "Route ergänzt", "--json")

    assert 0 == dry.code
    assert ["resume", "nothing"] == [row["action"] for row in dry.rows]
    assert [True, True] == [row["dryRun"] for row in dry.rows]
    assert 2 == silent.code
    assert "--reason" in silent.err
    assert ["resume", "nothing"] == [row["action"] for row in real.rows]
    assert "received" == own.state("overdue")
    assert "completed" == own.state("done")


def test_replay_refuses_a_redelivery_without_reason(own):
    """What has arrived goes out again only on request, with a reason; then as a Zustellung of its own."""
    dry = own.call("replay", own.ids["done"], "--redeliver", "eakte", "--dry-run", "--json")
    silent = own.call("replay", own.ids["done"], "--redeliver", "eakte")
    wrong = own.call("replay", own.ids["done"], "--redeliver", "akte", "--reason", "x", "--json")
    real = own.call("replay", own.ids["done"], "--redeliver", "eakte", "--reason", "Paket verloren", "--json")

    assert ["redeliver"] == [row["action"] for row in dry.rows]
    assert 2 == silent.code
    assert ["nothing"] == [row["action"] for row in wrong.rows]
    assert ["redeliver"] == [row["action"] for row in real.rows]
    (row,) = own.call("show", own.ids["done"], "--json").rows
    assert ["delivered", "due"] == [one["state"] for one in row["zustellungen"]]
    assert "Paket verloren" == row["zustellungen"][1]["reason"]
    assert row["zustellungen"][0]["key"] == row["zustellungen"][1]["redelivers"]


def test_replay_judges_anew_or_redelivers(own):
    """The two contradict each other: one redelivers what was judged, the other judges what was never sent."""
    said = own.call("replay", own.ids["done"], "--redeliver", "eakte", "--with", "current", "--reason", "x")

    assert (2, "") == (said.code, said.out)
    assert "--redeliver" in said.err


def test_replay_takes_conditions_and_needs_some(own):
    """A selection by state and code; none at all is a mistake, not everything."""
    none = own.call("replay", "--reason", "x")
    some = own.call("replay", "state=parked", "code=route.missing", "--dry-run", "--json")

    assert 2 == none.code
    assert {own.ids["overdue"]} == {row["id"] for row in some.rows}
    for_people = own.call("replay", "state=parked", "code=route.missing", "--dry-run")
    assert "Probelauf: 1 Nachricht würde weiterlaufen." == for_people.lines[-1]
    assert own.ids["overdue"] in for_people.lines[0]


def test_decide_demands_a_reason(own):
    """No decision without saying why: error with hint, 2, and nothing changed."""
    for verb in ("resume", "reject", "discard", "send-again", "confirm-delivered"):
        said = own.call("decide", own.ids["conflict"], verb, "--proof", "x")

        assert (2, "") == (said.code, said.out), verb
        assert "reason" in said.err.splitlines()[0]
        assert "intermediary: hint: " in said.err
        assert "--reason" in said.err
    assert "parked" == own.state("conflict")


def test_decide_carries_out_each_verb(own):
    """Resume, reject and discard move a parked Nachricht; send-again and confirm-delivered a parked Zustellung."""
    why = ("--reason", "geprüft")
    assert "received" == own.call("decide", own.ids["overdue"], "resume", *why, "--json").rows[0]["state"]
    assert "discarded" == own.call("decide", own.ids["conflict"], "discard", *why, "--json").rows[0]["state"]
    assert "answering" == own.call("decide", own.ids["waiting"], "reject", *why, "--json").rows[0]["state"]
    again = own.call("decide", f"{own.ids['stuck']}/eakte", "send-again", *why)
    assert (0, f"Nachricht {own.ids['stuck']} ist jetzt planned.\n") == (again.code, again.out)
    (row,) = own.call("show", own.ids["stuck"], "--json").rows
    assert "due" == row["zustellungen"][0]["state"]
    persons = [event for event in row["events"] if event["event"].startswith("person.")]
    assert ["geprüft"] == [event["fields"]["reason"] for event in persons]
    assert all(event["actor"] for event in persons)


def test_decide_confirms_what_a_person_has_seen(own):
    """With a proof the Zustellung counts as delivered; without one it is refused."""
    target = f"{own.ids['stuck']}/eakte"
    bare = own.call("decide", target, "confirm-delivered", "--reason", "gesehen")
    proven = own.call("decide", target, "confirm-delivered", "--reason", "gesehen", "--proof", "Vorgang 4711")

    assert 2 == bare.code
    assert "--proof" in bare.err
    assert 0 == proven.code, proven
    (row,) = own.call("show", own.ids["stuck"], "--json").rows
    assert ("answering", "delivered") == (row["state"], row["zustellungen"][0]["state"])


def test_a_decision_about_the_whole_takes_no_target(own):
    """Who names a target means the target: discarding the whole Nachricht for it would be a surprise."""
    for verb in ("resume", "reject", "discard"):
        said = own.call("decide", f"{own.ids['conflict']}/eakte", verb, "--reason", "x")

        assert (2, "") == (said.code, said.out)
        assert verb in said.err
    assert "parked" == own.state("conflict")


def test_what_has_arrived_is_not_sent_again(own):
    """Send-again is for what has not arrived; a target that has it, or is none of this route, is refused."""
    arrived = own.call("decide", f"{own.ids['done']}/eakte", "send-again", "--reason", "x")
    unknown = own.call("decide", f"{own.ids['stuck']}/akte", "send-again", "--reason", "x")

    assert (2, 2) == (arrived.code, unknown.code)
    assert "akte" in unknown.err
    assert "completed" == own.state("done")


def test_the_account_in_the_trail_is_the_real_one(own, monkeypatch):
    """Who decided is who the system says it is, not what the environment claims."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")

    own.call("decide", own.ids["conflict"], "discard", "--reason", "geprüft")

    (row,) = own.call("show", own.ids["conflict"], "--json").rows
    actors = {event["actor"] for event in row["events"] if event["event"].startswith("person.")}
    assert 1 == len(actors)
    assert "mallory" not in actors


def test_what_is_not_possible_is_said(own):
    """A decision that does not fit the state changes nothing and says what is the matter."""
    said = own.call("decide", own.ids["done"], "discard", "--reason", "weg damit")

    assert 2 == said.code
    assert "completed" in said.err
    assert "completed" == own.state("done")


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
        query = "SELECT rowid, body FROM audit_events ORDER BY number LIMIT 1 OFFSET 3"
        row, body = database.execute(query).fetchone()
        place = len(body) // 2
        flipped = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        database.execute("UPDATE audit_events SET body = ? WHERE rowid = ?", (flipped, row))
    database.close()


# plug-ins and schemas


def test_mappings_and_connectors_are_listed():
    """What is installed, with what it reads and writes, and its settings with help."""
    mappings = call("mapping", "list", "--json")
    connectors = call("connector", "list", "--json")

    assert "bewohnerparken@1" in {row["name"] for row in mappings.rows}
    assert all(row["reads"] and row["writes"] for row in mappings.rows)
    by_name = {row["name"]: row for row in connectors.rows}
    assert "lookup" == by_name["ordner"]["idempotency"]
    assert "drop" in by_name["ordner"]["settings"]
    for said in (call("mapping", "list"), call("connector", "list")):
        assert 0 == said.code
        assert all(len(line) <= 120 for line in said.lines), max(said.lines, key=len)


def test_mapping_test_runs_the_golden_cases():
    """All cases of a mapping as expected; an unknown one is named with the nearest."""
    said = call("mapping", "test", "bewohnerparken")
    unknown = call("mapping", "test", "bewohnerparkn")

    assert 0 == said.code
    assert "cases as expected" in said.out
    assert 2 == unknown.code
    assert "bewohnerparken@1" in unknown.err


def test_schemas_are_installed_listed_and_verified(tmp_path, shared):
    """A package is taken in by its pin, listed with its hash, and a changed file is noticed with its place and remedy."""
    folder = ("--folder", tmp_path / "schemas")
    empty = call("schemas", "list", *folder, "--json")
    installed = call("schemas", "install", shared / "schemas" / "genericode", *folder, "--json")
    listed = call("schemas", "list", *folder, "--json")

    assert (0, "") == (empty.code, empty.out)
    assert (0, installed.rows) == (installed.code, listed.rows)
    assert ["genericode@1.0"] == [row["id"] for row in listed.rows]
    assert "genericode@1.0" in {row["id"] for row in call("schemas", "list", "--known", "--json").rows}
    assert 0 == call("schemas", "verify", *folder).code
    changed = next((tmp_path / "schemas").rglob("*.xsd"))
    changed.chmod(0o644)
    changed.write_bytes(changed.read_bytes() + b" ")
    verdict = call("schemas", "verify", *folder)
    assert 1 == verdict.code
    assert "genericode" in verdict.err
    assert "intermediary: hint: " in verdict.err


def test_schemas_refuse_what_is_no_package(tmp_path):
    """A folder without a known package is refused with a reason, and nothing is installed."""
    (tmp_path / "fremd").mkdir()
    (tmp_path / "fremd" / "a.xsd").write_text("<schema/>")

    said = call("schemas", "install", tmp_path / "fremd", "--folder", tmp_path / "schemas")

    assert said.code in (1, 2)
    assert said.err.startswith("intermediary: error: ")
    assert "" == call("schemas", "list", "--folder", tmp_path / "schemas", "--json").out


# channels


def test_json_is_all_there_is_on_stdout(seen):
    """Every verb with --json: JSON lines on standard output, nothing else; logs and complaints on standard error."""
    commands = [
        ("lint", "--json"),
        ("doctor", "--json"),
        ("list", "--json"),
        ("search", "parked", "--json"),
        ("show", seen.ids["done"], "--json"),
        ("explain", seen.ids["done"], "--json"),
        ("state", "--json"),
        ("state", "--all", "--json"),
        ("replay", seen.ids["done"], "--dry-run", "--json"),
        ("audit", "verify", "--json"),
        ("audit", "export"),
    ]
    for words in commands:
        said = seen.call(*words)

        assert "" == said.err, words
        assert all(isinstance(json.loads(line), dict) for line in said.lines), words


def test_logs_of_a_real_process_are_on_stderr(own):
    """A run that ends at once for its configuration complains on standard error; its standard output is empty."""
    routes = own.folder / "routes.toml"
    routes.write_text(routes.read_text().replace('connector = "ordner"', 'connector = "ordnr"'))

    said = process("run", "-c", own.config)

    assert (2, "") == (said.code, said.out)
    assert "ordner" in said.err
    assert "Traceback" not in said.err


def test_help_is_there_for_every_verb():
    """Every verb says what it does and which options it has."""
    for words in ((), ("audit", "verify"), ("audit", "export"), *((verb,) for verb in VERBS)):
        said = call(*words, "--help")

        assert 0 == said.code, words
        assert said.out.startswith("Usage: intermediary")
        assert "--help" in said.out
