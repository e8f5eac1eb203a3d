"""The simulator put together: the server's own desk over a folder, with trouble around it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from intermediary.ingress.doors import DoorRules
from intermediary.ingress.gate import OPEN
from intermediary.ingress.https.door import Events, HttpsDoor
from intermediary.keys.partners import Partners
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.testing.simulate.osci.trouble import Knob, Trouble
from intermediary.testing.simulate.xta.shelf import Shelf, ShelfBoxes, ShelfSubmissions
from intermediary.testing.simulate.xta.trouble import Troubled, parse
from intermediary.testing.xta import sample_container, sample_order
from intermediary.testing.xta_site import free_port, write_tls
from intermediary.xta.server.allowances import Allowances
from intermediary.xta.server.desk import Desk, Naming
from intermediary.xta.server.house import House
from intermediary.xta.server.managing import Readers
from intermediary.xta.server.reception import Reception
from intermediary.xta.server.settings import ServerSettings

ACCOUNT = "ags:05999044"
"""The one account of the simulator: who sends there, and who fetches."""

_EVENTS = Events("simulator.listening", "simulator.closed")
_MANDANT = "simulation"
_NO_LIMIT = 1_000_000_000
_PARTNERS = f"""\
[[partner]]
kennung = "{ACCOUNT}"
name = "Wer holt und sendet"
[partner.account]
client = ["tls/portal.cert.pem", "tls/reader.cert.pem"]
identifiers = ["{ACCOUNT}", "prt:0000000001", "fvt:0000000001"]
"""


class Simulator:
    """A simulated XTA server over a folder. `serve` blocks; as a context manager it serves in a thread.

    One process at a time may have the folder. Whatever end it has, the next one goes on with everything it answered.
    """

    def __init__(
        self, folder: Path, *, listen: tuple[str, int] = ("127.0.0.1", 0), seed: int = 0, knobs: Iterable[Knob] = ()
    ) -> None:
        self.folder = folder
        self.trouble = Trouble(knobs, seed=seed)
        _furnish(folder)
        host, port = listen
        self._port = port or free_port()
        tls = folder / "tls"
        files = TlsFiles(tls / "server.cert.pem", tls / "server.key.pem", tls / "ca.cert.pem")
        self._settings = ServerSettings(
            host, self._port, files, judged_seconds=5, failures_per_hour=_NO_LIMIT, malformed_per_hour=_NO_LIMIT
        )
        self._spool = Spool(folder / "spool")
        self.boxes = ShelfBoxes(Shelf(folder / "box"), ACCOUNT, self._spool)
        self.sent = ShelfSubmissions(Shelf(folder / "sent"), self._spool)
        self._secret = (folder / "secret").read_bytes()
        self._last_random = b""
        self._repeats = threading.Event()
        self._desk = self._made_desk()
        self._door = HttpsDoor(self._settings, "simulation", OPEN, serve=self._serve, events=_EVENTS)
        self._thread = threading.Thread(target=self._door.run)

    @property
    def url(self) -> str:
        """What its ports begin with: `/management`, `/send`, `/msgbox` follow."""
        return f"https://localhost:{self._port}/xta"

    def fill(self, count: int) -> tuple[str, ...]:
        """Lays so many samples into the box; their keys."""
        now, first = datetime.now(UTC), len(self.boxes.lying) + 1
        return tuple(
            self.boxes.lay(sample_order(seed, now=now), sample_container(seed, now=now))
            for seed in range(first, first + count)
        )

    def state(self) -> dict[str, int]:
        """Figures, for people and checkers."""
        return {"waiting": len(self.boxes.lying), "sent": self.sent.count}

    def serve(self) -> None:
        """Serve until SIGTERM, SIGINT or `stop`."""
        self._door.run()

    def stop(self) -> None:
        """Let `serve` return."""
        self._door.stop()

    def __enter__(self) -> Simulator:
        self._thread.start()
        pause = threading.Event()
        while self._door.port is None and self._thread.is_alive():
            pause.wait(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._door.stop()
        self._thread.join(20)

    def _made_desk(self) -> Desk:
        house = House(
            submissions=self.sent,
            boxes=self.boxes,
            partners=lambda: Partners.load(self.folder / "partners.toml"),
            marks=lambda text: (hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest(),),
            check=lambda _element: (),
            offers=lambda _mandant, _service: True,
            spool=self._spool,
            clock=lambda: datetime.now(UTC),
            random=self._random,
        )
        rules = DoorRules(channel="simulation", mandanten=(_MANDANT,))
        allowances = Allowances("simulation", self._settings, ticks=time.monotonic)
        return Desk(house, rules, Readers((_MANDANT,), {}), Naming("simulation", "simulation"), allowances)

    def _serve(self) -> _Served:
        reception = Reception(
            self._desk, self._settings, DoorRules("simulation", (_MANDANT,)), spool=self._spool, clock=_now
        )
        return _Served(self, reception)

    def _random(self, count: int) -> bytes:
        """Random bytes; after the knob `same-id` those of an id once more."""
        if count == 9 and self._repeats.is_set() and self._last_random:
            self._repeats.clear()
            return self._last_random
        made = secrets.token_bytes(count)
        if count == 9:
            self._last_random = made
        return made

    def repeat_id(self) -> None:
        """The next id is the last one, the next list shows everything twice."""
        self._repeats.set()
        self.boxes.is_doubled = True

    def command(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """What is asked by `POST /simulator/NAME`."""
        match name:
            case "state":
                return dict(self.state())
            case "fill":
                return {"stored": len(self.fill(int(arguments["count"])))}
            case "knob":
                self.trouble.turn(parse(str(arguments["knob"])))
                return {"knob": arguments["knob"]}
            case "calm":
                self.trouble.calm()
                return {}
        raise ValueError("commands: state, fill, knob, calm")


class _Served:
    """The server's application under trouble, and the commands beside it."""

    def __init__(self, simulator: Simulator, reception: Reception) -> None:
        self._simulator = simulator
        self._reception = reception
        troubled = Troubled(reception.app, simulator.trouble, random=secrets.token_bytes, same_id=simulator.repeat_id)
        commands = Route("/simulator/{name}", self._command, methods=["GET", "POST"])
        self.app = Starlette(routes=[commands, Mount("/", troubled)])

    def stop(self) -> None:
        self._reception.stop()

    def close(self) -> None:
        self._reception.close()

    async def _command(self, request: Request) -> Response:
        try:
            arguments = await request.json() if request.method == "POST" else {}
            return JSONResponse(self._simulator.command(request.path_params["name"], arguments))
        except (ValueError, LookupError, TypeError) as mistake:
            return JSONResponse({"mistake": str(mistake)}, 400)


def _furnish(folder: Path) -> None:
    """Keys and certificates at the first start; found again later."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "tls" / "server.cert.pem").exists():
        write_tls(folder / "tls", now=datetime.now(UTC))
    if not (folder / "secret").exists():
        (folder / "secret").touch(mode=0o600)
        (folder / "secret").write_bytes(secrets.token_bytes(32))
    (folder / "partners.toml").write_text(_PARTNERS, encoding="utf-8")


def _now() -> datetime:
    return datetime.now(UTC)
