"""The command `open`: JSON lines, exit codes, extraction under our own names, text for people."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from intermediary.cli.open import command
from intermediary.osci.write import Attachment, Cipher, Letter, Random, seal
from intermediary.osci.write.algorithms import Symmetric
from intermediary.testing.pki import Pki, write_pki
from tests.unit.unseal.conftest import NOW

AT = NOW.isoformat()


@pytest.fixture
def ring(pki: Pki, tmp_path: Path, randomness: Random) -> Path:
    """The receiver's keyring file."""
    return write_pki(pki, tmp_path / "keys", random=randomness)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def sealed(letter: Letter, pki: Pki, randomness: Random, tmp_path: Path) -> Path:
    """A sealed letter as a file."""
    path = tmp_path / "antrag.osci"
    path.write_bytes(seal(letter, parties=pki.parties, random=randomness, now=NOW))
    return path


def test_json(sealed: Path, ring: Path, letter: Letter) -> None:
    """One object per file with the names of the sidecars (DESIGN §5)."""
    result = run(sealed, "--keys", ring, "--at", AT, "--json")
    [found] = lines(result)

    assert result.exit_code == 0
    assert (found["file"], found["format"], found["messageType"]) == (str(sealed), "osci-1.2", "AcceptDelivery")
    assert (found["messageId"], found["subject"]) == (letter.message_id, letter.subject)
    assert (found["outcome"], found["code"], found["osciCode"], found["step"]) == ("accepted", None, None, None)
    assert [content["length"] for content in found["contents"]] == [len(content) for content in letter.contents]
    assert set(found["contents"][0]) == {"refId", "length", "sha256", "path"}
    assert [(a["refId"], a["encrypted"]) for a in found["attachments"]] == [(a.name, True) for a in letter.attachments]
    assert [s["layer"] for s in found["signatures"]] == ["transport", "content"]
    assert {"signer", "algorithm", "intact", "valid", "trusted", "covers"} <= set(found["signatures"][0])
    assert found["findings"] == []
    assert found["algorithms"]


def test_exit_codes(sealed: Path, ring: Path, tmp_path: Path) -> None:
    """0 accepted, 1 rejected, 2 for wrong usage; every file is told about."""
    broken = tmp_path / "broken.osci"
    broken.write_bytes(sealed.read_bytes()[:-30])
    result = run(sealed, broken, "--keys", ring, "--at", AT, "--json")

    assert result.exit_code == 1
    assert [(line["outcome"], line["code"], line["osciCode"]) for line in lines(result)] == [
        ("accepted", None, None),
        ("rejected", "mime.malformed", "9100"),
    ]
    assert run(sealed, "--keys", ring, "--at", "2026-01-01T00:00:00").exit_code == 2
    assert run(sealed, "--keys", ring, "--at", "yesterday").exit_code == 2
    assert run(sealed, "--policy", "lax").exit_code == 2
    assert run(tmp_path / "missing.osci").exit_code == 2
    assert run().exit_code == 2


def test_without_keys(sealed: Path) -> None:
    """Without a keyring an encrypted message is told as such, not a crash."""
    [found] = lines(run(sealed, "--json"))

    assert (found["outcome"], found["code"], found["osciCode"]) == ("rejected", "osci.transport.no-key", "9200")
    assert found["contents"] == []


def test_a_folder_is_not_opened_yet(tmp_path: Path) -> None:
    """A folder (a FIT-Connect submission) is refused by name until that format is there."""
    [found] = lines(run(tmp_path, "--json"))

    assert (found["outcome"], found["code"]) == ("rejected", "intake.type.unknown")


def test_extract(letter: Letter, pki: Pki, ring: Path, randomness: Random, tmp_path: Path) -> None:
    """Extracted files have names of ours, whatever the sender calls them, and are for their owner alone."""
    names = [
        "../x.pdf",
        "/etc/passwd",
        "..\\..\\x",
        "a/../../x.pdf",
        "CON",
        ".",
        "..",
        "-rf",
        "x" * 300,
        "\u202efdp.exe",
    ]
    hostile = replace(
        letter, attachments=tuple(Attachment(name, "application/pdf", b"%PDF-" + name.encode()) for name in names)
    )
    message, folder = tmp_path / "m.osci", tmp_path / "out" / "here"
    message.write_bytes(seal(hostile, parties=pki.parties, random=randomness, now=NOW))
    before = {path for path in tmp_path.rglob("*") if folder not in path.parents}
    result = run(message, "--keys", ring, "--at", AT, "--json", "--extract", folder)
    [found] = lines(result)
    written = {path.name: path for path in folder.iterdir()}

    assert result.exit_code == 0
    assert {part["extracted"] for part in (*found["contents"], *found["attachments"])} == set(written)
    assert len(written) == len(names) + len(letter.contents)
    assert all(name.startswith("0001-") for name in written)
    assert all(stat.S_IMODE(os.lstat(path).st_mode) == 0o600 for path in written.values())
    assert [written[a["extracted"]].read_bytes() for a in found["attachments"]] == [
        b"%PDF-" + n.encode() for n in names
    ]
    assert {p for p in tmp_path.rglob("*") if folder not in p.parents} - before <= {folder, folder.parent}


