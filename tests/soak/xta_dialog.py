"""The soak of XTA, our client against our server: a portal sends, the server hands out, the client fetches; both are killed.

    python -m tests.soak.xta_dialog --messages 1000 --kills 20 --seed 1

Messages (some of nearly 40 MB, by MTOM) are sent to an installation with a channel `xta_passive`, mapped, and laid into a
post box by the connector `xta_postfach`; a second installation with a channel `xta_fetch` empties that box. Both daemons are
killed (SIGKILL) so many times each while messages flow in both. At the end every message is in either store exactly once,
delivered at the server because the client closed it, and both audit trails are intact. Prints the figures as JSON; the exit
code is 1 when any promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from intermediary.core.faults import Transient, Unclear
from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki, make_pki
from intermediary.testing.samples import sample_png
from intermediary.testing.xta import sample_container, sample_order
from intermediary.testing.xta_site import OWN, PORTAL, READER, XTA_SERVICE, XtaSite, furnish
from intermediary.unseal.xta.container import ContentContainer, Piece
from intermediary.unseal.xta.values import MessageMetaData, Party
from intermediary.wiring import utc_now
from intermediary.xta.client.client import XtaClient
from intermediary.xta.client.http import Address, HttpExchange, HttpLimits
from intermediary.xta.client.sender import Sender
from intermediary.xta.wire.operations import Port
from tests.soak.daemon_kills import Daemon
from tests.soak.osci_dialog import _ask

_CHANNEL = """
[[channel]]
name = "xta"
type = "xta_fetch"
mandanten = ["musterstadt"]
[channel.xta_fetch]
poll_seconds = 1
poll_most_seconds = 1
[channel.xta_fetch.msgbox]
url = "{url}"
ca_file = "{tls}/ca.cert.pem"
[[channel.xta_fetch.account]]
mandant = "musterstadt"
identifier = "{account}"
tls_cert = "{tls}/reader.cert.pem"
tls_key = "{tls}/reader.key.pem"
"""
_LARGE_BYTES = 38 * 1024 * 1024
_SENDERS = 3
_DELAYS = (0.0, 0.002, 0.01, 0.02, 0.05, 0.2)


@dataclass(frozen=True, slots=True)
class Report:
    """What the run found; `violations` is empty when every promise held."""

    messages: int
    large: int
    server_kills: int
    client_kills: int
    sent_again: int
    told_by_report: int
    fetched_again: int
    seconds: float
    server_states: dict[str, int]
    client_states: dict[str, int]
    violations: tuple[str, ...]


class Portal:
    """Sends from several threads, each message until the server has said that it has it."""

    def __init__(self, site: XtaSite, count: int, large: int, end: float) -> None:
        self._site = site
        self._work: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(count):
            self._work.put(number)
        self._large = set(range(0, count, max(1, count // large))[:large]) if large else set[int]()
        self._end = end
        self._pause = threading.Event()
        self.sent: dict[str, int] = {}
        self.repeated = 0
        self.by_report = 0
        self.wrong: list[str] = []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(_SENDERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> bool:
        """Whether everything was sent in time."""
        for thread in self._threads:
            thread.join(max(0.0, self._end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        client = _client(self._site)
        while time.monotonic() < self._end:
            try:
                number = self._work.get_nowait()
            except queue.Empty:
                return
            try:
                self._send(client, number)
            except Exception as error:  # told at the end; the others go on
                self.wrong.append(f"message {number}: {type(error).__name__} {error}")

    def _send(self, client: XtaClient, number: int) -> None:
        order, container = _message(number, is_large=number in self._large)
        ids: list[str] = []
        while time.monotonic() < self._end:
            try:
                sent = Sender(client).send(order, container, known=ids[-1] if ids else "", remember=ids.append)
            except (Transient, Unclear):
                self.repeated += 1
                self._pause.wait(0.3)
                continue
            self.sent[sent.message_id] = number
            self.by_report += sent.by_report
            return


def run(
    folder: Path, *, messages: int, kills: int, seed: int, large: int = 3, workers: int = 2, patience: float = 3600.0
) -> Report:
    """One run in an empty folder."""
    dice = random.Random(seed)
    now = utc_now()
    pki = make_pki(valid_from=now.replace(year=now.year - 1), valid_until=now.replace(year=now.year + 1))
    server = furnish(folder / "server", pki, now=now, settings=golden_settings(), judged_seconds=1)
    client = _reader(folder / "client", server, pki)
    daemons = {
        "server": Daemon(server.site.config, folder / "server.log", workers),
        "client": Daemon(client.config, folder / "client.log", workers),
    }
    started = time.monotonic()
    end = started + patience
    for daemon in daemons.values():
        daemon.start()
    portal = Portal(server, messages, large, end)
    portal.start()
    killed = _kill(daemons, portal, folder, kills, messages, dice, end)
    done = portal.join() and _wait(lambda: _is_done(server.site, client, messages), end, pause=3.0)
    codes = [daemon.stop() for daemon in daemons.values()]
    seconds = time.monotonic() - started
    return _judge(
        server.site, client, portal, killed, folder, large=large, done=done and codes == [0, 0], seconds=seconds
    )


def _reader(folder: Path, server: XtaSite, pki: Pki) -> Site:
    """The installation that fetches."""
    site = make_site(folder, now=utc_now(), settings=golden_settings(), pki=pki)
    tls = os.path.relpath(server.tls, site.folder)
    channel = _CHANNEL.format(url=server.url("msgbox"), tls=tls, account=READER)
    with site.config.open("a", encoding="utf-8") as file:
        file.write(channel)
    return site


def _client(site: XtaSite) -> XtaClient:
    """The portal at the server."""
    tls = TlsFiles(site.tls / "portal.cert.pem", site.tls / "portal.key.pem")
    ports: tuple[Port, ...] = ("management", "send")
    limits = HttpLimits(connect_seconds=30, idle_seconds=120, total_seconds=300)
    spool = Spool(None)
    exchanges = {
        port: HttpExchange(
            Address(site.url(port), site.tls / "ca.cert.pem"), tls, where="portal", spool=spool, limits=limits
        )
        for port in ports
    }
    return XtaClient(exchanges, Party(PORTAL), where="portal", spool=spool, random=secrets.token_bytes)


def _message(number: int, *, is_large: bool) -> tuple[MessageMetaData, ContentContainer]:
    now = utc_now()
    order = replace(sample_order(number, now=now, service=XTA_SERVICE), author=Party(PORTAL), reader=Party(OWN))
    container = sample_container(number, now=now)
    if is_large:
        data = sample_png(shade=7) + random.Random(number).randbytes(_LARGE_BYTES)
        annex = Piece(MemoryContent(data), "image/png", filename="Anlage.png")
        container = ContentContainer(container.message, (*container.attachments, annex))
    return order, container


def _kill(
    daemons: dict[str, Daemon], portal: Portal, folder: Path, kills: int, messages: int, dice: random.Random, end: float
) -> Counter[str]:
    """So many kills of each side, in any order, spread over everything that is sent and closed.

    What was closed the server tells: a client that is killed in the middle of a visit has not told what it fetched.
    """
    sides = [side for side in daemons for _ in range(kills)]
    dice.shuffle(sides)
    moved = lambda: len(portal.sent) + _said(folder / "server.log", '"after": "completed"')  # noqa: E731
    killed: Counter[str] = Counter()
    for number, side in enumerate(sides, start=1):
        share = int(2 * messages * number / (len(sides) + 1))
        place = min(share + dice.uniform(-0.3, 0.3) * messages / len(sides), 2 * messages - 1)
        _wait(lambda place=place: moved() >= place, min(end, time.monotonic() + 120.0), pause=0.01)
        threading.Event().wait(dice.choice(_DELAYS))
        daemons[side].kill()
        killed[side] += 1
        daemons[side].start()
    return killed


def _wait(holds: Any, end: float, *, pause: float) -> bool:
    event = threading.Event()
    while not holds():
        if time.monotonic() > end:
            return False
        event.wait(pause)
    return True


def _logged(log: Path, event: str, field: str) -> int:
    """The sum of a field over all log lines of an event."""
    total = 0
    with log.open("rb") as file:
        for line in file:
            if event.encode() in line and line.endswith(b"\n"):
                total += int(json.loads(line).get(field, 0))
    return total


def _said(log: Path, words: str) -> int:
    """In how many lines these words stand."""
    with log.open("rb") as file:
        return sum(words.encode() in line for line in file)


def _lines(site: Site) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _ask(site, "state", "--all", "--json").stdout.splitlines()]


def _is_done(server: Site, client: Site, messages: int) -> bool:
    """Everything closed at the server, everything in the store of the client."""
    at_server = _lines(server)
    if len(at_server) < messages or any(line["state"] != "completed" for line in at_server):
        return False
    return len(_lines(client)) >= messages


def _judge(
    server: Site,
    client: Site,
    portal: Portal,
    killed: Counter[str],
    folder: Path,
    *,
    large: int,
    done: bool,
    seconds: float,
) -> Report:
    violations = list(portal.wrong)
    if not done:
        violations.append("the run did not end in time, or a daemon did not stop cleanly")
    at_server, at_client = _lines(server), _lines(client)
    by_id = Counter(line["messageId"] for line in at_server)
    violations += [f"not exactly once at the server: {one} {by_id[one]}" for one in portal.sent if by_id[one] != 1]
    violations += [f"at the server, but never sent: {one}" for one in by_id if one not in portal.sent]
    violations += [f"not closed: {line['id']} {line['state']} {line['code']}" for line in at_server
                   if line["state"] != "completed"]  # fmt: skip
    violations += [f"Zustellung not delivered: {line['id']}" for line in at_server
                   if [one["state"] for one in line["zustellungen"]] != ["delivered"]]  # fmt: skip
    fetched = Counter(line["messageId"] for line in at_client)
    violations += [f"not exactly once at the client: {one} {count}" for one, count in fetched.items() if count != 1]
    if len(fetched) != len(at_server):
        violations.append(f"{len(at_server)} at the server, {len(fetched)} at the client")
    violations += [f"parked at the client: {line['id']} {line['code']}" for line in at_client
                   if line["state"] == "parked"]  # fmt: skip
    for site in (server, client):
        verify = _ask(site, "audit", "verify")
        if verify.returncode != 0:
            violations.append(f"audit verify: {verify.stdout[-500:]}{verify.stderr[-500:]}")
    taken = _logged(folder / "client.log", "xta.fetched", "count")
    return Report(
        messages=len(portal.sent),
        large=large,
        server_kills=killed["server"],
        client_kills=killed["client"],
        sent_again=portal.repeated,
        told_by_report=portal.by_report,
        fetched_again=max(0, taken - len(fetched)),
        seconds=round(seconds, 1),
        server_states=dict(Counter(line["state"] for line in at_server)),
        client_states=dict(Counter(f"{line['state']} {line['code']}".strip() for line in at_client)),
        violations=tuple(violations),
    )


def main() -> int:
    """Print the report as JSON; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20, help="of each side")
    parser.add_argument("--large", type=int, default=3, help="how many are of nearly 40 MB")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--patience", type=float, default=3600.0, help="seconds")
    parser.add_argument("--dir", type=Path)
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xta-dialog-") as temporary:
        report = run(
            choice.dir or Path(temporary),
            messages=choice.messages,
            kills=choice.kills,
            seed=choice.seed,
            large=choice.large,
            workers=choice.workers,
            patience=choice.patience,
        )
    print(json.dumps({"seed": choice.seed} | {name: getattr(report, name) for name in Report.__slots__}, indent=1))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
