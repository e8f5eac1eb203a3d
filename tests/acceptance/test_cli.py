"""The command line as a whole: usage, configuration, channels, what an operator looks at before messages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from intermediary.cli.main import VERBS
from tests.acceptance.command import call, process

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
    """Exit code 0, and no finding that blocks; only that its test route delivers what no official schema has checked."""
    said = seen.call("lint")
    warnings = [line for line in said.err.splitlines() if not line.startswith("intermediary: hint: ")]

    assert (0, 1) == (said.code, len(warnings))
    assert warnings[0].endswith("of Mandant musterstadt is delivered unchecked: xdomea 3.1.0 is not installed")
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
    "keys/keyring.toml": [("purpose", "purpos", "trust[1].purpos", "purpose")],
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
        assert said.out.endswith(": 1 finding\n")
        assert "line 1" in said.err
        assert "Traceback" not in said.err


def test_doctor_looks_at_everything(seen):
    """Keys with their days, store, schemas, doors, ways back and targets; 0 when nothing is bad."""
    said = seen.call("doctor")
    rows = seen.call("doctor", "--json").rows

    assert 0 == said.code
    assert {"ok", "warning"} >= {row["verdict"] for row in rows}
    for subject in ("key musterstadt", "store", "schemas", "door eingang", "answers of eingang", "audit heads",
                    "target musterstadt/bewohnerparken/eakte"):  # fmt: skip
        assert any(row["subject"].startswith(subject) for row in rows), subject
    assert len(rows) <= len(said.lines)


@pytest.mark.parametrize(
    ("folder", "subject"),
    [
        ("eingang", "door eingang"),
        ("quittungen", "answers of eingang"),
        ("fachverfahren", "target musterstadt/bewohnerparken/eakte"),
        (".fachverfahren-state", "target musterstadt/bewohnerparken/eakte"),
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
    for said in (call("mapping", "list"), call("connector", "list"), call("connector", "list", "rest", "ordner")):
        assert 0 == said.code
        assert all(len(line) <= 120 for line in said.lines), max(said.lines, key=len)


def test_the_list_of_connectors_fits_a_screen():
    """Settings, hundreds of lines in all, are told of those that are named; a name nobody has is told with the nearest."""
    every, one, none = (call("connector", "list", *names) for names in ((), ("ordner",), ("ordnr",)))

    assert len(every.lines) < 40
    assert every.lines[-1] == "their settings: intermediary connector list NAME"
    assert ["ordner"] == [line.split()[0] for line in one.lines if not line.startswith(" ")]
    assert any(line.split()[0] == "drop" for line in one.lines)
    assert (2, "") == (none.code, none.out)
    assert 'did you mean "ordner"?' in none.err


def test_mapping_test_runs_the_golden_cases():
    """All cases of a mapping as expected; an unknown one is named with the nearest."""
    said = call("mapping", "test", "bewohnerparken")
    unknown = call("mapping", "test", "bewohnerparkn")

    assert 0 == said.code
    assert "Fällen wie erwartet" in said.out
    assert 2 == unknown.code
    assert "bewohnerparken@1" in unknown.err


def test_schemas_are_installed_listed_and_verified(tmp_path, shared):
    """A package is taken in by its pin, listed with its hash, and a changed file is noticed with its place and remedy."""
    folder = ("--folder", tmp_path / "schemas")
    empty = call("schemas", "list", *folder, "--json")
    installed = call("schemas", "install", shared / "schemas" / "genericode", *folder, "--json")
    listed = call("schemas", "list", *folder, "--json")

    assert (0, "") == (empty.code, empty.out)
    assert (0, [row | {"routes": []} for row in installed.rows]) == (installed.code, listed.rows)
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
