"""`keys list` and `keys forecast` as an operator calls them: every key is there, and what is foretold happens."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.operations.keys import own_keys
from intermediary.settings.load import load
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.testing.tokens import CONFIGURATION, make_token, store_key
from tests.acceptance.office import Office
from tests.acceptance.rig import Rig

READER, BOX = "reader-cipher.p12", "recipient-cipher.p12"
WAITING = ("overdue", "stuck", "waiting", "full", "conflict")


def ids(office: Office) -> set[str]:
    return {office.ids[name] for name in WAITING}


def keyring(office: Office) -> Path:
    return office.folder / "keys" / "keyring.toml"


def fingerprint(pki: Pki, name: str) -> str:
    return sha256(pki.members[name].certificate.public_bytes(Encoding.DER)).hexdigest()


def without_table(path: Path, name: str) -> None:
    """Takes one [[key]] out of a keyring, as an operator does after a rotation."""
    tables = path.read_text().split("\n[[")
    path.write_text("\n[[".join(table for table in tables if name not in table))


def test_every_key_is_listed(seen: Office, pki: Pki) -> None:
    """Use, algorithm, subject, end, place, and which waiting messages could not be opened without it."""
    said = seen.call("keys", "list", "--json")
    rows = {row["name"]: row for row in said.rows}
    reader = rows[READER]

    assert (0, "") == (said.code, said.err)
    assert [BOX, "recipient-signature.p12", READER, "musterstadt.kek"] == list(rows)
    assert ("musterstadt", "decrypt", "file", "key[3]", "RSA 4096", fingerprint(pki, "reader-cipher")) == tuple(
        reader[name] for name in ("mandant", "use", "source", "place", "algorithm", "fingerprint")
    )
    assert "CN=Fachverfahren Musterstadt (Leser)" in reader["subject"]
    assert "2036-01-01T00:00:00+00:00" == reader["notAfter"]
    assert (True, "", "") == (reader["loadable"], reader["code"], reader["why"])
    assert ids(seen) == set(reader["waiting"]) == set(rows[BOX]["waiting"])
    assert [] == rows["recipient-signature.p12"]["waiting"]
    assert ("kek", "AES 256", None) == tuple(rows["musterstadt.kek"][name] for name in ("use", "algorithm", "waiting"))


def test_the_list_for_people(seen: Office, pki: Pki) -> None:
    """In German, no line longer than a terminal, with as much of the fingerprint as the forecast takes."""
    said = seen.call("keys", "list")

    assert (0, "") == (said.code, said.err)
    assert "musterstadt" == said.lines[0]
    assert f"gebraucht von {len(WAITING)} wartenden Nachrichten" in said.out
    assert "gebraucht von keiner wartenden Nachricht" in said.out
    assert "RSA 4096   bis 01.01.2036" in said.out
    assert fingerprint(pki, "reader-cipher")[:16] in said.out
    assert max(map(len, said.lines)) <= 100


def test_quick(seen: Office) -> None:
    """Only the keys: nobody looks into the messages."""
    assert [None] * 4 == [row["waiting"] for row in seen.call("keys", "list", "--quick", "--json").rows]


def test_days_left(seen: Office, pki: Pki) -> None:
    """Whole days, negative once it has ended."""
    key = next(key for key in own_keys(load(seen.config)) if key.name == READER)
    end = datetime(2036, 1, 1, tzinfo=UTC)

    assert [1, 0, -1] == [key.days_left(end - timedelta(hours=hours)) for hours in (30, 23, -1)]


def test_a_key_that_cannot_be_used_hides_no_other(own: Office) -> None:
    """It says why; the others are listed, and the exit code is 1."""
    (own.folder / "keys" / "reader-cipher.pass").write_text("CANARY")
    said = own.call("keys", "list", "--json")
    rows = {row["name"]: row for row in said.rows}

    assert 1 == said.code
    assert (False, "key.unavailable") == (rows[READER]["loadable"], rows[READER]["code"])
    assert str(own.folder / "keys" / READER) in rows[READER]["why"]
    assert rows[BOX]["loadable"]
    assert "NICHT NUTZBAR" in own.call("keys", "list").out
    assert "CANARY" not in said.out + said.err


def test_a_keyring_that_is_none(own: Office) -> None:
    """The line names the file; KEKs are listed all the same."""
    keyring(own).write_text("not toml")
    said = own.call("keys", "list", "--json")

    assert 1 == said.code
    assert [("keyring.toml", "keyring.invalid"), ("musterstadt.kek", "")] == [(r["name"], r["code"]) for r in said.rows]


def test_a_kek_that_is_gone(own: Office) -> None:
    """It is listed as what it is, and the messages it protects are nobody's to look at: said on stderr."""
    kek = next(key for key in own_keys(load(own.config)) if key.use == "kek")
    path = next(own.folder.rglob(kek.name))
    path.unlink()
    said = own.call("keys", "list", "--json")

    assert 1 == said.code
    assert [False] == [row["loadable"] for row in said.rows if row["use"] == "kek"]
    assert [None] * 4 == [row["waiting"] for row in said.rows]
    assert "intermediary: error:" in said.err


