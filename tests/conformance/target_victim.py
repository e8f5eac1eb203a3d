"""A process that tries a resting target and hangs there until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

from intermediary.core.breaker import Sign
from intermediary.core.targets import TargetRef
from intermediary.keys.wrap import KekFiles, MandantKeys
from intermediary.store import Claim, Store, open_store
from intermediary.store.owners import own_name
from intermediary.store.targets import Pass
from tests.conformance.store_kit import INSTALLATION, LEASE, MANDANTEN, NOW, OUTPUT, SECOND, key_of

ID = "musterstadt/bauantrag/fachverfahren"
REF = TargetRef(ID, frozenset({ID}))


def rest(store: Store, claim: Claim) -> None:
    """So many failures that the target rests."""
    for _ in range(REF.rules.after_failures):
        leave = store.targets.admit(REF, claim, key_of(claim), now=NOW)
        if isinstance(leave, Pass):
            store.targets.report(leave, Sign.ILL, code="target.unreachable", now=NOW)


def main(folder: Path, nachricht_id: str, url: str) -> None:
    """Take the Nachricht, be the probe, commit the intent, say so, and never end."""
    keys = MandantKeys({mandant: KekFiles(folder / f"{mandant}.kek") for mandant in MANDANTEN})
    store = open_store(data=folder / "data", installation=INSTALLATION, keys=keys, lease=LEASE, url=url)
    now = NOW + 31 * SECOND
    claim = store.claim_one(nachricht_id, own_name(), now)
    leave = store.targets.admit(REF, claim, key_of(claim), now=now)
    store.intend(claim, key_of(claim), OUTPUT, now)
    print("probing" if isinstance(leave, Pass) and leave.is_probe else "held", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
