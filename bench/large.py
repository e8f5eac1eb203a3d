"""A large attachment through the daemon as it runs in production: door, store, opening, connector `ordner`.

Each process is watched from outside (`VmHWM` of /proc): what is printed is the most memory it ever had resident.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic

from bench.mail import KIBIBYTE, MEBIBYTE
from bench.noise import Noise
from bench.ways import AsFile, Way
from intermediary.osci.write import Attachment, seal_to
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.wiring import utc_now

_PATIENCE_SECONDS = 600.0
_STOP_SECONDS = 60.0
MOST_KIBIBYTES = 256 * KIBIBYTE
_ROLES = ("ingress", "worker")


@dataclass(slots=True)
class Journey:
    """What was seen of one message: seconds until it was taken and until it was delivered and answered.

    `peaks` are kibibytes by process (`supervisor`, `ingress`, `worker`); `is_whole` says whether the attachment in the
    delivered package has the bytes that were sealed.
    """

    sealed_bytes: int = 0
    taken_seconds: float = 0.0
    done_seconds: float = 0.0
    peaks: dict[str, int] = field(default_factory=dict)
    is_whole: bool = False


def measure(mebibytes: int = 2048) -> None:
    """Send one attachment of this size through and print what it took."""
    with tempfile.TemporaryDirectory(prefix="intermediary-bench.") as folder:
        journey = travel(Path(folder), mebibytes * MEBIBYTE)
    print(f"attachment of {mebibytes} MiB, {journey.sealed_bytes / MEBIBYTE:.0f} MiB sealed")
    print(f"  accepted and durable after {journey.taken_seconds:6.1f} s")
    print(f"  delivered and answered     {journey.done_seconds:6.1f} s")
    for role, peak in journey.peaks.items():
        print(f"  peak memory of {role:11} {peak / KIBIBYTE:6.0f} MiB (must be below 256)")
    print(f"  attachment in the package  {'the same' if journey.is_whole else 'NOT THE SAME'}")


def travel(
    folder: Path,
    attachment_bytes: int,
    *,
    way: Way | None = None,
    pki: Pki | None = None,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> Journey:
    """Make an installation in `folder`, hand it one sealed application and watch until it is answered.

    Raises RuntimeError when a step takes longer than the patience, or the daemon ends.
    """
    way = way or AsFile()
    site = make_site(folder / "site", now=utc_now(), settings=golden_settings(), pki=pki)
    way.prepare(site)
    attachment = Noise(attachment_bytes)
    sealed = site.folder / "large.osci"
    seal_large(site, attachment, sealed)
    journey = Journey(sealed_bytes=sealed.stat().st_size)
    log = folder / "daemon.log"
    with log.open("wb") as stderr:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "intermediary", "run", "-c", str(site.config)],
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            env=os.environ | {"TMPDIR": str(folder), "SQLITE_TMPDIR": str(folder)},
        )
    watch = partial(_watch, daemon, journey.peaks, patience_seconds)
    try:
        watch(lambda: all(f'"{one}.started"'.encode() in log.read_bytes() for one in _ROLES))
        started = monotonic()
        way.hand_over(site, sealed)
        watch(lambda: any((site.folder / "data" / "blobs").glob("??/*")))
        journey.taken_seconds = monotonic() - started
        watch(lambda: way.is_told(site))
        journey.done_seconds = monotonic() - started
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(_STOP_SECONDS)
    journey.is_whole = _delivered_sha256(site, attachment_bytes) == attachment.sha256
    return journey


def seal_large(site: Site, attachment: Noise, path: Path) -> None:
    """An application for this installation with one more attachment, sealed into a file."""
    now = utc_now()
    letter = sample_letter(1, now=now)
    large = Attachment("Bauzeichnung.bin", "application/octet-stream", attachment)
    letter = replace(letter, attachments=(*letter.attachments, large))
    with path.open("wb") as file:
        seal_to(file, letter, parties=site.pki.parties, random=secrets.token_bytes, now=now)


def _watch(
    daemon: subprocess.Popen[bytes], peaks: dict[str, int], patience_seconds: float, is_over: Callable[[], bool]
) -> None:
    """Look at the processes until it is over."""
    pause = threading.Event()
    end = monotonic() + patience_seconds
    while not is_over():
        if daemon.poll() is not None or monotonic() > end:
            raise RuntimeError("the daemon did not bring it to its end")
        _note_peaks(daemon.pid, peaks)
        pause.wait(0.05)
    _note_peaks(daemon.pid, peaks)


def _note_peaks(daemon: int, peaks: dict[str, int]) -> None:
    for pid, role in {daemon: "supervisor", **_children(daemon)}.items():
        peaks[role] = max(peaks.get(role, 0), _peak_kibibytes(pid))


def _children(daemon: int) -> dict[int, str]:
    found = {}
    for task in Path(f"/proc/{daemon}/task").glob("*/children"):
        for pid in _read(task).split():
            words = _read(Path(f"/proc/{pid}/cmdline")).split("\0")
            found |= {int(pid): role for role in _ROLES if role in words}
    return found


def _peak_kibibytes(pid: int) -> int:
    """The most that was ever resident; 0 for a process that has gone."""
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _delivered_sha256(site: Site, length: int) -> str:
    """The hash of the file of this length in the one package that was delivered."""
    (package,) = site.drop.glob("*.zip")
    with zipfile.ZipFile(package) as archive:
        name = next(entry.filename for entry in archive.infolist() if entry.file_size == length)
        with archive.open(name) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
