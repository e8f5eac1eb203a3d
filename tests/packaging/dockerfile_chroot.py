"""Executes the Dockerfile without an engine: each stage becomes a Debian chroot, and its RUN lines are run in it.

    python tests/packaging/dockerfile_chroot.py          (as root, with mmdebstrap, git and util-linux)

Shown by this: the RUN and COPY lines work on a clean clone of HEAD, and the result runs as the image's user on a
read-only root. Not shown: that an engine builds the image. Knows the instructions this Dockerfile uses, refuses others.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

PROJECT = Path(__file__).resolve().parent.parent.parent
AUTHORITIES = Path("/usr/local/share/ca-certificates")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
READ_ONLY = (
    'mount --bind "$1" "$1"',
    'mount -o remount,bind,ro "$1"',
    'mount -t tmpfs tmpfs "$1/tmp"',
    'mount -t tmpfs -o mode=0700,uid=10001,gid=10001 tmpfs "$1/var/lib/intermediary"',
)
DEVICES = (
    'mount -t proc proc "$1/proc"',
    'mount -t tmpfs -o mode=755 tmpfs "$1/dev"',
    'for device in null zero full random urandom; do cp -a "/dev/$device" "$1/dev/$device"; done',
    'ln -s /proc/self/fd "$1/dev/fd"',
    'mkdir -m 1777 "$1/dev/shm"',
)
ENTER = 'root=$1; shift; exec chroot --userspec={user} "$root" "$@"'
SAID_ONLY = {"VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


@dataclass(slots=True)
class Stage:
    """One stage as it grows: its root folder and what ENV, WORKDIR and USER said last."""

    name: str
    root: Path
    workdir: str = "/"
    user: str = "0:0"
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH, "HOME": "/root"})


def main() -> None:
    """Build every stage in order, then run the last one the way an operator would."""
    with tempfile.TemporaryDirectory(prefix="intermediary-image.") as scratch:
        context = Path(scratch, "context")
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", PROJECT, context], check=True)
        stages: dict[str, Stage] = {}
        for instruction, rest in instructions((context / "Dockerfile").read_text(encoding="utf-8")):
            if instruction == "FROM":
                stage = begin(rest, Path(scratch))
                stages[stage.name] = stage
            else:
                obey(stage, instruction, rest, context, stages)
        try_out(stage)
    say("image not built (no engine); its lines were executed in Debian chroots")


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile without comments, continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.strip().partition(" ") for line in joined)]


def begin(rest: str, scratch: Path) -> Stage:
    """A fresh Debian for one FROM line; of the image's name only the suite counts."""
    image, _, name = rest.partition(" AS ")
    suite = image.removeprefix("debian:").removesuffix("-slim")
    root = scratch / (name or "last")
    started = monotonic()
    subprocess.run(["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", suite, root], check=True)
    for file in ("/etc/resolv.conf", "/etc/hosts"):
        shutil.copy(file, root / "etc")
    if any(AUTHORITIES.glob("*.crt")):
        shutil.copytree(AUTHORITIES, root / "usr/local/share/ca-certificates", dirs_exist_ok=True)
    say(f"stage {name or 'last'}: {suite} in {monotonic() - started:.0f} s")
    return Stage(name or "last", root)


def obey(stage: Stage, instruction: str, rest: str, context: Path, stages: dict[str, Stage]) -> None:
    """Carry out one instruction in a stage."""
    match instruction:
        case "RUN":
            started = monotonic()
            inside(stage, ["/bin/sh", "-c", rest])
            say(f"stage {stage.name}: RUN in {monotonic() - started:.0f} s")
        case "COPY":
            copy(stage, rest, context, stages)
        case "ENV":
            name, _, value = rest.partition("=")
            stage.environment[name] = value
        case "WORKDIR":
            stage.workdir = rest
            (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = rest
            stage.environment["HOME"] = "/nonexistent"
        case _ if instruction not in SAID_ONLY:
            raise SystemExit(f"dockerfile_chroot: error: does not know {instruction}")


def copy(stage: Stage, rest: str, context: Path, stages: dict[str, Stage]) -> None:
    """COPY from the clone, or from another stage; a folder's content goes to the target folder, as in an engine."""
    *sources, target = shlex.split(rest)
    if sources[0].startswith("--from="):
        context = stages[sources.pop(0).removeprefix("--from=")].root
    into = stage.root / Path(stage.workdir, target).as_posix().lstrip("/")
    for source in sources:
        origin = context / source.lstrip("/")
        if origin.is_dir():
            shutil.copytree(origin, into, symlinks=True, dirs_exist_ok=True)
        else:
            place = into / origin.name if target.endswith("/") else into
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(origin, place)


def inside(stage: Stage, command: list[str], *, read_only: bool = False) -> None:
    """Run a command in a stage as its user, in namespaces that end with it."""
    script = "\n".join(["set -e", *(READ_ONLY if read_only else ()), *DEVICES, ENTER.format(user=stage.user)])
    variables = [f"{name}={value}" for name, value in stage.environment.items()]
    changed = ["env", "-i", "-C", stage.workdir, *variables, *command]
    subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", stage.root, *changed],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def try_out(stage: Stage) -> None:
    """What the image promises: its user is nobody special, its root is read-only, and the program runs there."""
    inside(stage, ["sh", "-c", 'test "$(id -u)" = 10001 && ! touch /etc/x 2>/dev/null'], read_only=True)
    inside(stage, ["intermediary", "--version"], read_only=True)
    inside(stage, ["intermediary", "demo", "--dir", "/var/lib/intermediary/demo"], read_only=True)


def say(text: str) -> None:
    """One line of progress."""
    print(f"dockerfile_chroot: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
