"""Shoots large and slow requests at the XTA door of a running daemon, while another account sends good messages.

    python -m tests.soak.hostile_xta

An account of the directory sends what stands in `hostile_xta_shots`, one after the other; then dozens of bodies of 60 MiB at
once; then bodies and headers that come byte by byte. Each is refused (or cut off) within its ceilings of time and memory,
and nothing of it is taken. Meanwhile a portal sends and a Fachverfahren fetches: nothing of theirs is lost or refused for
good. Prints the figures as JSON; the exit code is 1 when any promise was broken.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from intermediary.core.states import NachrichtState
from intermediary.operations.prove import verify_installation
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.pki import make_pki
from intermediary.testing.xta import sample_container, sample_order
from intermediary.testing.xta_site import OWN, PORTAL, XTA_SERVICE, XtaSite, furnish
from intermediary.unseal.xta.names import MAX_ENTITY_BYTES
from intermediary.unseal.xta.values import Party
from intermediary.wiring import open_installation, utc_now
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.xta_office import Client
from tests.evil.canary import Canary
from tests.evil.corpus import canary_defaults
from tests.soak.hostile_xta_shots import HOSTILE, MEBIBYTE, Shot, corpus, large, shots

AT_ONCE = 24
DRIPS = 40
DRIP_SECONDS = 60.0
_PATIENCE_SECONDS = 120
_PARTNER = f"""
[[partner]]
kennung = "{HOSTILE}"
name = "feindlich"
[partner.account]
client = ["tls/unlisted.cert.pem"]
"""
_NUMBERS = (re.compile(rb"<code>(90[0-9]{2})</code>"), re.compile(rb"<\w+:Value>\w+:(\w+)</"))


@dataclass
class Good:
    """A portal that sends and a Fachverfahren that fetches, each with an account of its own, until told to stop."""

    site: XtaSite
    sent: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    put_off: int = 0
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._whole, args=(one,)) for one in (self._send, self._fetch)]

    def __enter__(self) -> Good:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _whole(self, one: Callable[[int], None]) -> None:
        number = 0
        while not self._end.wait(0.3):
            number += 1
            try:
                one(number)
            except Exception as error:  # told at the end
                self.wrong.append(f"{type(error).__name__} {error}")

    def _send(self, number: int) -> None:
        order = sample_order(number, now=utc_now(), service=XTA_SERVICE)
        order = replace(order, author=Party(PORTAL), reader=Party(OWN))
        container, began = sample_container(number, now=utc_now()), time.monotonic()
        while (said := Client(self.site, "portal").send(order, container)).status == 503:
            self.put_off += 1
        if said.status != 200:
            self.wrong.append(f"sent, and told {said.status} {said.number}")
        self.sent.append(order.message_id)
        self.latencies.append(time.monotonic() - began)

    def _fetch(self, _number: int) -> None:
        empty_box(Client(self.site, "reader"))


def empty_box(reader: Client) -> bool:
    """Fetch and close what lies there; whether there was anything."""
    listed = reader.status_list()
    ids = () if listed.status != 200 or listed.box.pending is None else listed.listed.message_ids
    taken = [one for one in ids if reader.fetch(one).status == 200]
    if taken:
        reader.close(listed.box.request_id, *taken)
    return bool(ids)


class Range:
    """A site with a running daemon that is shot at."""

    def __init__(self, folder: Path) -> None:
        now = utc_now()
        pki = make_pki(valid_from=now.replace(year=now.year - 1), valid_until=now.replace(year=now.year + 1))
        self.site = furnish(folder / "site", pki, now=now, settings=golden_settings(), judged_seconds=1)
        with (self.site.site.folder / "partners.toml").open("a", encoding="utf-8") as file:
            file.write(_PARTNER)
        (folder / "tmp").mkdir()
        self.log = folder / "daemon.log"
        self.daemon = Daemon(self.site.site.config, log=self.log, temporary=folder / "tmp")
        self.daemon.wait_for("xta.listening")
        self._tls = self.site.context("unlisted")

    def connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.site.port), timeout=_PATIENCE_SECONDS)
        return self._tls.wrap_socket(plain, server_hostname="localhost")

    def forget_peaks(self) -> dict[int, int]:
        """Reset each child's high-water mark; what each holds now, in KiB."""
        for pid in self.daemon.children():
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        return {pid: _kib(pid, "VmRSS") for pid in self.daemon.children()}

    def growth(self, before: dict[int, int]) -> float:
        """The largest growth of one child's high-water mark, in MiB."""
        return max(_kib(pid, "VmHWM") - before.get(pid, 0) for pid in self.daemon.children()) / 1024

    def handles(self) -> int:
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.daemon.children())

    def shoot(self, shot: Shot) -> tuple[str, int]:
        """How it ended (number, code of SOAP, HTTP status or `closed`), and how many bytes were given away by then."""
        framing = "Transfer-Encoding: chunked" if shot.length is None else f"Content-Length: {shot.length}"
        kind = shot.kind if "action=" in shot.kind else f'{shot.kind}; action="{shot.action}"'
        head = f"POST /xta/{shot.port} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n"
        given, answer = 0, b""
        with self.connect() as stream:
            try:
                stream.sendall(head.encode())
                for piece in chain(shot.body(), [b""]):
                    if shot.length is None:
                        piece = b"%x\r\n%s\r\n" % (len(piece), piece)
                    stream.sendall(piece)
                    given += len(piece)
                    if answer := _arrived(stream) or b"":
                        break
                answer = _answer(stream, answer)
            except OSError:
                pass
        found = next((one for one in (pattern.search(answer) for pattern in _NUMBERS) if one), None)
        if found is None:
            return (answer.split(b" ", 2)[1].decode() if answer.startswith(b"HTTP/1.1 ") else "closed"), given
        return found[1].decode(), given


