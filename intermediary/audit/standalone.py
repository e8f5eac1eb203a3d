"""A verifier for dossiers and exports that stands alone: one file, the standard library and `cryptography`.

    python standalone.py DOSSIER.json|EXPORT-FOLDER [--key PUBLIC.pem …] [--heads HEADS.jsonl|SYSLOG]

Imports nothing of what it checks. Formats: docs/reference/audit-format.md, dossier.md. Exit 0: sound, 1: bad, 2: unreadable.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

FORMAT, VERSION, DOMAIN = "intermediary-dossier", 1, b"intermediary-dossier\0"
START = "0" * 64
EVENT_KEYS = {"chain", "seq", "at", "name", "mandant", "actor", "fields", "prev"}
HEAD_KEYS = {"installation", "size", "root", "at", "previous"}


class Bad(Exception):
    """The first bad entry: where, and what is wrong with it."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")


@dataclass(frozen=True)
class Key:
    """A public key and its fingerprint: SHA-256 of its DER form, in hex."""

    key: Ed25519PublicKey
    sha256: str

    def signed(self, signature: str, data: bytes) -> bool:
        try:
            self.key.verify(base64.b64decode(signature, validate=True), data)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def leaf(event: object) -> bytes:
    return hashlib.sha256(b"\0" + canonical(event)).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def keys_in(pem: str) -> list[Key]:
    """Every public key of a PEM text."""
    found = []
    for part in pem.split("-----END PUBLIC KEY-----")[:-1]:
        key = load_pem_public_key((part.strip() + "\n-----END PUBLIC KEY-----\n").encode())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("not an Ed25519 key")
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        found.append(Key(key, hashlib.sha256(der).hexdigest()))
    return found


def loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def heads_in(text: str, installation: str) -> list[dict[str, Any]]:
    """The heads of one installation in a file of heads, or behind the headers of a syslog file; torn lines are left out."""
    values = [loaded(line[line.find('{"head"') :]) for line in text.splitlines() if '{"head"' in line]
    return [one for one in values if isinstance(one, dict) and one["head"].get("installation") == installation]


def check_head(value: Any, keys: Sequence[Key], where: str) -> Key:
    """The key that signed this head."""
    if not isinstance(value, dict) or set(value) != {"head", "signature"} or set(value["head"]) != HEAD_KEYS:
        raise Bad(where, "kein Kopf dieses Formats")
    for key in keys:
        if key.signed(value["signature"], canonical(value["head"])):
            return key
    raise Bad(where, "die Unterschrift passt zu keinem der Schlüssel")


def check_event(entry: Any, chains: dict[str, tuple[int, str]], where: str) -> dict[str, Any]:
    """The event, sound by itself and after the one before it in its chain; `chains` is where each of them stands."""
    event = entry.get("event") if isinstance(entry, dict) else None
    if not isinstance(event, dict) or set(event) != EVENT_KEYS or type(event["seq"]) is not int:
        raise Bad(where, "kein Ereignis dieses Formats")
    digest, (seq, last) = leaf(event).hex(), chains.get(event["chain"], (0, START))
    if entry.get("digest") != digest:
        raise Bad(where, "geändert: die Prüfsumme stimmt nicht")
    if event["seq"] != seq + 1:
        raise Bad(where, f"Platz {event['seq']} der Kette, erwartet {seq + 1}: entfernt oder vertauscht")
    if event["prev"] != last:
        raise Bad(where, "die Kette ist gebrochen: prev ist nicht die Prüfsumme des Vorgängers")
    chains[event["chain"]] = (event["seq"], digest)
    return event


def is_included(start: bytes, index: int, size: int, path: Sequence[str], root: str) -> bool:
    """RFC 9162, chapter 2.1.3.2."""
    here, last, current = index, size - 1, start
    for step in (bytes.fromhex(one) for one in path):
        if last == 0:
            return False
        if here & 1 or here == last:
            current = node(step, current)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            current = node(current, step)
        here, last = here >> 1, last >> 1
    return 0 <= index < size and last == 0 and current.hex() == root


def check_elsewhere(heads: Iterable[Any], elsewhere: Sequence[Any]) -> None:
    """Every head also stands in the second place."""
    for one in heads:
        if one["head"] not in [other["head"] for other in elsewhere]:
            raise Bad(f"Kopf {one['head']['size']}", "steht nicht am zweiten Ort")


