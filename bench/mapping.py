"""What a mapping costs: XSD through us beside bare lxml, a Python mapping of 20 KB, and how often a schema is compiled."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import mappings
from bench.form import application, mapped
from intermediary.validate import catalogue as catalogue_module
from intermediary.validate import codes as codes_module
from intermediary.validate.catalogue import Catalogue, validate
from intermediary.validate.install import install
from intermediary.validate.lock import product_pins
from intermediary.xml.parser import Element, parse

ROUNDS = 300
MOST_RATIO = 1.15
MOST_MS = 1.5
_SAMPLES = {
    "xdomea@3.1.0": "xdomea/3.1.0",
    "xmeld@25.11a": "xmeld/25.11a",
    "xbau@2.1": "xbau/2.1",
    "xjustiz@3.6.2": "xjustiz/3.6.2",
}
_NEEDS = ("w3c-basis@1", "xoev-basis@2024", "xinneres-basis@25.11", "xplanung@5.1")
_ELSEWHERE = {"w3c-basis@1": "common/www.w3.org", "xoev-basis@2024": "common/xoev.de"}
_ELSEWHERE |= {"xinneres-basis@25.11": "common/www.osci.de"}


def measure(rounds: int = ROUNDS) -> None:
    """Prints each figure with its bound; what does not hold is said so."""
    with tempfile.TemporaryDirectory(prefix="intermediary-bench.") as folder:
        with _counting() as compiled:
            catalogue = Catalogue.open(_installed(Path(folder)), _own())
            documents = [one for one in _documents() if catalogue.knows(str(one.tag))]
            _validated_by_many(catalogue, documents)
        twice = sum(count > 1 for count in compiled.values())
        print(f"  {len(documents)} documents, four times by four threads: {len(compiled)} schemas compiled, ", end="")
        print(f"{twice} more than once: {_holds(not twice)}")
        _side_by_side(catalogue, documents, rounds)
    _mapping(rounds)


def _side_by_side(catalogue: Catalogue, documents: list[Element], rounds: int) -> None:
    """Bare lxml and us by turns on the same trees; small documents several times, so that the clock is fine enough."""
    ratios = []
    totals = [0.0, 0.0]
    for tree in documents:
        schema = catalogue.schemas_for(str(tree.tag), catalogue.version_of(tree))[-1]
        if not schema.compiled.validate(tree):
            continue
        times = 20
        bare, ours = _by_turns(
            lambda s=schema, t=tree: s.compiled.validate(t),
            lambda s=schema, t=tree: validate(t, s),
            rounds // 10,
            times,
        )
        totals[0] += bare
        totals[1] += ours
        ratios.append(ours / bare)
    ratio = totals[1] / totals[0]
    print(f"  XSD of {len(ratios)} valid documents: bare lxml {1000 * totals[0]:.2f} ms CPU, through us ", end="")
    print(f"{1000 * totals[1]:.2f} ms, {ratio:.3f} times (bound {MOST_RATIO}): {_holds(ratio <= MOST_RATIO)};", end="")
    print(f" of single ones median {median(ratios):.3f}, most {max(ratios):.3f}")


def _by_turns(one: Callable[[], object], other: Callable[[], object], rounds: int, times: int) -> tuple[float, float]:
    """The least CPU seconds of each, measured alternately."""
    least = [float("inf"), float("inf")]
    for turn in range(2 * max(rounds, 5)):
        which = turn % 2
        work = (one, other)[which]
        began = process_time()
        for _ in range(times):
            work()
        least[which] = min(least[which], (process_time() - began) / times)
    return least[0], least[1]


def _mapping(rounds: int) -> None:
    antrag = application()
    built = mapped(antrag)
    seconds = []
    for _ in range(rounds):
        began = process_time()
        mapped(antrag)
        seconds.append(process_time() - began)
    size = antrag.payload.content.length / 1000
    least, middle = 1000 * min(seconds), 1000 * median(seconds)
    print(f"  Python mapping of {size:.1f} KB, {len(built.herkunft)} leaves with origin: ", end="")
    print(f"least {least:.2f}, median {middle:.2f} ms CPU (bound {MOST_MS}): {_holds(least <= MOST_MS)}")


def _validated_by_many(catalogue: Catalogue, documents: list[Element]) -> None:
    with ThreadPoolExecutor(4) as threads:
        for _ in threads.map(catalogue.validate, documents * 4):
            pass


@contextmanager
def _counting() -> Iterator[Counter[tuple[str, bool]]]:
    """How often each schema is compiled meanwhile; once more for those that find the code lists of a document."""
    compiled: Counter[tuple[str, bool]] = Counter()
    real = catalogue_module.compile_schema

    def counted(*given: Any, where: str, fills_in: bool = False) -> Any:
        compiled[where, fills_in] += 1
        return real(*given, where=where, fills_in=fills_in)

    catalogue_module.compile_schema = codes_module.compile_schema = counted  # type: ignore[attr-defined]
    try:
        yield compiled
    finally:
        catalogue_module.compile_schema = codes_module.compile_schema = real  # type: ignore[attr-defined]


def _shared() -> Path:
    return Path(os.environ.get("INTERMEDIARY_SHARED", "../shared")).resolve() / "schemas"


def _installed(folder: Path) -> Path | None:
    if not _shared().is_dir():
        print("  no official schemas: set INTERMEDIARY_SHARED; those of our mappings only")
        return None
    pins = product_pins()
    for package in (*_NEEDS, *_SAMPLES):
        install(_shared() / _ELSEWHERE.get(package, package.replace("@", "/")), folder / "schemas", pins)
    return folder / "schemas"


def _own() -> list[Path]:
    return sorted(path for path in Path(mappings.__path__[0]).glob("*/schema") if path.is_dir())


def _documents() -> list[Element]:
    """Payloads of our golden cases, and official samples where they are."""
    paths = [*Path(mappings.__path__[0]).glob("*/golden/*/input.xml")]
    for place in _SAMPLES.values():
        paths += (_shared() / place).glob("*beispiele/*.xml")
    found = []
    for path in sorted(paths):
        try:
            found.append(parse(path.read_bytes()))
        except Exception:
            continue
    return found


def _holds(is_so: bool) -> str:
    return "holds" if is_so else "DOES NOT HOLD"
