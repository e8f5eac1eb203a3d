"""Fuzzes every door: whatever comes in, the reader accepts it or refuses it with a code, in bounded time.

    python -m tests.soak.fuzz --seconds 60 --seed 1 [TARGET …]

Anything but a `Rejected` is a finding: it is printed as a seed and a number, from which `--only NUMBER` makes it again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path

from lxml import etree

from intermediary.cli.quiet import quiet_logs
from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.ingress.doors import Angaben, DoorRules, build_eingang
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.osci.write import Letter, SignatureMethod, seal
from intermediary.osci.write.envelope import Envelope
from intermediary.osci.write.header import Block
from intermediary.osci.write.seal import Interference
from intermediary.testing.pki import make_pki
from intermediary.testing.samples import sample_letter
from intermediary.unseal import mime, unseal
from intermediary.unseal.formats import OSCI_TYPE
from intermediary.unseal.policy import profile
from intermediary.xml.parser import parse
from tests.evil.corpus import attacks
from tests.evil.forger import NOW
from tests.soak.fuzz_osci import Client, Passive
from tests.soak.mutator import Mutator
from tests.vectors.cases import AT, cases, keyring_of

SLOWEST_SECONDS = 5.0
VECTORS = Path(__file__).parents[1] / "vectors" / "osci"
ODD = (
    "body",
    "#body",
    "cid:x",
    "0",
    "-1",
    "",
    "#",
    "controlblock",
    "http://www.w3.org/2000/09/xmldsig#sha1",
    "ü" * 300,
)
Target = Callable[[Mutator], object]


class Osci:
    """A damaged message of any type, every key at hand, every algorithm allowed."""

    def __init__(self) -> None:
        self._keyring = keyring_of(VECTORS)

    def __call__(self, mutator: Mutator) -> object:
        raw = MemoryContent(mutator.draw())
        return unseal(raw, content_type=OSCI_TYPE, keyring=self._keyring, policy=profile("legacy"), at=AT)


class Inside:
    """Damage below the protection: the header, the package or the container are changed, then signed and sealed validly."""

    def __init__(self) -> None:
        self._pki = make_pki(valid_from=NOW.replace(year=NOW.year - 1), valid_until=NOW.replace(year=NOW.year + 1))
        own = [self._pki.members[name] for name in ("recipient-cipher", "reader-cipher")]
        self._keyring = Keyring([DecryptionKey(one.private, one.certificate) for one in own])

    def __call__(self, mutator: Mutator) -> object:
        letter: Letter = replace(sample_letter(1, now=NOW), transport_signature=SignatureMethod.RSA_SHA256)
        damage = mutator.random.choice(
            (
                Interference(before_transport_signature=partial(_damaged_block, mutator)),
                Interference(after_transport_signature=partial(_damaged_block, mutator)),
            )
        )
        raw = seal(letter, parties=self._pki.parties, random=mutator.random.randbytes, now=NOW, interference=damage)
        return unseal(MemoryContent(raw), content_type=OSCI_TYPE, keyring=self._keyring, policy=profile("osci"), at=NOW)


def _damaged_block(mutator: Mutator, envelope: Envelope) -> Envelope:
    blocks = list(envelope.blocks)
    place = mutator.random.randrange(len(blocks) + 1)
    if place == len(blocks):
        body = mutator.change(envelope.body.encode()).decode("utf-8", "ignore")
        return replace(envelope, body=body)
    damage = mutator.change if mutator.random.random() < 0.2 else partial(_rearranged, mutator)
    damaged = damage(blocks[place].xml.encode()).decode("utf-8", "ignore")
    blocks[place] = Block(blocks[place].id, damaged)
    return replace(envelope, blocks=tuple(blocks))


def _rearranged(mutator: Mutator, xml: bytes) -> bytes:
    """Well-formed and canonical, but with an element, an attribute or a text that is lost, doubled, moved or another."""
    draw = mutator.random
    root = etree.fromstring(xml)
    for _ in range(draw.randint(1, 3)):
        one, other = draw.choice(list(root.iter())), draw.choice(list(root.iter()))
        match draw.randrange(6):
            case 0 if one is not root:
                parent = one.getparent()
                assert parent is not None
                parent.remove(one)
            case 1 if one is not root:
                one.addnext(deepcopy(one))
            case 2:
                one.append(deepcopy(other))
            case 3:
                one.text = draw.choice(("", "AA==", "*", "a" * 3000, other.text or ""))
            case 4:
                one.set(draw.choice(("Id", "URI", "Algorithm", "href", "Value", "SequenceNumber")), draw.choice(ODD))
            case _ if one.attrib:
                del one.attrib[draw.choice(list(one.attrib))]
    return etree.tostring(root, method="c14n")


def mime_parts(mutator: Mutator) -> object:
    """A damaged MIME entity."""
    return mime.read(mutator.draw())


def xml(mutator: Mutator) -> object:
    """Damaged XML: what the gate lets through, the parser takes as well."""
    return parse(mutator.draw(), refuse_instructions=mutator.random.random() < 0.5)


def statements(mutator: Mutator) -> object:
    """What an AMQP header, a property or a sidecar may say: any type, any length, any character."""
    rules = DoorRules("rabbit", ("musterstadt", "beispielhausen"), reply_to=frozenset({"efa.quittungen"}))
    said = Angaben(*(_anything(mutator) for _ in range(6)))
    return build_eingang(rules, said, body=MemoryContent(b"x"), received_at=NOW)


def _anything(mutator: Mutator, depth: int = 0) -> object:
    draw = mutator.random
    choices: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: draw.choice((OSCI_TYPE, "musterstadt", "efa.quittungen", "id-1", "")),
        lambda: mutator.draw()[: draw.choice((3, 300, 70000))].decode("utf-8", "surrogateescape"),
        lambda: mutator.draw()[:40],
        lambda: draw.choice((0, -1, 2**70, 1.5, float("nan"), True)),
        lambda: [_anything(mutator, depth + 1)] if depth < 3 else [],
        lambda: {"a": _anything(mutator, depth + 1)} if depth < 3 else {},
    )
    return draw.choice(choices)()


def targets() -> dict[str, tuple[Target, list[bytes]]]:
    """Each target with the inputs it starts from."""
    messages = [one.message for kind in ("positive", "variants") for one in cases(VECTORS, kind)]
    xml_files = [
        one.data for one in attacks("XC", "XB", "XE", "EN", "IC", "NS", "SC", "XS", "EC") if one.size < 100_000
    ]
    mime_files = [one.data for one in attacks("MC", "MM", "MB") if one.size < 100_000]
    return {
        "osci": (Osci(), messages),
        "osci-inside": (Inside(), messages),
        "passive": (Passive(keyring_of(VECTORS)), messages),
        "client": (Client(), messages),
        "mime": (mime_parts, [*messages, *mime_files]),
        "xml": (xml, [*xml_files, b"<a/>"]),
        "statements": (statements, messages),
    }


def run(name: str, target: Target, pool: list[bytes], *, seed: int, seconds: float, only: int | None) -> int:
    """Feed one target until its time is over; the number of findings."""
    outcomes: Counter[str] = Counter()
    findings = slowest = number = 0
    end = time.monotonic() + seconds
    while (time.monotonic() < end and only is None) or number == 0:
        mutator = Mutator(seed * 1_000_003 + (number if only is None else only), pool)
        began = time.process_time()
        try:
            target(mutator)
            outcomes["accepted"] += 1
        except Rejected as refusal:
            outcomes[refusal.code] += 1
        except Exception as error:  # this is what a fuzzer looks for
            findings += 1
            print(f"finding: {name} --seed {seed} --only {number}: {type(error).__name__}", file=sys.stderr)
            if only is not None:
                raise
        took = time.process_time() - began
        slowest = max(slowest, took)
        if took > SLOWEST_SECONDS:
            findings += 1
            print(f"finding: {name} --seed {seed} --only {number}: {took:.1f} s", file=sys.stderr)
        number += 1
    print(
        json.dumps(
            {"target": name, "inputs": number, "findings": findings, "slowest": round(slowest, 3), "outcomes": outcomes}
        )
    )
    return findings


def main() -> int:
    """Run the targets named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)))
    parser.add_argument("--only", type=int, help="only the input of this number, with its traceback")
    parser.add_argument("target", nargs="*")
    options = parser.parse_args()
    quiet_logs("critical")
    chosen = targets()
    findings = 0
    for name in options.target or chosen:
        target, pool = chosen[name]
        findings += run(name, target, pool, seed=options.seed, seconds=options.seconds, only=options.only)
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main())