def test_an_installation_before_its_first_start(own: Office) -> None:
    """Nothing waits, and looking creates nothing."""
    data = load(own.config).installation.data
    shutil.rmtree(data)
    said = own.call("keys", "forecast")

    assert (0, "Keine Nachricht wartet.") == (said.code, said.lines[0])
    assert not data.exists()


def test_what_each_key_is_worth(seen: Office) -> None:
    """One line per key that opens: how many messages would be lost if it went today."""
    said = seen.call("keys", "forecast", "--json")

    assert 0 == said.code
    assert {BOX: ids(seen), READER: ids(seen), "recipient-signature.p12": set()} == {
        row["name"]: set(row["lost"]) for row in said.rows
    }


@pytest.mark.parametrize("way", ["name", "path", "fingerprint", "with colons", "beginning"])
def test_a_key_that_goes(seen: Office, pki: Pki, way: str) -> None:
    """It may be named by its file or its fingerprint; the messages that need it are listed, with exit code 1."""
    whole = fingerprint(pki, "reader-cipher")
    word = {
        "name": READER,
        "path": str(keyring(seen).parent / READER),
        "fingerprint": whole,
        "with colons": ":".join(whole[i : i + 2] for i in range(0, 64, 2)).upper(),
        "beginning": whole[:16],
    }[way]
    said = seen.call("keys", "forecast", "--without", word, "--json")

    assert 1 == said.code
    assert ids(seen) == {row["id"] for row in said.rows}
    assert {(False, READER)} == {(row["lostToday"], key["name"]) for row in said.rows for key in row["keys"]}


def test_a_key_nobody_needs(seen: Office) -> None:
    """It may go: nothing is lost."""
    said = seen.call("keys", "forecast", "--without", "recipient-signature.p12")

    assert 0 == said.code
    assert "Nicht mehr zu öffnen: keine Nachricht" in said.out


@pytest.mark.parametrize(("day", "code"), [("2035-12-31", 0), ("2036-01-02", 1)])
def test_keys_that_end_by_a_date(seen: Office, day: str, code: int) -> None:
    """Certificates that end before it take their keys with them."""
    said = seen.call("keys", "forecast", "--at", day, "--json")

    assert code == said.code
    assert (ids(seen) if code else set()) == {row["id"] for row in said.rows}
    assert not code or {BOX, READER} == {key["name"] for key in said.rows[0]["keys"]}


@pytest.mark.parametrize("words", [("--without", "nix.p12"), ("--without", "abcd"), ("--at", "morgen")])
def test_what_is_not_understood(seen: Office, words: tuple[str, str]) -> None:
    """An unknown key or date is a mistake of usage, and the known ones are named."""
    said = seen.call("keys", "forecast", *words)

    assert (2, "") == (said.code, said.out)
    assert READER in said.err or "2026-12-31" in said.err


