"""Holds every sample below a folder against the schemas in another, as a process that can be put where no network is.

python -m tests.unit.validate.judging SCHEMAS SAMPLES     JSON on standard output
"""

from __future__ import annotations

import errno
import json
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse

PROJECT = Path(__file__).resolve().parents[3]
OTHER_COLLECTIONS = ("fit-connect", "osci12", "catalog.xml")
LISTED = re.compile(r"^\* `(?P<path>[^`]+)`: (?P<said>INVALID|no schema here|not wellformed)", re.MULTILINE)
UNREACHABLE = "198.51.100.1"  # of a network for documentation: nobody answers there


@dataclass(frozen=True)
class Judged:
    """One sample: `outcome` is valid, invalid, missing or a code; the rules that it broke, by kind."""

    outcome: str
    schema: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rule_sets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Samples:
    """What came of all samples, by path, and whether the process that judged them could reach anything."""

    judged: dict[str, Judged]
    is_offline: bool


def judged_offline(schemas: Path, samples: Path) -> Samples:
    """All samples, judged in a network namespace of its own, where there is not even a route; if none is allowed, here."""
    command = [sys.executable, "-m", "tests.unit.validate.judging", str(schemas), str(samples)]
    done = subprocess.run([*namespace(), *command], cwd=PROJECT, capture_output=True, check=False, timeout=600)
    assert 0 == done.returncode, done.stderr.decode()[-2000:]
    said = json.loads(done.stdout)
    return Samples({path: Judged(**{key: value if key == "outcome" else tuple(value) for key, value in one.items()})
                    for path, one in said["judged"].items()}, said["offline"])  # fmt: skip


@cache
def namespace() -> tuple[str, ...]:
    """What starts a command without a network: as root, or as a user who may have a namespace; else nothing."""
    for way in (("unshare", "--net"), ("unshare", "--map-root-user", "--net")):
        try:
            if not subprocess.run([*way, "true"], capture_output=True, check=False, timeout=60).returncode:
                return way
        except FileNotFoundError:
            return ()
    return ()


def sample_paths(samples: Path) -> list[str]:
    """Every instance of the collections that have any; code lists are judged elsewhere."""
    found = (path.relative_to(samples) for path in sorted(samples.rglob("*.xml")))
    return [
        path.as_posix() for path in found if path.parts[0] not in OTHER_COLLECTIONS and "codelisten" not in path.parts
    ]


def said_by_readmes(samples: Path) -> dict[str, str]:
    """What the READMEs say of single instances: `INVALID`, `no schema here`, `not wellformed`; of all others, valid."""
    return {
        f"{readme.parent.name}/{one['path']}": one["said"]
        for readme in samples.glob("*/README.md")
        for one in LISTED.finditer(readme.read_text("utf-8"))
    }


def _judge(catalogue: Catalogue, path: Path) -> Judged:
    try:
        verdict = catalogue.validate(parse(path.read_bytes()))
    except (Rejected, Misconfigured) as fault:
        return Judged(fault.code)
    if not verdict.ran:
        return Judged("missing")
    broken = [one.rule for one in verdict.findings]
    return Judged(
        "valid" if verdict.is_valid else "not run" if verdict.not_run else "invalid",
        schema=tuple(rule for rule in broken if rule.startswith("SCHEMAV")),
        codes=tuple(rule for rule in broken if rule == "codelist"),
        rules=tuple(rule for rule in broken if not rule.startswith("SCHEMAV") and rule != "codelist"),
        rule_sets=tuple(one.name for one in verdict.rule_sets),
    )


def _is_offline() -> bool:
    """Whether there is no way out: no route, and what is sent somewhere is refused by this very machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return probe.connect_ex((UNREACHABLE, 9)) == errno.ENETUNREACH


def main(arguments: Sequence[str]) -> None:
    """Judge and tell."""
    schemas, samples = map(Path, arguments)
    catalogue = Catalogue.open(schemas)
    judged = {path: asdict(_judge(catalogue, samples / path)) for path in sample_paths(samples)}
    json.dump({"judged": judged, "offline": _is_offline()}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
