"""What opening an OSCI message costs beside its primitives, and how fast a large attachment opens."""

from __future__ import annotations

import cProfile
import gc
import pstats
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from bench.mail import KIBIBYTE, MEBIBYTE, NOW, Post, make_post
from bench.primitives import Primitives
from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.policy import profile

ROUNDS = 5
PAYLOAD_BYTES = 20 * KIBIBYTE
ATTACHMENT_BYTES = 100 * 1000 * 1000
PROFILED = 12
_MEMORY = type(lru_cache(dict))


def measure() -> None:
    """The small message, then the large one; each with the parts it is spent on."""
    with tempfile.TemporaryDirectory(prefix="intermediary-bench.") as name:
        folder = Path(name)
        post, spool = make_post(folder / "keys"), Spool(folder / "spool")
        _small(post, spool)
        _large(post, spool)


def _small(post: Post, spool: Spool, times: int = 50) -> None:
    message = post.message(PAYLOAD_BYTES)
    primitives = _primitives(message, post)
    opening = _opening(message, post, spool)
    for work in (opening, primitives.run):
        _cpu_ms(work, times)  # warm
    rounds = [(_cpu_ms(opening, times), _cpu_ms(primitives.run, times)) for _ in range(ROUNDS)]
    ours, bare = (median(column) for column in zip(*rounds, strict=True))
    print(
        f"payload of {PAYLOAD_BYTES} bytes, {len(message)} on the wire, RSA-3072: medians of {ROUNDS} rounds of {times}"
    )
    print(f"  open_message   {ours:8.3f} ms CPU   (must be at most 4)")
    print(f"  primitives     {bare:8.3f} ms CPU")
    print(f"  ratio          {median(one / other for one, other in rounds):8.2f}          (must be at most 1.5)")
    print(
        f"  open_message   {_forgetful_ms(opening, times):8.3f} ms CPU   with all certificates seen for the first time"
    )
    for kind in primitives.steps:
        took = _cpu_ms(lambda kind=kind: primitives.run(kind), times)  # type: ignore[misc]  # a default binds the name
        print(f"    {kind:12} {len(primitives.steps[kind]):4} calls {took:8.3f} ms")
    _print_profile(opening, times, unit=f"ms per message, profiled (slower) over {times}")


def _large(post: Post, spool: Spool) -> None:
    message = post.message(PAYLOAD_BYTES, ATTACHMENT_BYTES)
    megabytes = ATTACHMENT_BYTES / 1e6
    primitives = _primitives(message, post)
    opening = _opening(message, post, spool)
    cpu, wall, bare = [], [], []
    for _ in range(ROUNDS):
        started, cpu_started = perf_counter(), process_time()
        opening()
        cpu.append(process_time() - cpu_started)
        wall.append(perf_counter() - started)
        bare.append(_cpu_ms(primitives.run, 1) / 1000)
    rates = [megabytes / median(column) for column in (cpu, wall, bare)]
    print(
        f"attachment of {megabytes:.0f} MB, {len(message) / MEBIBYTE:.0f} MiB on the wire: medians of {ROUNDS} rounds"
    )
    print(f"  open_message   {rates[0]:8.0f} MB/s of CPU (must be at least 300), {rates[1]:.0f} MB/s of wall")
    print(f"  primitives     {rates[2]:8.0f} MB/s of CPU")
    _print_profile(opening, 1, unit="ms, profiled once")


def _opening(message: bytes, post: Post, spool: Spool) -> Callable[[], object]:
    content, policy = MemoryContent(message), profile("osci")
    return lambda: open_message(content, keyring=post.keyring, policy=policy, at=NOW, spool=spool)


def _primitives(message: bytes, post: Post) -> Primitives:
    members = post.pki.members
    return Primitives(
        message,
        transport=members["recipient-cipher"].private,
        reader=members["intermediary-cipher"].private,
        signers=[members["intermediary-signature"].certificate, members["author-signature"].certificate],
    )


def _cpu_ms(work: Callable[[], object], times: int) -> float:
    started = process_time()
    for _ in range(times):
        work()
    return 1000 * (process_time() - started) / times


def _forgetful_ms(work: Callable[[], object], times: int) -> float:
    """The same with all memory of certificates cleared before each."""
    memories = [
        one for one in gc.get_objects() if isinstance(one, _MEMORY) and one.__module__.startswith("intermediary.")
    ]
    spent = 0.0
    for _ in range(times):
        for memory in memories:
            memory.cache_clear()
        spent += _cpu_ms(work, 1)
    return spent / times


def _print_profile(work: Callable[[], object], times: int, *, unit: str) -> None:
    """Where the CPU time goes: own time by file of ours, and by function of the libraries."""
    profiler = cProfile.Profile(process_time)
    profiler.enable()
    for _ in range(times):
        work()
    profiler.disable()
    spent: Counter[str] = Counter()
    for (file, _line, function), row in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        spent[_place(file, function)] += row[2]
    print(f"  own time in {unit}:")
    for place, seconds in spent.most_common(PROFILED):
        print(f"    {1000 * seconds / times:9.3f}  {place}")


def _place(file: str, function: str) -> str:
    if "/intermediary/" in file:
        return "intermediary/" + file.rpartition("/intermediary/")[2]
    return function if file == "~" else f"{Path(file).name} {function}"
