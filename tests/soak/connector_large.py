"""Sends a large document through a connector and through the bare client library, in turn, and compares.

    python -m tests.soak.connector_large sftp --mib 2048
    python -m tests.soak.connector_large rest-raw|rest-multipart|rest-json|cmis|cmis-whole …

Each transfer is a process of its own: the connector's may not need more than 256 MiB, and it has to reach 60 % of the bare
library's rate in the same run. The document is made while it is read, so that nobody holds it. What a server on this machine
has on its disk goes before the next transfer, so that none waits until another's is written; who is first changes by round,
and the median of the rounds counts, so that neither wins by a moment in which the machine had nothing else to do.

`cmis` files in pieces, `cmis-whole` in one request; the bare library does the same, in pieces over one connection.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import resource
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from connectors.cmis.connector import CONNECTOR as CMIS
from connectors.cmis.settings import CmisSettings
from connectors.rest.connector import CONNECTOR as REST
from connectors.rest.settings import RestSettings
from connectors.sftp.connector import CONNECTOR as SFTP
from connectors.sftp.settings import SftpSettings
from intermediary.connect.settings import build_settings
from intermediary.core.ports import Connector
from intermediary.core.values import Dokument
from intermediary.testing.cmis.dms import Traits
from intermediary.testing.cmis.server import CmisServer
from intermediary.testing.connectors import deliver, make_auftrag
from intermediary.testing.rest_target import RestTarget
from intermediary.testing.sshd import PrivateSshd

MIB = 1024 * 1024
MOST_RSS = 256 * MIB
LEAST_SHARE = 0.6
WAYS = ("bare", "ours")
_CMIS = {"key_property": "efa:schluessel", "document": {"type": "efa:dokument"}}
_BLOCK = random.Random(20261122).randbytes(MIB)


class Repeating(io.RawIOBase):
    """One random mebibyte again and again."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length, self._at = length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        start = self._at % MIB
        count = min(len(buffer), self._length - self._at, MIB - start)
        buffer[:count] = _BLOCK[start : start + count]
        self._at += count
        return count


class Large:
    """A content that is never there as a whole."""

    def __init__(self, mib: int) -> None:
        self.length = mib * MIB
        digest = hashlib.sha256()
        for _ in range(mib):
            digest.update(_BLOCK)
        self.sha256 = digest.hexdigest()

    def open(self, length: int | None = None) -> BinaryIO:
        return io.BufferedReader(Repeating(self.length if length is None else length), MIB)  # type: ignore[return-value]

    def read(self) -> bytes:
        raise AssertionError("nobody reads it as a whole")


@dataclass(frozen=True, slots=True)
class Place:
    """Where to send to: what a connector and a bare client have to know of it, and the folder that what was sent fills."""

    table: dict[str, Any]
    fills: Path | None = None

    def empty(self) -> None:
        """Take away what the transfers have left."""
        if self.fills is not None:
            shutil.rmtree(self.fills)
            self.fills.mkdir()


