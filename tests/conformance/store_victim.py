"""A process that works on a store until it is killed; every line it prints is something it was promised."""

from __future__ import annotations

import sys
from pathlib import Path

from intermediary.keys.signing import SigningKey
from intermediary.keys.wrap import KekFiles, MandantKeys
from intermediary.store import open_store
from tests.conformance.store_kit import DELIVERED, INSTALLATION, LEASE, MANDANTEN, NOW, N, attempt, eingang, planned


def main(folder: Path, name: str, url: str) -> None:
    """Take a batch, bring one Nachricht to its end, seal; again and again."""
    keys = MandantKeys({mandant: KekFiles(folder / f"{mandant}.kek") for mandant in MANDANTEN})
    store = open_store(data=folder / "data", installation=INSTALLATION, keys=keys, lease=LEASE, url=url)
    key = SigningKey(folder / "audit.key")
    for number in range(1_000_000):
        batch = [eingang(f"{name}-{number}-{place}", f"{name}{number}{place}".encode() * 9000) for place in range(3)]
        for taken in store.take(batch):
            print("taken", taken.nachricht_id, flush=True)
        claim = attempt(store, planned(store, message_id=f"{name}-{number}"), DELIVERED)
        print("delivered", claim.nachricht.id, flush=True)
        store.answered(claim, N.COMPLETED, {}, NOW)
        print("completed", claim.nachricht.id, flush=True)
        head = store.seal_heads(key.sign, NOW)
        print("sealed", head.line() if head else "", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