def test_a_successor_beside_it(own: Office, pki: Pki) -> None:
    """What was sealed for the old key stays lost without it, whatever new key stands beside it."""
    with keyring(own).open("a") as file:
        file.write('\n[[key]]\np12 = "originator-cipher.p12"\npassword_file = "originator-cipher.pass"\n')

    assert ids(own) == {row["id"] for row in own.call("keys", "forecast", "--without", READER, "--json").rows}


def test_lost_already(own: Office) -> None:
    """A key that has gone is not foretold but told: with exit code 1, apart from what may come."""
    without_table(keyring(own), "reader-cipher.p12")
    said = own.call("keys", "forecast", "--json")
    lost = [row for row in said.rows if "lostToday" in row]

    assert 1 == said.code
    assert ids(own) == {row["id"] for row in lost}
    assert {True} == {row["lostToday"] for row in lost}
    assert "Schon heute nicht zu öffnen" in own.call("keys", "forecast").out


def test_what_is_foretold_happens(rig: Rig) -> None:
    """The message that the forecast names waits for its key once that is gone, and goes on when it is back."""
    taken = rig.submit(sample_letter(1, now=rig.clock()), "portal/1")
    ring = rig.installation.settings.mandant[0].keyring
    office = Office(rig.site.config.parent, {})
    foretold = office.call("keys", "forecast", "--without", READER, "--json").rows
    before = ring.read_text()
    without_table(ring, "reader-cipher.p12")
    rig.work()
    waits = rig.get(taken)
    ring.write_text(before)
    rig.clock.advance(timedelta(hours=1))
    rig.work()

    assert [taken] == [row["id"] for row in foretold]
    assert ("received", "key.reader.missing") == (waits.state.value, waits.wait_reason)
    assert "completed" == rig.get(taken).state.value


def test_a_message_is_opened_by_a_token(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, softhsm: Path
) -> None:
    """The reader's key on a token: listed as such; without the token the message waits, and goes on when it is back."""
    token = make_token(tmp_path / "hsm")
    monkeypatch.setenv(CONFIGURATION, str(token.configuration))
    reader = rig.site.pki.members["reader-cipher"]
    store_key(token, "leser", reader.private, reader.certificate)  # type: ignore[arg-type]
    ring = rig.installation.settings.mandant[0].keyring
    without_table(ring, "reader-cipher.p12")
    with ring.open("a") as file:
        file.write(
            f'\n[[key]]\npkcs11 = "{token.uri("leser")}"\nmodule = "{token.module}"\n'
            f'password_file = "{token.pin_file}"\npem = "reader-cipher.cert.pem"\n'
        )
    office = Office(rig.site.config.parent, {})
    first = rig.submit(sample_letter(1, now=rig.clock()), "portal/1")
    (row,) = [row for row in office.call("keys", "list", "--json").rows if row["source"] == "token"]
    rig.work()
    token.pull_out()
    second = rig.submit(sample_letter(2, now=rig.clock()), "portal/2")
    gone = office.call("keys", "list")
    doctor = {row["subject"]: row["verdict"] for row in office.call("doctor", "--json").rows}
    rig.work()
    waits = rig.get(second)
    token.put_back()
    rig.clock.advance(timedelta(hours=1))
    rig.work()

    assert ("leser on Musterstadt", True, [first]) == (row["name"], row["loadable"], row["waiting"])
    assert "completed" == rig.get(first).state.value
    assert "bad" == doctor["token musterstadt: leser on Musterstadt"]
    assert (1, True) == (gone.code, "NICHT NUTZBAR" in gone.out)
    assert "received" == waits.state.value
    assert waits.wait_reason in ("key.unavailable", "key.token.failed")
    assert "completed" == rig.get(second).state.value
