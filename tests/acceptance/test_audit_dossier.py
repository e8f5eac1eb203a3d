"""The dossier proves one Nachricht by itself, and the verifier that stands alone names every tampering (T26)."""

from __future__ import annotations

import ast
import base64
import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from intermediary.audit import standalone
from intermediary.audit.second_place import HEADS_FILE
from intermediary.audit.standalone import DOMAIN, Bad, canonical, check_dossier, keys_in, leaf, summary
from intermediary.daemon.chores import Chores
from intermediary.keys.signing import SigningKey, create_signing_key
from intermediary.operations.dossier import dossier
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from tests.acceptance.command import call
from tests.acceptance.office import Office
from tests.acceptance.rig import Rig

Dossier = dict[str, Any]
ALLOWED = {
    "argparse",
    "base64",
    "collections",
    "cryptography",
    "dataclasses",
    "functools",
    "hashlib",
    "itertools",
    "json",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[tuple[Rig, str]]:
    """An installation where one Nachricht was delivered over several heads, and its id."""
    rig = Rig(tmp_path_factory.mktemp("dossier") / "site", pki)
    chores = Chores(rig.installation, rig.configuration, now=rig.clock)
    rig.submit(sample_letter(1, now=rig.clock()), "portal/andere")
    chores.do()
    own = rig.submit(sample_letter(2, now=rig.clock()), "portal/eigene")
    rig.clock.advance(timedelta(seconds=10))
    chores.do()
    rig.work()
    rig.submit(sample_letter(3, now=rig.clock()), "portal/dritte")
    rig.clock.advance(timedelta(seconds=10))
    chores.do()
    yield rig, own
    rig.close()


@pytest.fixture(scope="module")
def good(site: tuple[Rig, str]) -> Dossier:
    """The dossier of that Nachricht."""
    rig, own = site
    made: Dossier = json.loads(json.dumps(dossier(rig.installation, own, rig.clock())))
    return made


def test_a_dossier_holds_every_stage(good: Dossier, site: tuple[Rig, str]) -> None:
    """Hashes from the received body to the package, rule sets, mapping, trust, proofs of delivery and of the Quittung."""
    rig, own = site
    row, [zustellung] = rig.store.get(own), rig.store.zustellungen(own)
    stages = good["stages"]
    [shown] = stages["zustellungen"]

    assert (row.body_sha256, row.body_length) == (stages["received"]["body_sha256"], stages["received"]["body_length"])
    assert row.plan["facts"]["contents"] == stages["opened"]["contents"]
    assert stages["opened"]["contents"][0]["sha256"] == stages["payload"]["sha256"]
    assert row.pins["mapping_sha256"] == stages["mapping"]["mapping_sha256"]
    assert {name.removeprefix("schema ") for name in row.pins if name.startswith("schema ")} == set(stages["ruleSets"])
    assert row.pins["policy"] == stages["trust"]["policy"]
    assert (zustellung.output_sha256, "delivered") == (shown["intents"][0]["output_sha256"], shown["state"])
    assert dict(zustellung.proof) == shown["proofs"][0]["proof"]
    assert ("accepted", "completed") == (stages["verdict"]["status"], stages["answer"]["state"])
    assert 2 == len(good["heads"])
    assert all("proof" in entry for entry in good["events"])


def test_a_dossier_is_sound_by_itself_and_for_the_second_place(good: Dossier, site: tuple[Rig, str]) -> None:
    """With its own key, with the key the reader has from elsewhere, and with the heads kept elsewhere."""
    rig, _own = site
    keys = keys_in(rig.installation.signing.public_pem().decode())
    heads = (rig.installation.settings.audit.heads_folder / HEADS_FILE).read_text(encoding="utf-8")

    assert "zu erfragen" in check_dossier(good)
    assert "zu erfragen" not in check_dossier(good, keys, heads)
    with pytest.raises(Bad, match="zweiten Ort"):
        check_dossier(good, keys, heads.splitlines()[0])


def _at(*path: str | int) -> Callable[[Dossier], Any]:
    def reach(found: Dossier) -> Any:
        inner: Any = found
        for step in path:
            inner = inner[step]
        return inner

    return reach


def _set(*path: str | int, value: object) -> Callable[[Dossier], None]:
    return lambda made: _at(*path[:-1])(made).__setitem__(path[-1], value)


def _rehash(made: Dossier) -> None:
    """A forger's work without the key: the changed event with a digest that fits, and the summary with it."""
    entry = made["events"][2]
    entry["event"]["fields"]["output_sha256"] = "ab" * 32
    entry["digest"] = leaf(entry["event"]).hex()
    made["stages"] = summary([one["event"] for one in made["events"]], made["plan"])


def _rechain(made: Dossier) -> None:
    """And with every following link computed anew."""
    _rehash(made)
    last = "0" * 64
    for entry in made["events"]:
        entry["event"]["prev"] = last
        last = entry["digest"] = leaf(entry["event"]).hex()


def _truncate(made: Dossier) -> None:
    """The end cut off, and the summary made to fit."""
    made["events"] = made["events"][:-1]
    made["stages"] = summary([one["event"] for one in made["events"]], made["plan"])


def _swap(made: Dossier) -> None:
    made["events"][1], made["events"][2] = made["events"][2], made["events"][1]


TAMPERINGS: dict[str, tuple[Callable[[Dossier], object], str]] = {
    "an event changed": (_set("events", 3, "event", "fields", "proof", value={}), "Ereignis 4: geändert"),
    "an event changed with its digest": (_rehash, "Ereignis 3: der Beweis"),
    "a chain computed anew": (_rechain, "Ereignis 3: der Beweis"),
    "the first event dropped": (lambda made: made["events"].pop(0), "Ereignis 1: Platz 2"),
    "an event dropped": (lambda made: made["events"].pop(2), "Ereignis 3: Platz 4"),
    "the last event dropped": (lambda made: made["events"].pop(), "stages.answer"),
    "truncated with its summary": (_truncate, "signature: "),
    "all events dropped": (_set("events", value=[]), "Ereignis 1: fehlt"),
    "two events exchanged": (_swap, "Ereignis 2: Platz 3"),
    "a step of a proof changed": (_set("events", 1, "proof", 0, value="ab" * 32), "Ereignis 2: der Beweis"),
    "a step of a proof dropped": (lambda made: made["events"][1]["proof"].pop(), "Ereignis 2: der Beweis"),
    "a proof for another head": (lambda made: made["events"][1].update(size=made["events"][0]["size"]), "Ereignis 2: "),
    "a number changed": (_set("events", 1, "number", value=1), "Ereignis 2: die Nummer"),
    "passed off as unsealed": (_set("events", 1, "number", value=None), "Ereignis 3: die Nummer"),
    "a head changed": (_set("heads", 1, "head", "root", value="ab" * 32), "Kopf [0-9]+: die Unterschrift"),
    "a head dropped": (lambda made: made["heads"].pop(), "Ereignis 2: der Kopf"),
    "the received body": (_set("stages", "received", "body_sha256", value="ab" * 32), "stages.received.body_sha256"),
    "a content": (
        _set("stages", "opened", "contents", 0, "sha256", value="ab" * 32),
        r"stages.opened.contents\[0\].sha256",
    ),
    "the payload": (_set("stages", "payload", "sha256", value="ab" * 32), "stages.payload.sha256"),
    "the mapping": (_set("stages", "mapping", "mapping_sha256", value="ab" * 32), "stages.mapping.mapping_sha256"),
    "a package": (
        _set("stages", "zustellungen", 0, "intents", 0, "output_sha256", value="ab" * 32),
        r"stages.zustellungen\[0\].intents\[0\].output_sha256",
    ),
    "a rule set": (lambda made: made["stages"]["ruleSets"].clear(), "stages.ruleSets"),
    "findings invented": (_set("stages", "findings", value=[{"code": "x"}]), "stages.findings"),
    "the judgement": (_set("plan", "facts", "policy", value="legacy@1"), "plan: "),
    "another Nachricht": (_set("nachricht", value="x"), "Ereignis 1: gehört"),
    "another installation": (_set("installation", value="x"), "Kopf [0-9]+: von einer anderen"),
    "the moment of issue": (_set("madeAt", value="2020-01-01T00:00:00.000000Z"), "signature: "),
    "something added": (_set("note", value="x"), "signature: "),
    "the signature": (_set("signature", value=base64.b64encode(b"x" * 64).decode()), "signature: "),
    "no signature": (lambda made: made.pop("signature"), "signature: "),
    "a section dropped": (lambda made: made.pop("heads"), "Dossier: unvollständig"),
    "another format": (_set("version", value=2), "format: "),
}


@pytest.mark.parametrize(("tamper", "told"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_tampering_is_named(good: Dossier, tamper: Callable[[Dossier], object], told: str) -> None:
    """The first bad entry, whatever was changed."""
    made = copy.deepcopy(good)
    tamper(made)

    with pytest.raises(Bad, match=f"^{told}"):
        check_dossier(made)


def test_every_value_counts(good: Dossier) -> None:
    """No text or number anywhere in a dossier can be changed unnoticed."""
    free = []
    for path in list(_leaves(good)):
        made = copy.deepcopy(good)
        holder = _at(*path[:-1])(made)
        value = holder[path[-1]]
        holder[path[-1]] = value + 1 if isinstance(value, int) else f"{value}x" if isinstance(value, str) else "x"
        try:
            check_dossier(made)
            free.append(path)
        except Bad:
            pass

    assert [] == free


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, (*path, name))
    else:
        yield path


def test_a_forged_key_needs_the_reader_to_look(good: Dossier, tmp_path: Path, site: tuple[Rig, str]) -> None:
    """Signed anew by a stranger it agrees with itself, and with nobody who knows the key of the installation."""
    stranger = create_signing_key(tmp_path / "stranger.pem")
    forged = _signed_anew(good, stranger)
    keys = keys_in(site[0].installation.signing.public_pem().decode())

    assert "zu erfragen" in check_dossier(forged)
    with pytest.raises(Bad, match=r"^Kopf [0-9]+: die Unterschrift"):
        check_dossier(forged, keys)
    with pytest.raises(Bad, match=r"^Kopf [0-9]+: die Unterschrift"):
        check_dossier(good, keys_in(stranger.public_pem().decode()))


def _signed_anew(good: Dossier, key: SigningKey) -> Dossier:
    made = copy.deepcopy(good)
    pem = key.public_pem().decode()
    made["keys"] = [{"sha256": keys_in(pem)[0].sha256, "pem": pem}]
    for head in made["heads"]:
        head["signature"] = base64.b64encode(key.sign(canonical(head["head"]))).decode()
    made.pop("signature")
    return {**made, "signature": base64.b64encode(key.sign(DOMAIN + canonical(made))).decode()}


def test_the_verifier_stands_alone() -> None:
    """Nothing but the standard library and `cryptography`, and nothing of the program."""
    tree = ast.parse(Path(standalone.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {
        name.partition(".")[0]
        for node in imports
        for name in ([node.module or "."] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }

    assert named <= ALLOWED | {"__future__", "pathlib", "sys", "typing"}
    assert all(not isinstance(node, ast.ImportFrom) or node.level == 0 for node in imports)


def test_copied_out_it_runs_where_the_program_is_not(own: Office, tmp_path: Path) -> None:
    """The copy in an export checks the export and a dossier with an isolated Python in a folder of its own."""
    export, proof = tmp_path / "export", tmp_path / "d.json"
    heads = own.folder / "audit-heads" / HEADS_FILE
    assert 0 == own.call("audit", "export", "-o", export).code
    assert 0 == own.call("audit", "dossier", own.ids["done"][:12], "-o", proof).code

    for asked in ([export], [export, "--heads", heads], [proof, "--key", export / "keys.pem", "--heads", heads]):
        command = [sys.executable, "-I", "verify.py", *map(str, asked)]
        done = subprocess.run(command, cwd=export, capture_output=True, text=True, timeout=60, check=False)
        assert (0, "") == (done.returncode, done.stderr)
        assert "unversehrt" in done.stdout


EXPORT: dict[str, tuple[str, Callable[[list[str]], list[str]], str]] = {
    "an event changed": ("events", lambda s: [*s[:4], s[4].replace("musterstadt", "x"), *s[5:]], "Zeile 5: geändert"),
    "an event dropped": ("events", lambda s: s[:4] + s[5:], "Zeile 5: "),
    "two exchanged": ("events", lambda s: [*s[:4], s[5], s[4], *s[6:]], "Zeile 5: "),
    "truncated": ("events", lambda s: s[:20], "Nummer 21: fehlt"),
    "no JSON": ("events", lambda s: [*s[:2], "{", *s[3:]], "Zeile 3: kein Ereignis"),
    "a head changed": ("heads", lambda s: [s[0].replace('"size":', '"size":1')], "Kopf in Zeile 1: die Unterschrift"),
    "no heads": ("heads", lambda s: [], "Nummer 1: nummeriert"),
}


@pytest.mark.parametrize(("name", "change", "told"), EXPORT.values(), ids=EXPORT)
def test_a_tampered_export_is_named(
    seen: Office, tmp_path: Path, name: str, change: Callable[[list[str]], list[str]], told: str
) -> None:
    """By the verb and by the verifier that stands alone: the same first bad entry."""
    export = tmp_path / "export"
    seen.call("audit", "export", "-o", export)
    file = export / f"{name}.jsonl"
    file.write_text("".join(f"{line}\n" for line in change(file.read_text(encoding="utf-8").splitlines())), "utf-8")
    said = call("audit", "verify", export)

    assert (1, True) == (said.code, said.out.startswith(f"VERLETZT: {told}"))


def test_a_rewritten_export_is_named_by_its_heads(seen: Office, tmp_path: Path) -> None:
    """Every hash computed anew: the range up to the head is named."""
    export = tmp_path / "export"
    seen.call("audit", "export", "-o", export)
    file, last, lines = export / "events.jsonl", dict[str, str](), list[str]()
    for line in file.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        entry["event"].update(actor="x", prev=last.get(entry["event"]["chain"], "0" * 64))
        last[entry["event"]["chain"]] = entry["digest"] = leaf(entry["event"]).hex()
        lines.append(json.dumps(entry))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = call("audit", "verify", export)

    assert (1, ["VERLETZT: Nummern 1 bis 25: die Wurzel ist nicht die des Kopfes 25"]) == (said.code, said.lines)


@pytest.mark.parametrize("name", ["done", "broken", "overdue", "stuck", "waiting", "full", "conflict"])
def test_every_nachricht_has_a_dossier(seen: Office, name: str) -> None:
    """Completed, rejected, parked, waiting: always one file that verifies, on standard output too."""
    said = seen.call("audit", "dossier", seen.ids[name])
    made = json.loads(said.out)

    assert (0, seen.ids[name]) == (said.code, made["nachricht"])
    assert "unversehrt" in check_dossier(made)


def test_a_refusal_is_proved_with_its_rules(seen: Office) -> None:
    """What the sender is told was wrong comes with the rule sets that found it, and with what was opened."""
    stages = json.loads(seen.call("audit", "dossier", seen.ids["broken"]).out)["stages"]

    assert "validate.input.invalid" == stages["verdict"]["code"]
    assert [64] == [len(sha256) for sha256 in stages["ruleSets"].values()]
    assert all(finding["code"] and finding["path"] for finding in stages["findings"])
    assert ("osci@1", True) == (stages["trust"]["policy"], bool(stages["opened"]["contents"]))


def test_a_dossier_of_a_broken_trail_is_not_passed_off(own: Office, tmp_path: Path) -> None:
    """When the store itself was tampered with, the verb says so and ends with 1."""
    import sqlite3

    with sqlite3.connect(own.folder / "data" / "store.db") as database:
        database.execute("UPDATE nachrichten SET plan = '{}' WHERE id = ?", [own.ids["done"]])
    database.close()
    said = own.call("audit", "dossier", own.ids["done"], "-o", tmp_path / "d.json")

    assert (1, "VERLETZT: plan: nicht der, dessen Prüfsumme die Ereignisse nennen\n") == (said.code, said.out)


def test_what_is_no_dossier(tmp_path: Path) -> None:
    """Other files are a mistake of the caller, said in one line."""
    (tmp_path / "x.json").write_text("Guten Tag", encoding="utf-8")
    said = call("audit", "verify", tmp_path / "x.json")

    assert (2, "") == (said.code, said.out)
    assert "neither a dossier" in said.err


@pytest.fixture(scope="module")
def printed(project: Path) -> Callable[[Dossier, bytes], int]:
    """The verifier that is printed in the reference of the format."""
    page = (project / "docs" / "reference" / "dossier.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    made: Callable[[Dossier, bytes], int] = names["check"]
    return made


def test_the_printed_verifier_agrees(
    printed: Callable[[Dossier, bytes], int], good: Dossier, site: tuple[Rig, str], seen: Office
) -> None:
    """The page is enough to write another verifier: this one takes what ours takes, in every state."""
    made = [json.loads(seen.call("audit", "dossier", own).out) for own in seen.ids.values()]

    assert len(good["events"]) == printed(good, site[0].installation.signing.public_pem())
    assert all(len(one["events"]) == printed(one, one["keys"][0]["pem"].encode()) for one in made)


@pytest.mark.parametrize("tamper", [tamper for tamper, _told in TAMPERINGS.values()], ids=TAMPERINGS)
def test_the_printed_verifier_finds_the_same(
    printed: Callable[[Dossier, bytes], int], good: Dossier, site: tuple[Rig, str], tamper: Callable[[Dossier], object]
) -> None:
    """And refuses what ours refuses."""
    made = copy.deepcopy(good)
    tamper(made)

    with pytest.raises((AssertionError, InvalidSignature, KeyError)):
        printed(made, site[0].installation.signing.public_pem())
