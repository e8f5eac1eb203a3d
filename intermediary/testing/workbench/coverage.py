"""What the golden cases of a mapping show together: what is read, what is filled, whether every leaf has its origin."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from intermediary.core.values import Ausgabe
from intermediary.mapping.structure import Shape, elements_of
from intermediary.testing.golden import without_origin
from intermediary.testing.workbench.asked import Asked
from intermediary.xml.parser import Element, parse

_POSITION = re.compile(r"\[[0-9]+\]")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Figures over all accepted cases. Paths have no positions.

    `ignored`: fields of the form that were sent and nobody read; `unseen`: no case sends them and nobody asked for them;
    `read`: all others. `not_filled`: elements that the target demands and no
    case fills; `unused`: optional ones of the shape. `leaves` and `without`: leaf elements, and those without an origin.
    """

    accepted: int
    leaves: int
    without: tuple[str, ...]
    read: frozenset[str] = field(repr=False)
    ignored: tuple[Asked, ...] = field(repr=False)
    unseen: tuple[Asked, ...] = field(repr=False)
    asked: int
    required: int
    not_filled: tuple[str, ...] = field(repr=False)
    unused: tuple[str, ...] = field(repr=False)


def coverage(
    outputs: Sequence[tuple[Element, Ausgabe]], asked: Sequence[Asked], wanted: Iterable[str], shape: Shape | None
) -> Coverage:
    """`outputs` are payload and Ausgabe of every accepted case, `wanted` the input paths any case asked for.

    Without a shape nothing is said about what is filled.
    """
    read = frozenset(path for payload, ausgabe in outputs for path in _read(payload, ausgabe)) | set(map(plain, wanted))
    sent = {path for payload, _ in outputs for path in paths_in(payload)}
    filled = Counter(path for _, ausgabe in outputs for path in paths_in(parse(ausgabe.nachricht)))
    demanded = list(dict.fromkeys(_demanded(shape, set(filled)))) if shape is not None else []
    known = list(dict.fromkeys(path for path, _ in elements_of(shape))) if shape is not None else []
    not_filled = tuple(path for path in demanded if not filled[path])
    return Coverage(
        accepted=len(outputs),
        leaves=sum(len(ausgabe.herkunft) for _, ausgabe in outputs),
        without=tuple(dict.fromkeys(path for _, ausgabe in outputs for path in without_origin(ausgabe))),
        read=read,
        ignored=tuple(one for one in asked if one.path in sent - read),
        unseen=tuple(one for one in asked if one.path not in sent | read),
        asked=len(asked),
        required=len(demanded),
        not_filled=not_filled,
        unused=tuple(path for path in known if not filled[path] and path not in not_filled),
    )


def plain(path: str) -> str:
    """A path without positions."""
    return _POSITION.sub("", path)


def paths_in(element: Element, above: str = "") -> Iterator[str]:
    """The path of every element of a document, without positions, as often as it occurs."""
    path = f"{above}/{str(element.tag).rpartition('}')[2]}"
    yield path
    for child in element:
        yield from paths_in(child, path)


def _demanded(shape: Shape, filled: set[str]) -> Iterator[str]:
    """What has to be there: the root, and below whatever is there or has to be, all that occurs at least once."""
    there: set[str] = set()
    for path, child in elements_of(shape):
        above = path.rpartition("/")[0]
        if not above or (child.least and not child.choice and (above in there or above in filled)):
            there.add(path)
            yield path


def _read(payload: Element, ausgabe: Ausgabe) -> Iterator[str]:
    """Fields that were sent and read, and those an origin names."""
    unread = {plain(path) for path in ausgabe.unread}
    yield from (path for path in paths_in(payload) if path not in unread)
    root = f"/{str(payload.tag).rpartition('}')[2]}"
    for one in ausgabe.herkunft:
        yield from (plain(found) for found in sources_in(one.source, root))


def sources_in(source: str, root: str) -> list[str]:
    """The input paths that an origin names: alone, or as arguments of a rule; `root` is `/` and the payload's element."""
    return re.findall(rf"{re.escape(root)}(?:/[^,()\s]+)?(?=$|[,()\s])", source)
