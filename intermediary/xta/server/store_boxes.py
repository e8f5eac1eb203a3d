"""The boxes of readers as the store keeps them: nothing rests here, contents are made anew when they are fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.states import ZustellungState
from intermediary.core.values import Ausgabe, Content, Dokument, MemoryContent
from intermediary.store.errors import Busy, NotFound
from intermediary.store.post_box import FETCHED, Lying, box_of
from intermediary.store.store import Store
from intermediary.unseal.xta.container import ContentContainer, Piece
from intermediary.unseal.xta.values import (
    CodeValue,
    DeliveryAttributes,
    MessageMetaData,
    MessageType,
    MsgIdentification,
    Party,
    Qualifier,
)
from intermediary.xta.server.house import Closing, Entry, Standing
from intermediary.xta.server.records import standing_of_zustellung
from intermediary.xta.server.refusal import Later

_Z = ZustellungState


@dataclass(frozen=True, slots=True)
class StoreBoxes:
    """Implements `Boxes` for the Mandanten of one channel.

    `render` makes the output of a Nachricht once more, as a worker does for a repeated attempt. `wait` rests a moment and
    says whether to try again, for a Nachricht that a worker has in its hands.
    """

    store: Store
    mandanten: tuple[str, ...]
    render: Callable[[str], Ausgabe] = field(repr=False)
    wait: Callable[[int], bool] = field(repr=False)

    def waiting(self, account: str, *, limit: int) -> Sequence[Entry]:
        boxes = [box_of(mandant, account) for mandant in self.mandanten]
        return [_entry(one) for one in self.store.post_boxes.waiting(boxes, limit=limit)]

    def entries(self, account: str, keys: Sequence[str]) -> Sequence[Entry]:
        return [_entry(one) for one in self._of(account, keys) if one.is_waiting]

    def content(self, account: str, key: str) -> ContentContainer | None:
        """Raises `Misconfigured("output.changed")` when other bytes would be handed out than were promised."""
        found = [one for one in self._of(account, [key]) if one.is_waiting]
        if not found:
            return None
        zustellung = found[0].zustellung
        try:
            ausgabe = self.render(zustellung.nachricht_id)
        except Rejected as refusal:  # it was good when it was promised
            raise Misconfigured("output.changed", where=f"nachricht {zustellung.nachricht_id}") from refusal
        if ausgabe.package.content.sha256 != zustellung.output_sha256:
            raise Misconfigured("output.changed", where=f"nachricht {zustellung.nachricht_id}")
        return container_of(ausgabe, zustellung.correlation)

    def fetched(self, account: str, key: str, now: datetime) -> None:
        self.store.post_boxes.note_fetch(key, reader=account, now=now)

    def close(self, account: str, keys: Sequence[str], *, certificate: str, now: datetime) -> Closing:
        """First all are looked at, then each is closed in a commit of its own: repeated, what is closed stays closed."""
        found = self._of(account, keys)
        if len(found) != len(set(keys)):
            return Closing.UNKNOWN
        for one in found:
            proof = {
                "closed_by": account,
                "certificate_sha256": certificate,
                "closed_at": now.astimezone(UTC).isoformat(),
                "output_sha256": one.zustellung.output_sha256,
            }
            if not self._close(one, account, proof, now):
                return Closing.UNKNOWN
        return Closing.CLOSED

    def standing(self, account: str, key: str) -> tuple[MessageMetaData, Standing] | None:
        found = self._of(account, [key])
        if not found:
            return None
        return _order(found[0]), standing_of_zustellung(found[0].zustellung)

    def _of(self, account: str, keys: Sequence[str]) -> list[Lying]:
        """Those of these keys that lie, or lay, in a box of this account with a Mandant of ours."""
        lying = self.store.post_boxes.those(list(dict.fromkeys(keys)))
        return [
            one
            for one in lying
            if one.mandant in self.mandanten and one.zustellung.correlation.get("post_box") == account
        ]

    def _close(self, one: Lying, account: str, proof: Mapping[str, str], now: datetime) -> bool:
        tries = 0
        while True:
            try:
                self.store.post_boxes.close(one.zustellung.key, reader=account, proof=proof, now=now)
            except Busy as busy:
                tries += 1
                if not self.wait(tries):
                    raise Later from busy
            except NotFound:
                return False
            else:
                return True


def container_of(ausgabe: Ausgabe, said: Mapping[str, str]) -> ContentContainer:
    """The output as a container: the target's message with its documents as attachments, or the package alone."""
    if said.get("form") == "package" or not ausgabe.nachricht:
        return ContentContainer(_piece(ausgabe.package, 1))
    message = Piece(
        MemoryContent(ausgabe.nachricht),
        "text/xml",
        said.get("file_name", "") or "nachricht.xml",
        "UTF-8",
        "1",
        size=len(ausgabe.nachricht),
    )
    return ContentContainer(message, tuple(_piece(one, number) for number, one in enumerate(ausgabe.dokumente, 2)))


def _piece(dokument: Dokument, number: int) -> Piece:
    content: Content = dokument.content
    return Piece(content, dokument.media_type, dokument.file_name, "", str(number), size=content.length or None)


def _entry(lying: Lying) -> Entry:
    said = lying.zustellung.correlation
    fetched = said.get(FETCHED)
    return Entry(
        key=lying.zustellung.key,
        order=_order(lying),
        entered_at=lying.zustellung.intended_at or lying.zustellung.since,
        fetched_at=None if fetched is None else datetime.fromisoformat(fetched),
        size=int(said.get("length", "0")),
    )


def _order(lying: Lying) -> MessageMetaData:
    """The transport order, from what the connector wrote down; its MessageID is the caller's to set."""
    said = lying.zustellung.correlation
    code = CodeValue(said.get("message_type", ""), said.get("list_uri", ""), said.get("list_version", ""))
    entered = lying.zustellung.intended_at or lying.zustellung.since
    times = DeliveryAttributes(origin=entered.astimezone(UTC).isoformat(timespec="milliseconds"))
    if lying.zustellung.state is _Z.DELIVERED:
        times = replace(times, reception=lying.zustellung.proof.get("closed_at", ""))
    return MessageMetaData(
        author=Party(said.get("author", "")),
        reader=Party(said.get("reader", "")),
        identification=MsgIdentification(""),
        qualifier=Qualifier(
            said.get("service", ""), said.get("scenario", ""), MessageType(code, said.get("payload_schema", ""))
        ),
        delivery=times,
        is_test=said.get("test") == "true",
    )
