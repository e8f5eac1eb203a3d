"""An XTA server of ours in this process, with its worker beside it; a client that writes and reads with our wire format."""

from __future__ import annotations

import http.client
import secrets
import threading
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site
from intermediary.testing.pki import Pki
from intermediary.testing.xta import sample_container, sample_order
from intermediary.testing.xta_site import OWN, PORTAL, XTA_SERVICE, XtaSite, free_port, furnish
from intermediary.unseal.xta.container import ContentContainer, read_container
from intermediary.unseal.xta.entity import Octets, entity_head, read_entity
from intermediary.unseal.xta.envelope import Envelope
from intermediary.unseal.xta.values import MessageMetaData, MsgIdentification, Party
from intermediary.wiring import Configuration, all_answers, bench, open_doors, open_installation, utc_now
from intermediary.worker import Worker
from intermediary.xta.server.door import XtaDoor
from intermediary.xta.wire.box import (
    BoxResponse,
    FetchRequest,
    NextRequest,
    Selector,
    StatusList,
    StatusListRequest,
    read_box_response,
    read_status_list,
    write_close_request,
    write_fetch_request,
    write_next_request,
    write_status_list_request,
)
from intermediary.xta.wire.entity import OutgoingMessage, SealedXml, request_addressing, write_entity
from intermediary.xta.wire.faults import read_fault
from intermediary.xta.wire.markup import leaf
from intermediary.xta.wire.metadata import write_metadata, write_party
from intermediary.xta.wire.operations import (
    CANCEL_MESSAGE,
    CLOSE,
    CREATE_MESSAGE_ID,
    GET_MESSAGE,
    GET_NEXT_MESSAGE,
    GET_NEXT_STATUS_LIST,
    GET_STATUS_LIST,
    GET_TRANSPORT_REPORT,
    SEND_MESSAGE,
    Operation,
)
from intermediary.xta.wire.report import TransportReport, read_transport_report


@dataclass(frozen=True)
class Said:
    """What came back: status, headers, the kept entity, and the envelope in it."""

    status: int
    headers: dict[str, str]
    raw: bytes = field(repr=False)

    @property
    def envelope(self) -> Envelope:
        return read_entity(MemoryContent(entity_head(self.headers["content-type"]) + self.raw))

    @property
    def number(self) -> str:
        """The number of the exception; `soap:CODE` for a fault of SOAP, empty for none."""
        fault = read_fault(self.envelope)
        if fault is None:
            return ""
        return fault.error.number if fault.error is not None else f"soap:{fault.code}"

    @property
    def box(self) -> BoxResponse:
        found = read_box_response(self.envelope)
        assert found is not None
        return found

    @property
    def listed(self) -> StatusList:
        body = self.envelope.body
        assert body is not None
        return read_status_list(body)

    @property
    def report(self) -> TransportReport:
        envelope = self.envelope
        assert envelope.body is not None
        return read_transport_report(envelope.body, Octets(envelope.texts, envelope.parts, Spool(None)))

    @property
    def container(self) -> ContentContainer:
        found = read_container(self.envelope, Spool(None))
        assert isinstance(found, ContentContainer)
        return found