def test_extract_never_overwrites(sealed: Path, ring: Path, tmp_path: Path) -> None:
    """A folder that holds something is refused, so nothing of an earlier run is mixed in or replaced."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "0001-0001-inhalt.xml").write_text("mine")

    assert run(sealed, "--keys", ring, "--extract", tmp_path / "full").exit_code == 2
    assert (tmp_path / "full" / "0001-0001-inhalt.xml").read_text() == "mine"


def test_terminal_escapes(letter: Letter, pki: Pki, ring: Path, randomness: Random, tmp_path: Path) -> None:
    """Control and direction characters of a sender reach neither the terminal nor a JSON reader unescaped (T17)."""
    message = tmp_path / "m.osci"
    tricky = replace(letter, subject="rot\u009b31m\u202eABC\u2028ende")
    message.write_bytes(seal(tricky, parties=pki.parties, random=randomness, now=NOW))
    text = run(message, "--keys", ring, "--at", AT).stdout
    json_line = run(message, "--keys", ring, "--at", AT, "--json").stdout

    assert json.loads(json_line)["subject"] == tricky.subject
    for output in (text, json_line):
        assert all(character.isprintable() or character == "\n" for character in output)


def test_text(sealed: Path, ring: Path, tmp_path: Path) -> None:
    """People read German: outcome, parts, what each signature is worth, and for a refusal what to do."""
    good = run(sealed, "--keys", ring, "--at", AT).stdout
    broken = tmp_path / "broken.osci"
    broken.write_bytes(sealed.read_bytes()[:-30])
    bad = run(broken, "--keys", ring, "--at", AT).stdout

    assert "angenommen" in good
    assert "Transport, gültig, vertrauenswürdig: CN=OSCI-Intermediaer" in good
    assert "verschlüsselt" in good
    assert "abgewiesen" in bad
    assert "Abhilfe:" in bad
    assert "mime.malformed" in bad


def test_a_partner_and_their_exception(
    letter: Letter, pki: Pki, ring: Path, randomness: Random, tmp_path: Path
) -> None:
    """An operator tries a partner's exception before it is in force; its label is told, in JSON and to people."""
    message, directory = tmp_path / "alt.osci", ring.parent / "partners.toml"
    old = replace(letter, transport_cipher=Cipher(Symmetric.AES256_CBC))
    message.write_bytes(seal(old, parties=pki.parties, random=randomness, now=NOW))
    directory.write_text(
        '[[partner]]\nkennung = "ags:05513000"\nname = "Alt"\nsignature = ["intermediary-signature.cert.pem"]\n'
        'policy = "legacy"\npolicy_until = 2027-03-31T22:00:00Z\nreason = "alt"\n'
    )
    usual = (message, "--keys", ring, "--at", AT)
    partner = ("--partners", directory, "--partner", "ags:05513000")
    [refused], [found] = lines(run(*usual, "--json")), lines(run(*usual, *partner, "--json"))

    assert (refused["code"], refused["policy"]) == ("policy.algorithm", "osci@1")
    assert (found["outcome"], found["policy"]) == ("accepted", "legacy@1 for ags:05513000 until 2027-03-31")
    assert [(s["partner"], s["reason"], s["revocation"]) for s in found["signatures"]] == [
        ("ags:05513000", None, []),
        (None, None, []),
    ]
    assert "legacy@1 for ags:05513000" in run(*usual, *partner).stdout
    late = run(message, "--keys", ring, "--at", "2027-04-01T00:00:00Z", *partner).stdout
    assert "policy.expired (transport, ags:05513000 until 2027-03-31" in late
    assert run(*usual, "--partner", "ags:05513000").exit_code == 2
