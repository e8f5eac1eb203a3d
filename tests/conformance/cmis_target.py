"""A CMIS DMS and its clerk, for the tests of the connector `cmis`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.cmis.connector import CONNECTOR
from connectors.cmis.label import Label
from connectors.cmis.settings import CmisSettings
from intermediary.connect.settings import build_settings
from intermediary.core.ports import Connector
from intermediary.core.values import Zustellauftrag
from intermediary.testing.cmis.dms import ROOT, Dms, Traits
from intermediary.testing.cmis.node import Node
from intermediary.testing.cmis.server import CmisServer
from intermediary.testing.connectors import Arrival

KEY = "efa:schluessel"
CLERK = "sachbearbeitung"
PLAIN: Mapping[str, object] = {"folder": "/", "key_property": KEY, "document": {"type": "efa:dokument"}}
CASE: Mapping[str, object] = {"type": "efa:vorgang", "name": "{mandant} {key}", "key_property": KEY}


class Pieces(CmisSettings):
    """Settings whose pieces are smaller than any operator may choose."""

    piece_bytes = 4

    @property
    def chunk_bytes(self) -> int:
        return self.piece_bytes


class LargePieces(Pieces):
    """Pieces for packages that are large."""

    piece_bytes = 1 << 20


@dataclass
class CmisTarget:
    """A fresh DMS behind a server that is up already, and a clerk who files what is complete elsewhere."""

    server: CmisServer
    root: Path
    table: Mapping[str, object] = field(default_factory=dict)
    traits: Traits = field(default_factory=Traits)
    pieces: type[CmisSettings] = CmisSettings

    def __post_init__(self) -> None:
        self.dms = Dms(self.root, clock=lambda: datetime.now(UTC), traits=self.traits)
        self.server.dms = self.dms
        self.done = self.dms.create_folder(ROOT, {"cmis:name": "erledigt"}, CLERK)

    def settings(self) -> CmisSettings:
        table = {"url": self.server.browser_url, **PLAIN, **self.table}
        return build_settings(self.pieces, table, base=self.root, where="target")

    def connect(self) -> Connector:
        return CONNECTOR.build(self.settings(), self.root)

    def consume(self) -> None:
        for node in self.dms.documents():
            if node.parent != self.done.id and self.is_complete(node):
                self.dms.update(node.id, {"cmis:name": f"{node.id} {node.name}"}, CLERK)
                self.dms.move(node.id, self.done.id, CLERK)

    def is_complete(self, node: Node) -> bool:
        whole = str(node.values.get(KEY, "")).split("/")[3:]
        return node.content is not None and whole == [str(node.content.length), node.content.sha256]

    def arrived(self) -> list[Arrival]:
        """Every document with its label, whoever has moved it where."""
        return [
            Arrival(str(node.values.get(KEY)), node.content.sha256 if node.content else "")
            for node in self.dms.documents()
        ]

    def expects(self, auftrag: Zustellauftrag) -> list[Arrival]:
        content = auftrag.package.content
        return [Arrival(str(Label(auftrag.key, 1, 1, content.length, content.sha256)), content.sha256)]

    def snapshot(self) -> object:
        nodes: list[Any] = [*self.dms.documents(), *self.dms.folders()]
        return [(one.id, one.parent, one.name, one.token) for one in nodes]