def _arrived(stream: socket.socket) -> bytes | None:
    """What has come by now; empty when the other side has closed, None for nothing (tickets of TLS are nothing)."""
    if not select.select([stream], [], [], 0)[0]:
        return None
    stream.setblocking(False)
    try:
        return stream.recv(65536)
    except ssl.SSLWantReadError:
        return None
    finally:
        stream.settimeout(_PATIENCE_SECONDS)


def _answer(stream: socket.socket, found: bytes) -> bytes:
    """One answer, to the end that its head announces."""
    while b"\r\n\r\n" not in found:
        piece = stream.recv(65536)
        if not piece:
            return found
        found += piece
    head, _, body = found.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *([0-9]+)", head)
    while length is not None and len(body) < int(length[1]):
        piece = stream.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def _kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def one_by_one(place: Range, say: Callable[..., None]) -> list[str]:
    """What went wrong."""
    wrong = []
    for shot in chain(shots(), corpus()):
        before, began = place.forget_peaks(), time.monotonic()
        ended, given = place.shoot(shot)
        seconds, growth = time.monotonic() - began, place.growth(before)
        faults = [
            *(["end"] if ended not in shot.ends else []),
            *(["seconds"] if seconds > shot.seconds else []),
            *(["memory"] if growth > shot.mebibytes else []),
            *(["bytes"] if given > MAX_ENTITY_BYTES + 32 * MEBIBYTE else []),
        ]
        wrong += [f"{shot.name}: {one}" for one in faults]
        say(shot=shot.name, ended=ended, seconds=round(seconds, 1), mib=round(growth, 1), given=given, faults=faults)
    return wrong


