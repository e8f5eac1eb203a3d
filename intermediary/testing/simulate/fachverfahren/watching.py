"""The faces that others serve: looks into the SFTP drop, the CMIS DMS and the XTA server for what has appeared."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from intermediary.testing.cmis.dms import Dms
from intermediary.testing.simulate.fachverfahren.inbox import Content, Inbox, Piece
from intermediary.testing.simulate.xta.simulator import Simulator

SFTP, CMIS, XTA = "sftp", "cmis", "xta"
_UNFINISHED = (".part", ".tmp", ".new", ".ready")


class Watcher:
    """Looks again and again, in a thread of its own, until it is closed; `look` does it now."""

    def __init__(self, look: Callable[[], None], *, every_seconds: float = 0.5) -> None:
        self.look = look
        self._every = every_seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fachverfahren-watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._end.wait(self._every):
            self.look()


class SftpDrop:
    """The folder that the SFTP face writes into. A file is taken (and removed) when it has its final name.

    Its key is its name: a file that comes again is the same key.
    """

    def __init__(self, drop: Path, inbox: Inbox) -> None:
        self.drop = drop
        self._inbox = inbox
        self._lock = threading.Lock()
        drop.mkdir(parents=True, exist_ok=True)

    def look(self) -> None:
        with self._lock:
            for path in sorted(self.drop.iterdir()):
                if path.is_file() and not path.name.startswith(".") and path.suffix not in _UNFINISHED:
                    self._take(path)

    def _take(self, path: Path) -> None:
        data = path.read_bytes()
        self._inbox.note(SFTP, path.name, [Content.of(path.name, data)], answer="abgeholt")
        path.unlink()


class CmisShelf:
    """The documents of the CMIS face; they stay where they are. Incomplete ones are not looked at yet."""

    def __init__(self, dms: Dms, inbox: Inbox, key_property: str) -> None:
        self._dms = dms
        self._inbox = inbox
        self._property = key_property
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def look(self) -> None:
        with self._lock:
            for node in self._dms.documents():
                label = str(node.values.get(self._property) or "")
                content = node.content
                wanted = label.split("/")[3:4]
                if node.id in self._seen or content is None or (wanted and wanted != [str(content.length)]):
                    continue
                self._seen.add(node.id)
                data = b"".join(content.pieces()) if self._inbox.keeps else b""
                piece = Piece(node.name, content.length, content.sha256, content.media_type)
                self._inbox.note(
                    CMIS, "/".join(label.split("/")[:2]), [Content(piece, data)], answer=f"abgelegt {node.id}"
                )


class XtaBox:
    """What was sent to the XTA face: each message as its server keeps it, under its MessageID."""

    def __init__(self, simulator: Simulator, inbox: Inbox) -> None:
        self._simulator = simulator
        self._inbox = inbox
        self._lock = threading.Lock()

    def look(self) -> None:
        with self._lock:
            seen = {piece.name for one in self._inbox.arrivals() if one.face == XTA for piece in one.pieces}
            for path in sorted((self._simulator.folder / "sent").glob("*.xta")):
                order = None if path.name in seen else self._simulator.sent.order(path.stem)
                if order is not None:
                    content = Content.of(path.name, path.read_bytes(), "multipart/related")
                    self._inbox.note(XTA, order.identification.message_id, [content], answer="angenommen")
