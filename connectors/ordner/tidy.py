"""Removes what attempts that died left readable in the state folder; whoever comes again under the key begins anew."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from connectors.ordner.folder import opened, translated
from connectors.ordner.handover import Place, forget_unsealed, take_back
from connectors.ordner.lock import alone
from connectors.ordner.memory import read_sealed
from connectors.ordner.rename import exists
from intermediary.connect.api import Fault

_READY = ".ready"


def tidy(state: Path, drop: Path) -> int:
    """The number of keys of which nothing readable is left; raises a Fault when a folder is not there.

    Only what provably never left the state folder goes, and only while nobody works under the key. What went in part (the
    checksum is out, the package is not) stays for the attempt that completes it.
    """
    with opened(state, "state") as state_folder, opened(drop, "drop") as drop_folder:
        place = Place(state_folder, drop_folder)
        with translated("state"), os.scandir(state_folder) as entries:
            ready = (entry.name.removesuffix(_READY) for entry in entries if entry.name.endswith(_READY))
            keys = {name.removesuffix(".sum") for name in ready}
        return sum(_cleared(place, key) for key in sorted(keys))


def _cleared(place: Place, key: str) -> bool:
    with suppress(Fault), alone(place.state, key):  # somebody is at it, or the note is damaged: a person decides
        sealed = read_sealed(place.state, key)
        if sealed is None:
            forget_unsealed(place, key)
        else:
            take_back(place, key, sealed)
        with translated("state"):
            return not any(exists(name, place.state) for name in (f"{key}{_READY}", f"{key}.sum{_READY}"))
    return False
