"""A target for the connector `xta_postfach`: the store of the engine itself, with the boxes of the XTA server over it.

The connector sends nothing: what it returns is what the engine commits, and that lies in the box. So the commit is the
effect, and the pieces are counted that the reader is handed when it fetches.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from intermediary.core.decide import Decision
from intermediary.core.ports import Idempotency
from intermediary.core.states import ZustellungState
from intermediary.core.values import Ausgabe, Eingang, MemoryContent, Zustellauftrag
from intermediary.keys.wrap import KekFiles, MandantKeys, create_kek
from intermediary.store import PlannedTarget, Store, open_store
from intermediary.testing.kit.target import Effect, Trouble
from intermediary.testing.kit.worker import NOW
from intermediary.xta.server.store_boxes import StoreBoxes

_READER = "fvt:0000000001"
_SETTINGS: Mapping[str, object] = {
    "account": _READER,
    "author": "ags:05999044",
    "service": "urn:example:fachverfahren:1.0",
    "list_uri": "urn:xoev-de:xdomea:codeliste:nachrichtentyp",
    "payload_schema": "urn:xoev-de:xdomea:schema:3.1.0",
}
_TERM = timedelta(days=1)


class PostBox:
    """`Keeper` whose effects are the message and the attachments that the reader is handed, in their order.

    Its troubles are those of a commit: it could not be made (`busy`), or nobody knows that it was (`reset-after`). What is
    laid there again is what lies there, or else it is `changed`.
    """

    level = Idempotency.NATIVE

    def __init__(self) -> None:
        self._store: Store | None = None
        self._boxes: StoreBoxes | None = None
        self._lying: dict[str, str] = {}
        self._said: dict[str, dict[str, str]] = {}
        self._changed: dict[str, int] = {}
        self._orders: dict[str, Zustellauftrag] = {}
        self._trouble = ""

    def start(self, folder: Path) -> Mapping[str, object]:
        place = folder / "drop"
        place.mkdir()
        create_kek(place / "kek")
        keys = MandantKeys({"musterstadt": KekFiles(place / "kek")})
        self._store = open_store(data=place / "data", installation=uuid.uuid4(), keys=keys, lease=_TERM)
        self._boxes = StoreBoxes(self._store, ("musterstadt",), self._made_anew, lambda _tries: False)
        return _SETTINGS

    def keep(self, auftrag: Zustellauftrag, correlation: Mapping[str, str]) -> str:
        trouble, self._trouble = self._trouble, ""
        if trouble == Trouble.BUSY:
            return "transient"
        if auftrag.key not in self._lying:
            self._lay(auftrag, correlation)
        elif self._said[auftrag.key] != correlation:
            self._changed[auftrag.key] = self._changed.get(auftrag.key, 0) + 1
        return "unclear" if trouble else ""

    def effects(self, key: str) -> Sequence[Effect]:
        lying = self._lying.get(key)
        if lying is None or self._boxes is None:
            return ()
        container = self._boxes.content(_READER, lying)
        if container is None:  # it lies in somebody else's box
            return (Effect("misfiled"),)
        attachments = (Effect("attachment", one.content.sha256) for one in container.attachments)
        changed = [Effect("changed")] * self._changed.get(key, 0)
        return (Effect("message", container.message.content.sha256), *attachments, *changed)

    def misbehave(self, name: str, at: int = 0) -> bool:
        can = at == 0 and name in (Trouble.BUSY, Trouble.RESET_AFTER)
        self._trouble = name if can else ""
        return can or not name

    def stop(self) -> None:
        if self._store is not None:
            self._store.close()

    def _lay(self, auftrag: Zustellauftrag, correlation: Mapping[str, str]) -> None:
        """What the engine does with a Zustellung whose verdict comes later."""
        store = self._store
        assert store is not None  # noqa: S101  start() made it
        body = MemoryContent(b"<Antrag/>")
        (taken,) = store.take([Eingang(auftrag.mandant, "kit", auftrag.key, "application/xml", NOW, body)])
        sha256 = auftrag.package.content.sha256
        target = PlannedTarget(auftrag.target, required=True, output_sha256=sha256)
        claim = store.claim_one(taken.nachricht_id, "kit", NOW)
        claim = store.plan(claim, route="kit", pins={}, plan={}, targets=[target], now=NOW)
        key = claim.zustellungen[0].key
        claim = store.intend(claim, key, output_sha256=sha256, now=NOW)
        waits = Decision(ZustellungState.AWAITING, due_at=NOW + _TERM)
        claim = store.settle(claim, key, waits, now=NOW, correlation=dict(correlation), until=NOW + _TERM)
        store.release(claim, now=NOW)
        self._lying[auftrag.key], self._said[auftrag.key] = key, dict(correlation)
        self._orders[taken.nachricht_id] = auftrag

    def _made_anew(self, nachricht_id: str) -> Ausgabe:
        auftrag = self._orders[nachricht_id]
        nachricht = auftrag.nachricht.read() if auftrag.nachricht is not None else b""
        return Ausgabe(auftrag.standard, auftrag.message, nachricht, auftrag.package, auftrag.dokumente)


KIT = PostBox
