"""Which elements a message of a standard has to have at least, from its official schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from intermediary.mapping.shape import Path, ShapeError

_DEEPEST = 30


def demanded_paths(element: Any, more: Sequence[Path]) -> list[Path]:
    """Paths of all elements that have to be there, from the root, in schema order; with `more`, and what those demand.

    Of a choice, the alternative that `more` names is taken, otherwise the first. Raises `ShapeError` for a path the schema
    does not know, and for a message that demands itself without end.
    """
    wanted = {path[:length] for path in more for length in range(1, len(path) + 1)}
    found = list(_walk(element, (element.local_name,), wanted, ()))
    for path in sorted(wanted):
        if path not in found:
            raise ShapeError(f"das Schema kennt hier nicht: {'/'.join(path[1:])}")
    return found


def _walk(element: Any, path: Path, wanted: set[Path], around: tuple[Any, ...]) -> Iterator[Path]:
    if len(around) > _DEEPEST or around.count(element.type) > 1:
        raise ShapeError(f"{'/'.join(path)}: verlangt sich selbst ohne Ende; mit --with einen anderen Zweig wählen")
    yield path
    if not element.type.is_complex() or not element.type.has_complex_content():
        return
    for child in _needed(element.type.content, path, wanted):
        yield from _walk(child, (*path, child.local_name), wanted, (*around, element.type))


def _needed(group: Any, path: Path, wanted: set[Path]) -> Iterator[Any]:
    particles = [one for one in group if hasattr(one, "model") or one.name]
    if group.model == "choice":
        named = [one for one in particles if _is_wanted(one, path, wanted)]
        particles = named or (particles[:1] if group.min_occurs else [])
    for one in particles:
        is_named = _is_wanted(one, path, wanted)
        if hasattr(one, "model"):
            if one.min_occurs or is_named:
                yield from _needed(one, path, wanted)
        elif one.min_occurs or is_named or group.model == "choice":
            yield one


def _is_wanted(particle: Any, path: Path, wanted: set[Path]) -> bool:
    if hasattr(particle, "model"):
        return any((*path, one.local_name) in wanted for one in particle.iter_elements() if one.name)
    return (*path, particle.local_name) in wanted