class Client:
    """One client of the server, by the name of its certificate."""

    def __init__(self, site: XtaSite, name: str) -> None:
        self._site = site
        self._tls = site.context(name)
        self.tapped: list[bytes] = []

    def post(self, port: str, body: bytes, content_type: str, **headers: str) -> Said:
        connection = http.client.HTTPSConnection("localhost", self._site.port, timeout=120, context=self._tls)
        try:
            connection.request("POST", f"/xta/{port}", body, {"Content-Type": content_type, **headers})
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Said(response.status, names, response.read())
        finally:
            connection.close()

    def call(
        self,
        operation: Operation,
        body: str = "",
        *,
        headers: Sequence[str] = (),
        container: ContentContainer | SealedXml | None = None,
        mtom: bool = True,
        **http: str,
    ) -> Said:
        addressing = request_addressing(
            action=operation.action, to=self._site.url(operation.port), message_id=f"urn:uuid:{secrets.token_hex(16)}"
        )
        message = OutgoingMessage(addressing, tuple(headers), body, container)
        entity = write_entity(message, random=secrets.token_bytes, mtom=mtom)
        sent = entity.content.read()
        self.tapped.append(sent)
        return self.post(operation.port, sent, entity.content_type, **http)

    def new_id(self) -> str:
        body = self.call(CREATE_MESSAGE_ID).envelope.body
        assert body is not None
        return str(body.text)

    def send(
        self,
        order: MessageMetaData,
        container: ContentContainer,
        operation: Operation = SEND_MESSAGE,
        *,
        mtom: bool = True,
    ) -> Said:
        return self.call(operation, headers=[write_metadata(order)], container=container, mtom=mtom)

    def status_list(self, selector: Selector | None = None, *, most: int | None = None, form: str = "") -> Said:
        request = StatusListRequest(selector, most, form)  # type: ignore[arg-type]
        return self.call(GET_STATUS_LIST, write_status_list_request(request))

    def next_list(self, request_id: str, *received: str) -> Said:
        return self.call(GET_NEXT_STATUS_LIST, write_next_request(NextRequest(request_id, received)))

    def fetch(self, *ids: str, part: str = "", **http: str) -> Said:
        selector = Selector(message_ids=ids) if ids else None
        return self.call(GET_MESSAGE, write_fetch_request(FetchRequest(selector, part)), **http)  # type: ignore[arg-type]

    def next_message(self, request_id: str, *received: str) -> Said:
        return self.call(GET_NEXT_MESSAGE, write_next_request(NextRequest(request_id, received)))

    def close(self, request_id: str, *received: str) -> Said:
        return self.call(CLOSE, write_close_request(NextRequest(request_id, received)))

    def report(self, message_id: str) -> Said:
        return self.call(GET_TRANSPORT_REPORT, leaf("wsa:MessageID", message_id))

    def cancel(self, message_id: str) -> Said:
        return self.call(CANCEL_MESSAGE, leaf("wsa:MessageID", message_id))


def author(identifier: str) -> str:
    """The header that says for whom a client acts."""
    return write_party("oscimeta:Author", Party(identifier))


class Office:
    """The server, its store and one worker; `work` takes everything as far as it goes now."""

    def __init__(
        self, folder: Path, pki: Pki, *, prepare: Callable[[Site], None] = lambda _site: None, form: str = "nachricht"
    ) -> None:
        self.site = furnish(folder, pki, now=utc_now(), settings=golden_settings(), form=form)
        prepare(self.site.site)
        self._config = self.site.site.config
        self._start()

    def twin(self) -> Office:
        """A second host with the same store, on a port of its own."""
        other = copy(self)
        other.site = XtaSite(self.site.site, free_port())
        text = self._config.read_text("utf-8").replace(f"127.0.0.1:{self.site.port}", f"127.0.0.1:{other.site.port}")
        other._config = self._config.with_name("twin.toml")
        other._config.write_text(text, "utf-8")
        other._start()
        return other

    def _start(self) -> None:
        self.installation = open_installation(self._config)
        self.store = self.installation.store
        configuration = Configuration(self.installation.settings)
        answers = all_answers(self.installation.settings)
        self._worker = Worker(bench(self.installation, configuration, answers, now=utc_now), owner="office:1:1")
        (door,) = [one for one in open_doors(self.installation, now=utc_now) if isinstance(one, XtaDoor)]
        self.door = door
        self._thread = threading.Thread(target=door.run)
        self._thread.start()
        pause = threading.Event()
        while door.port is None and self._thread.is_alive():
            pause.wait(0.01)

    def restart(self) -> None:
        """As after a crash: nothing but the store and the configuration is left."""
        self.close()
        self._start()

    def close(self) -> None:
        self.door.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.store.close()

    def work(self) -> None:
        self._worker.drain()

    def client(self, name: str) -> Client:
        return Client(self.site, name)

    def order(self, seed: int, message_id: str = "", *, service: str = XTA_SERVICE) -> MessageMetaData:
        """The order of a usual application from the portal to the Mandant."""
        made = sample_order(seed, now=utc_now(), service=service)
        return replace(
            made,
            author=Party(PORTAL),
            reader=Party(OWN),
            identification=MsgIdentification(message_id or made.message_id),
        )

    def fill(self, count: int, *, begin: int = 1) -> list[str]:
        """So many applications sent and laid into the box of the reader; their ids as the portal sent them."""
        portal = self.client("portal")
        ids = []
        for seed in range(begin, begin + count):
            order = self.order(seed)
            said = portal.send(order, sample_container(seed, now=utc_now()))
            assert (200, "") == (said.status, said.number)
            ids.append(order.message_id)
        self.work()
        return ids
