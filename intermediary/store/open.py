"""Opens the store of an installation: directories, database, migrations, left-overs of unfinished intakes."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from intermediary.keys.wrap import MandantKeys
from intermediary.store.store import Store


def open_store(
    *, data: Path, installation: uuid.UUID, keys: MandantKeys, lease: timedelta = timedelta(seconds=120)
) -> Store:
    """The store under `data` (made private on first use), brought to the present schema.

    Safe to call from several processes at once. `Misconfigured("store.installation.differs")` when the data belongs to
    another installation id, `("store.version.unknown")` when a newer program wrote it.
    """
    raise NotImplementedError
