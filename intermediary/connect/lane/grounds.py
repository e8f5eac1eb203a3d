"""Which folders and files a lane may reach: the modules it runs from, and what its target's settings name."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from intermediary.connect.lane.fence import Ground
from intermediary.connect.settings import Isolated, build_settings
from intermediary.core.ports import ConnectorFactory


def named_paths(settings: Any) -> Iterator[tuple[Path, bool]]:
    """Every path in a settings dataclass, nested ones too; whether its field is marked as a secret."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Path):
                yield one, bool(field.metadata.get("secret"))
            elif dataclasses.is_dataclass(one):
                yield from named_paths(one)


def paths_of(
    factory: ConnectorFactory, table: Mapping[str, object], *, base: Path, where: str
) -> list[tuple[Path, bool]]:
    """The same of a target's table, wherever its connector's code runs; raises as `open_connector`."""
    if isinstance(factory, Isolated):
        return factory.paths(table, base=base, where=where)
    return list(named_paths(build_settings(factory.settings_type, table, base=base, where=where)))


def ground_of(paths: Iterable[tuple[Path, bool]]) -> Ground:
    """What these paths open to a lane.

    A folder: everything beneath it. A secret: this file, to be read. Another file: this file, and the names of its folder.
    What is not there yet: the folder it would be made in, with everything beneath.
    """
    read, write, listed = list(module_places()), list[str](), list[str]()
    for path, is_secret in paths:
        if is_secret:
            read.append(str(path))
        elif path.is_dir() or not path.exists():
            write.append(str(path if path.is_dir() else path.parent))
        else:
            write.append(str(path))
            listed.append(str(path.parent))
    return Ground(tuple(read), tuple(write), tuple(listed))


def module_places() -> Iterator[str]:
    """Where this process has its modules from."""
    for place in (*sys.path, sys.prefix, sys.base_prefix):
        if place and Path(place).exists():
            yield os.path.realpath(place)