def check_dossier(dossier: Any, keys: Sequence[Key] = (), elsewhere: str | None = None) -> str:
    """Raise `Bad` with the first bad entry; otherwise what was shown, in one sentence.

    `keys` are the ones the reader trusts; without them those in the dossier are believed, and the sentence says so.
    """
    if not isinstance(dossier, dict) or dossier.get("format") != FORMAT or dossier.get("version") != VERSION:
        raise Bad("format", f"kein Dossier der Fassung {VERSION}")
    try:
        return _check_dossier(dossier, keys, elsewhere)
    except (LookupError, TypeError, AttributeError, ValueError) as failure:
        raise Bad("Dossier", f"unvollständig oder falsch gebaut ({failure!r})") from failure


def _check_dossier(dossier: Any, keys: Sequence[Key], elsewhere: str | None) -> str:
    own = [key for one in dossier["keys"] for key in keys_in(one["pem"])]
    if [one["sha256"] for one in dossier["keys"]] != [key.sha256 for key in own]:
        raise Bad("keys", "eine Prüfsumme gehört nicht zu ihrem Schlüssel")
    trusted = keys or own
    heads = {one["head"]["size"]: one for one in dossier["heads"]}
    for size, one in heads.items():
        check_head(one, trusted, f"Kopf {size}")
        if one["head"]["installation"] != dossier["installation"]:
            raise Bad(f"Kopf {size}", "von einer anderen Installation")
    sealed = _check_chain(dossier, heads)
    if elsewhere is not None:
        check_elsewhere(heads.values(), heads_in(elsewhere, dossier["installation"]))
    events = [entry["event"] for entry in dossier["events"]]
    told = plan_sha256(events)
    if (hashlib.sha256(canonical(dossier["plan"])).hexdigest() if told else dossier["plan"]) != (told or {}):
        raise Bad("plan", "nicht der, dessen Prüfsumme die Ereignisse nennen")
    _compare("stages", dossier["stages"], summary(events, dossier["plan"]))
    unsigned = {name: value for name, value in dossier.items() if name != "signature"}
    if not any(key.signed(dossier.get("signature", ""), DOMAIN + canonical(unsigned)) for key in trusted):
        raise Bad("signature", "nach der Ausstellung geändert oder gekürzt, oder von einem fremden Schlüssel")
    trust = "" if keys else f"\nSchlüssel aus dem Dossier selbst, bei der Installation zu erfragen: {own[0].sha256}"
    return f"Dossier geprüft: unversehrt ({len(events)} Ereignisse, {sealed} davon unter {len(heads)} Köpfen){trust}"


def _check_chain(dossier: Any, heads: dict[int, Any]) -> int:
    """Chain and inclusion proofs; the number of sealed events."""
    chains: dict[str, tuple[int, str]] = {}
    number = sealed = 0
    for place, entry in enumerate(dossier["events"], start=1):
        where = f"Ereignis {place}"
        if check_event(entry, chains, where)["chain"] != dossier["nachricht"]:
            raise Bad(where, "gehört zu einer anderen Nachricht")
        if entry["number"] is None:
            continue
        if entry["number"] <= number or sealed != place - 1:
            raise Bad(where, "die Nummer im Protokoll steigt nicht")
        number, sealed, size = entry["number"], place, entry["size"]
        if size not in heads:
            raise Bad(where, f"der Kopf {size} fehlt")
        if not is_included(leaf(entry["event"]), number - 1, size, entry["proof"], heads[size]["head"]["root"]):
            raise Bad(where, f"der Beweis führt nicht zur Wurzel des Kopfes {size}")
    if not chains:
        raise Bad("Ereignis 1", "fehlt")
    return sealed


def plan_sha256(events: Sequence[Any]) -> str:
    """The hash of the plan that is in force; empty before a judgement, once a new one was ordered, or it was deleted."""
    judged = ("nachricht.planned", "nachricht.refused", "person.judged-anew", "nachricht.reduced")
    last = next((one for one in reversed(events) if one["name"] in judged), None)
    return str(last["fields"].get("plan_sha256", "")) if last else ""