@contextmanager
def target_of(kind: str) -> Iterator[Place]:
    """A server in a process of its own."""
    if kind == "sftp":
        with PrivateSshd() as server:
            for name in ("drop", "staging"):
                (server.root / name).mkdir()
            table = {
                "host": "127.0.0.1",
                "port": server.port,
                "user": server.user,
                "drop": str(server.root / "drop"),
                "staging": str(server.root / "staging"),
                "host_key": [server.host_key],
                "key_file": str(server.client_key),
            }
            yield Place(table, server.root / "drop")
        return
    called = "serve_cmis" if kind.startswith("cmis") else "serve"
    serving = f"from tests.soak.connector_large import {called}; {called}()"
    with tempfile.TemporaryDirectory(prefix="connector-large-") as folder:
        command = [sys.executable, "-c", serving, f"{folder}/filed"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if kind.startswith("cmis"):
                chunk = 0 if kind == "cmis-whole" else 64
                yield Place({"url": url, "folder": "/", "chunk_mb": chunk, **_CMIS}, Path(folder) / "filed")
            else:
                request = {"path": "zustellungen", "body": kind.removeprefix("rest-"), "take": {"id": "id"}}
                yield Place({"url": url, "idempotency": "native", "request": [request]})
        finally:
            process.communicate("")


def serve_cmis() -> None:
    """The CMIS target, until our input ends; it tells no hashes, which would be reading everything again."""
    with CmisServer(Path(sys.argv[1]), traits=Traits(hashes=False)) as server:
        print(server.browser_url, flush=True)
        sys.stdin.read()


def serve() -> None:
    """The HTTP target, until our input ends."""
    with RestTarget() as target:
        print(target.url, flush=True)
        sys.stdin.read()


def connector_of(kind: str, table: dict[str, Any]) -> Connector:
    """The connector of such a target."""
    base = Path("/")
    if kind == "sftp":
        return SFTP.build(build_settings(SftpSettings, table, base=base, where="settings"), base)
    if kind.startswith("cmis"):
        return CMIS.build(build_settings(CmisSettings, table, base=base, where="settings"), base)
    return REST.build(build_settings(RestSettings, table, base=base, where="settings"), base)


def send_bare(kind: str, table: dict[str, Any], content: Large) -> None:
    """What somebody would write with the library alone."""
    if kind == "sftp":
        import paramiko

        transport = paramiko.Transport((table["host"], table["port"]))
        transport.connect(username=table["user"], pkey=paramiko.PKey.from_path(table["key_file"]))
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        client.putfo(content.open(), f"{table['drop']}/bare")
        transport.close()
        return
    import httpx2

    with httpx2.Client(trust_env=False, timeout=600) as http:
        if kind.startswith("cmis"):
            root = f"{table['url']}/efa/root"
            fields = {
                "cmisaction": "createDocument",
                "propertyId[0]": "cmis:name",
                "propertyValue[0]": secrets.token_hex(8),
                "succinct": "true",
            }
            if kind == "cmis":
                made = http.post(root, data=fields).json()["succinctProperties"]["cmis:objectId"]
                _append(http, f"{root}?objectId={made}", content, table["chunk_mb"] * MIB)
                return
            files = {"content": ("large.zip", content.open(), "application/zip")}
            assert http.post(root, data=fields, files=files).status_code == 201
            return
        url, opened = f"{table['url']}/zustellungen", content.open()
        if kind == "rest-multipart":
            answer = http.post(url, files={"package": ("large.zip", opened, "application/zip")})
        else:
            pieces = iter(lambda: opened.read(64 * 1024), b"")
            answer = http.post(url, content=pieces, headers={"Content-Length": str(content.length)})
        assert answer.status_code == 201


def _append(http: Any, url: str, content: Large, size: int) -> None:
    for start in range(0, content.length, size):
        length = min(size, content.length - start)
        fields = {"cmisaction": "appendContent", "isLastChunk": "true" if start + length == content.length else "false"}
        files = {
            "content": ("large.zip", content.open(length), "application/zip")
        }  # each piece of it is like the other
        assert http.post(url, data=fields, files=files).status_code == 201


def child(kind: str, way: str, table: dict[str, Any], mib: int, number: int) -> dict[str, float]:
    """One transfer in this process."""
    content = Large(mib)
    started = time.monotonic()
    if way == "bare":
        send_bare(kind, table, content)
    else:
        auftrag = make_auftrag(number)
        package = Dokument(f"{number}.zip", "application/zip", content)
        deliver(connector_of(kind, table), replace(auftrag, package=package))
    seconds = time.monotonic() - started
    return {
        "mib_per_second": mib / seconds,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def run(kind: str, mib: int, rounds: int) -> dict[str, Any]:
    """Bare and ours in turn; the median of the rounds counts for each."""
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    rss: dict[str, float] = dict.fromkeys(WAYS, 0.0)
    with target_of(kind) as place:
        for number in range(rounds):
            for way in WAYS if number % 2 == 0 else reversed(WAYS):
                words = ["--child", way, "--mib", str(mib), "--number", str(number), "--table", json.dumps(place.table)]
                command = [sys.executable, "-m", "tests.soak.connector_large", kind, *words]
                done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=3600)
                said = json.loads(done.stdout)
                rates[way].append(round(said["mib_per_second"], 1))
                rss[way] = max(rss[way], said["rss_mib"])
                place.empty()
    share = statistics.median(rates["ours"]) / statistics.median(rates["bare"])
    return {
        "kind": kind,
        "mib": mib,
        "mib_per_second": rates,
        "share": round(share, 2),
        "rss_mib": {way: round(size, 1) for way, size in rss.items()},
        "holds": share >= LEAST_SHARE and rss["ours"] * MIB < MOST_RSS,
    }


def main() -> int:
    """Print the figures as JSON; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("sftp", "rest-raw", "rest-multipart", "rest-json", "cmis", "cmis-whole"))
    parser.add_argument("--mib", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", choices=WAYS)
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--table", type=json.loads)
    choice = parser.parse_args()
    if choice.child:
        print(json.dumps(child(choice.kind, choice.child, choice.table, choice.mib, choice.number)))
        return 0
    figures = run(choice.kind, choice.mib, choice.rounds)
    print(json.dumps(figures))
    return 0 if figures["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