def at_once(place: Range, say: Callable[..., None]) -> list[str]:
    """Dozens of bodies of 60 MiB together: each gets an answer or is told to come again, and the spool bears them."""
    body, kind = large(60, mtom=True)
    shot, ended = Shot("at once", body, kind), list[str]()
    before = place.forget_peaks()
    threads = [threading.Thread(target=lambda: ended.append(place.shoot(shot)[0])) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    growth = place.growth(before)
    say(shot=shot.name, ended=sorted(ended), mib=round(growth, 1))
    return [f"at once: {one}" for one in ended if one not in ("9023", "9030", "Sender")] + (
        [f"at once: {growth:.0f} MiB"] if growth > 400 else []
    )


def drip(place: Range, say: Callable[..., None]) -> list[str]:
    """Bodies and headers that come byte by byte: they hold at most half of the places, headers none."""
    head = b"POST /xta/send HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\nTransfer-Encoding: chunked\r\n\r\n"
    bodies = [place.connect() for _ in range(DRIPS)]
    headers = [place.connect() for _ in range(DRIPS // 2)]
    for one in bodies:
        one.sendall(head)
    pause, alive = threading.Event(), {"bodies": 0, "headers": 0}
    end = time.monotonic() + DRIP_SECONDS
    while time.monotonic() < end:
        alive["bodies"] = sum(_dripped(one, b"1\r\n<\r\n") for one in bodies)
        alive["headers"] = sum(_dripped(one, b"P") for one in headers)
        pause.wait(2.0)
    for one in (*bodies, *headers):
        one.close()
    say(shot="drip", alive=alive)
    wrong = [] if alive["bodies"] <= 32 else [f"drip: {alive['bodies']} bodies hold a place"]
    return wrong + ([f"drip: {alive['headers']} headers live"] if alive["headers"] else [])


def _dripped(stream: socket.socket, drop: bytes) -> bool:
    """Whether the other side still listens."""
    try:
        if _arrived(stream) == b"":
            return False
        stream.sendall(drop)
    except OSError:
        return False
    return True


def run(folder: Path, canary: Canary, say: Callable[..., None]) -> list[str]:
    """What went wrong; empty when every promise held."""
    place = Range(folder)
    try:
        handles = place.handles()
        with Good(place.site) as good:
            wrong = one_by_one(place, say)
            wrong += at_once(place, say)
            wrong += drip(place, say)
        reader = Client(place.site, "reader")
        installation = open_installation(place.site.site.config)
        store = installation.store
        is_done = lambda: all(one.state is NachrichtState.COMPLETED for one in store.find())  # noqa: E731
        wait_until(lambda: not empty_box(reader) and is_done(), "every good message is closed")
        wait_until(lambda: place.handles() <= handles + 8, "handles as before")
        found = sorted(good.sent)
        taken = sorted(store.headers(one.id).message_id for one in store.find())
        wrong += [*good.wrong, *([] if found == taken else [f"{len(found)} sent, {len(taken)} taken"])]
        wrong += [f"audit: {one}" for one in verify_installation(installation).problems]
        wrong += [f"exit {code}" for code in [place.daemon.stop()] if code]
        store.close()
        spool = [one for one in (folder / "tmp").rglob("*") if one.is_file()]
        wrong += [f"left on the spool: {len(spool)}"] if spool else []
        wrong += [f"the canary sang {canary.knocks} times"] if canary.knocks else []
        wrong += [line for line in place.log.read_text("utf-8").splitlines() if '"door.call.failed"' in line][:5]
        late = sorted(good.latencies)
        figures = {"median_ms": round(1000 * late[len(late) // 2]), "most_ms": round(1000 * late[-1])}
        say(good=len(found), put_off=good.put_off, **figures)
        return wrong
    finally:
        place.daemon.kill()


def main() -> int:
    """Run, and print one line of JSON per shot; 1 when a promise was broken."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()

    def say(**line: object) -> None:
        print(json.dumps(line), flush=True)

    with tempfile.TemporaryDirectory(prefix="hostile-xta.") as folder, Canary(canary_defaults()) as canary:
        wrong = run(Path(folder), canary, say)
    say(wrong=wrong)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