def _compare(where: str, found: Any, expected: Any) -> None:
    """The first value that does not follow from the events."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in [*expected, *(name for name in found if name not in expected)]:
            _compare(f"{where}.{name}", found.get(name), expected.get(name))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            _compare(f"{where}[{place}]", one, other)
    elif canonical(found) != canonical(expected):
        raise Bad(where, "folgt nicht aus den Ereignissen")


def summary(events: Sequence[Any], plan: Any) -> dict[str, Any]:
    """What the events and the plan they name say of every stage: the `stages` of a dossier."""
    result: dict[str, Any] = {"verdict": {}, "answer": {}, "erased": False}
    planned, zustellungen = dict[str, Any](), dict[str, dict[str, Any]]()
    for event in events:
        fields, name = event["fields"], event["name"]
        if name == "nachricht.planned":
            planned = fields
            zustellungen = {one["key"]: _zustellung(one) for one in fields["targets"]}
        elif name == "person.judged-anew":
            planned, zustellungen = {}, {}
        elif name == "person.redelivered":
            zustellungen[fields["key"]] = _zustellung(fields)
        elif name in ("nachricht.refused", "verdict.rejected", "person.rejected"):
            result["verdict"] = {"seq": event["seq"], "status": "rejected", "code": fields["code"]}
        elif name == "verdict.accepted":
            result["verdict"] = {"seq": event["seq"], "status": "accepted"}
        elif name == "answer.sent":
            result["answer"] = {"seq": event["seq"], "at": event["at"], **fields}
        elif name == "payload.erased":
            result["erased"] = True
        elif "key" in fields and fields["key"] in zustellungen:
            _step(zustellungen[fields["key"]], event)
    pins, facts = planned.get("pins", {}), plan.get("facts", {})
    place, parts = pins.get("payload"), [*facts.get("contents", []), *facts.get("attachments", [])]
    return {
        "received": {"at": events[0]["at"], "mandant": events[0]["mandant"], **events[0]["fields"]},
        "opened": {name: facts[name] for name in _OPENED if name in facts},
        "ruleSets": {key[7:]: pins[key] for key in pins if key[:7] == "schema "} | plan.get("rule_sets", {}),
        "findings": plan.get("findings", []),
        "trust": {name: (facts | pins)[name] for name in _TRUST if name in facts | pins},
        "payload": {"position": place, **next(iter(parts[int(place) :]), {})} if place else {},
        "mapping": {name: pins[name] for name in ("route", "mapping", "mapping_sha256") if name in pins},
        "output": plan.get("output", {}),
        "zustellungen": list(zustellungen.values()),
        **result,
    }


_TRUST = ("policy", "revocation", "algorithms", "signatures")
_OPENED = ("format", "message_type", "service", "leika", "root", "contents", "attachments")


def _zustellung(fields: Any) -> dict[str, Any]:
    return {**fields, "state": "due", "intents": [], "proofs": []}


def _step(zustellung: dict[str, Any], event: Any) -> None:
    fields, name = event["fields"], event["name"]
    stamp = {"seq": event["seq"], "at": event["at"]}
    zustellung["state"] = _STATES.get(name, zustellung["state"])
    if name == "delivery.intended":
        zustellung["intents"].append({**stamp, "output_sha256": fields["output_sha256"]})
    elif "proof" in fields:
        zustellung["proofs"].append({**stamp, "event": name, "proof": fields["proof"]})


_MOVES = ("intended", "delivered", "refused", "awaiting", "unclear", "due", "parked")
_STATES = {f"delivery.{one}": one for one in _MOVES} | {"person.confirmed": "delivered", "person.sent-again": "due"}


class Tree:
    """The Merkle tree over the events so far: the roots of its full subtrees."""

    def __init__(self) -> None:
        self.size, self.peaks = 0, list[bytes]()

    def append(self, step: bytes) -> None:
        rest = self.size
        while rest & 1:
            step, rest = node(self.peaks.pop(), step), rest >> 1
        self.peaks.append(step)
        self.size += 1

    def root(self) -> str:
        return reduce(lambda right, left: node(left, right), reversed(self.peaks)).hex()


def check_export(events: Iterable[str], heads: Sequence[Any], keys: Sequence[Key], elsewhere: str | None = None) -> str:
    """Raise `Bad` with the first bad entry of an export; otherwise what was shown, in one sentence."""
    signers, roots = _check_heads(heads, keys), {one["head"]["size"]: one["head"]["root"] for one in heads}
    chains, changes, lost = dict[str, tuple[int, str]](), list[tuple[int, str, str]](), list[Any]()
    tree, tail, good = Tree(), 0, 0
    for place, line in enumerate(events, start=1):
        event = check_event(entry := loaded(line), chains, f"Zeile {place}")
        if entry["number"] is None:
            tail += 1
            continue
        if tail or entry["number"] != tree.size + 1:
            raise Bad(f"Zeile {place}", f"Nummer {entry['number']} statt {tree.size + 1}: entfernt oder vertauscht")
        tree.append(leaf(event))
        if event["name"] == "audit.key-changed":
            changes.append((tree.size, event["fields"]["old_key"], event["fields"]["new_key"]))
        told = dict(event["fields"])
        seal, said = told.pop("signature", None), {"installation": event["chain"], "restored": told}
        lost += [told] * (event["name"] == "backup.restored" and any(key.signed(seal, canonical(said)) for key in keys))
        if tree.size in roots:
            if tree.root() != roots[tree.size]:
                raise Bad(f"Nummern {good + 1} bis {tree.size}", f"die Wurzel ist nicht die des Kopfes {tree.size}")
            good = tree.size
    if tree.size < max(roots, default=0):
        raise Bad(f"Nummer {tree.size + 1}", "fehlt: abgeschnitten unter dem letzten Kopf")
    if tree.size > good:
        raise Bad(f"Nummer {good + 1}", "nummeriert, aber unter keinem Kopf")
    _check_changes(signers, changes)
    if elsewhere is not None and heads:
        _check_second(heads, heads_in(elsewhere, heads[0]["head"]["installation"]), keys, lost)
    return f"Ausleitung geprüft: unversehrt ({tree.size + tail} Ereignisse, {good} davon unter {len(roots)} Köpfen)"


def _check_heads(heads: Sequence[Any], keys: Sequence[Key]) -> list[tuple[int, str]]:
    """Who signed each head."""
    signers, previous = [], START
    for place, one in enumerate(heads, start=1):
        key = check_head(one, keys, f"Kopf in Zeile {place}")
        if one["head"]["previous"] != previous or one["head"]["installation"] != heads[0]["head"]["installation"]:
            raise Bad(f"Kopf in Zeile {place}", "folgt nicht auf den vorigen")
        previous = hashlib.sha256(canonical(one["head"])).hexdigest()
        signers.append((one["head"]["size"], key.sha256))
    return signers


def _check_changes(signers: Sequence[tuple[int, str]], changes: Sequence[tuple[int, str, str]]) -> None:
    """A new key was announced by an event under a head of the old one."""
    for (before, old), (size, new) in pairwise(signers):
        if old != new and not any(number <= before and pair == [old, new] for number, *pair in changes):
            raise Bad(f"Kopf {size}", f"von einem anderen Schlüssel ({new}), den der vorige nicht angekündigt hat")


def _check_second(heads: Sequence[Any], elsewhere: Sequence[Any], keys: Sequence[Key], lost: Sequence[Any]) -> None:
    """Every head kept elsewhere is one of the export, or of what a restore lost, and the place reaches up to its end."""
    own = {canonical(one["head"]) for one in heads}
    for one in elsewhere:
        size = one["head"]["size"]
        check_head(one, keys, f"Kopf {size} des zweiten Orts")
        if canonical(one["head"]) not in own and any(_is_lost(one["head"], was) for was in lost):
            continue
        if size > heads[-1]["head"]["size"]:
            raise Bad(f"Kopf {size} des zweiten Orts", "jünger als die Ausleitung: sie ist älter, oder zurückgesetzt")
        if canonical(one["head"]) not in own:
            raise Bad(f"Kopf {size} des zweiten Orts", "fehlt der Ausleitung: zurückgesetzt oder umgeschrieben")
    check_elsewhere(heads[-1:], elsewhere)


def _is_lost(head: Any, was: Any) -> Any:
    near = was["size"] < head["size"] <= was["lost_to"] and head["at"] <= was["lost_until"]
    return near and (head["size"] < was["lost_to"] or hashlib.sha256(canonical(head)).hexdigest() == was["lost_head"])


def check(path: Path, keys: Sequence[Key], heads: Path | None) -> str:
    """`check_dossier` of a file, `check_export` of a folder; ValueError, KeyError and the like when it is neither."""
    file = heads / "heads.jsonl" if heads and heads.is_dir() else heads
    elsewhere = file.read_text("utf-8", errors="replace") if file else None
    if not path.is_dir():
        return check_dossier(json.loads(path.read_bytes()), keys, elsewhere)
    heads_of = [json.loads(line) for line in (path / "heads.jsonl").read_text("utf-8").splitlines()]
    trusted = keys or keys_in((path / "keys.pem").read_text("utf-8"))
    with (path / "events.jsonl").open(encoding="utf-8") as events:
        return check_export(events, heads_of, trusted, elsewhere)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify a dossier (JSON file) or an export (folder).")
    parser.add_argument("path", type=Path)
    parser.add_argument("--key", type=Path, action="append", default=[], help="public key (PEM) to be trusted")
    parser.add_argument("--heads", type=Path, help="file of heads from the second place, or a syslog file")
    given = parser.parse_args(arguments)
    try:
        told = check(given.path, [key for file in given.key for key in keys_in(file.read_text("utf-8"))], given.heads)
    except Bad as bad:
        sys.stdout.write(f"VERLETZT: {bad}\n")
        return 1
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as failure:
        sys.stderr.write(f"nicht lesbar: {type(failure).__name__}: {failure}\n")
        return 2
    sys.stdout.write(f"{told}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
