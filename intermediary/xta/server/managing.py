"""The management port: accounts, ids, services, reports, cancellation (digest §5, §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from intermediary.unseal.xta.reading import token
from intermediary.unseal.xta.values import CodeValue, MessageMetaData, moment_of
from intermediary.xta.server.allowances import Allowances
from intermediary.xta.server.calls import Call, Result
from intermediary.xta.server.fetching import stamp
from intermediary.xta.server.house import Cancelling, House, Standing
from intermediary.xta.server.ids import Ids
from intermediary.xta.server.refusal import Refused
from intermediary.xta.wire.lookup import ServiceAnswer, ServiceQuestion, read_lookup_request, write_lookup_response
from intermediary.xta.wire.markup import leaf
from intermediary.xta.wire.report import RED, FurtherReport, TransportReport, write_transport_report

QUITTUNG = CodeValue("quittung", "urn:xta-osci-intermediary:codeliste:report.type", "1")
_MOST_QUESTIONS = 100


class Managing:
    """The five operations of the management port. `readers` gives the Mandant of a reader (`Readers`)."""

    def __init__(self, house: House, ids: Ids, readers: Readers, allowances: Allowances, *, server: str) -> None:
        self._house = house
        self._allowances = allowances
        self._ids = ids
        self._readers = readers
        self._server = server

    def check_account_active(self, _call: Call) -> Result:
        """Who gets as far as here is active."""
        return Result()

    def create_message_id(self, call: Call) -> Result:
        return Result(leaf("wsa:MessageID", self._ids.create(call.client.kennung, self._house.random)))

    def lookup_service(self, call: Call) -> Result:
        questions = read_lookup_request(call.body)
        if len(questions) > _MOST_QUESTIONS:
            raise Refused("9022")
        return Result(write_lookup_response(tuple(self._answered(call, one) for one in questions)))

    def get_transport_report(self, call: Call) -> Result:
        """For the author of what was sent to us, and for the reader of what lies, or lay, in a box."""
        message_id = token(call.body)
        found = self._of_reader(call, message_id) or self._of_author(call, message_id)
        if found is None:
            raise Refused("9070")
        order, standing = found
        report = TransportReport(
            order=order,
            time=stamp(standing.changed_at),
            server=self._server,
            status=standing.status,
            errors=standing.errors,
            warnings=standing.warnings,
            infos=standing.infos,
            further=(FurtherReport(QUITTUNG, standing.quittung),) if standing.quittung else (),
        )
        return Result(write_transport_report(report))

    def cancel_message(self, call: Call) -> Result:
        """Only its author, only with a term (`NotBefore`, else 9101), and only before it (else 9100)."""
        found = self._sent(call, token(call.body))
        if found is None:
            raise Refused("9022")
        nachricht_id, order = found
        term = moment_of(order.delivery.not_before)
        if term is None:
            raise Refused("9101")
        cancelling = self._house.submissions.cancel(nachricht_id, call.at)
        if cancelling is Cancelling.TOO_LATE:
            raise Refused("9100")
        return Result()

    def _answered(self, call: Call, question: ServiceQuestion) -> ServiceAnswer:
        mandant = self._readers.mandant_of(question.reader.identifier)
        is_offered = mandant is not None and self._house.offers(mandant, question.service)
        return ServiceAnswer(question.reader, question.service, is_offered and call.client.has_booked(question.service))

    def _of_reader(self, call: Call, message_id: str) -> tuple[MessageMetaData, Standing] | None:
        key = self._ids.key_of(message_id)
        found = None if key is None else self._house.boxes.standing(call.client.kennung, key)
        if found is None:
            return None
        order, standing = found
        return replace(order, identification=replace(order.identification, message_id=message_id)), standing

    def _of_author(self, call: Call, message_id: str) -> tuple[MessageMetaData, Standing] | None:
        sent = self._sent(call, message_id)
        if sent is None:
            return None
        nachricht_id, order = sent
        standing = self._house.submissions.standing(nachricht_id, message_id)
        if standing.status == RED:
            self._allowances.demand_decrypting(call.client.kennung)
            for one in standing.errors:
                self._allowances.tell(call.client.kennung, nachricht_id, one.code.code)
        return order, standing

    def _sent(self, call: Call, message_id: str) -> tuple[str, MessageMetaData] | None:
        """What this account sent under an id; nothing of others, and nothing once its payload is erased."""
        for mandant in self._readers.mandanten:
            nachricht_id = self._house.submissions.find(mandant, message_id, call.client.kennung)
            order = None if nachricht_id is None else self._house.submissions.order(nachricht_id)
            if nachricht_id is not None and order is not None:
                return nachricht_id, order
        return None


class Readers:
    """Whose submissions a server takes: the Mandant of each reader's identifier.

    Without a table there is one Mandant, and whoever is named as reader is its own.
    """

    def __init__(self, mandanten: Sequence[str], table: Mapping[str, str]) -> None:
        self.mandanten = tuple(mandanten)
        self._table = dict(table)

    def mandant_of(self, identifier: str) -> str | None:
        """The Mandant, None for a reader nobody knows here."""
        if not self._table and len(self.mandanten) == 1:
            return self.mandanten[0]
        return self._table.get(identifier)
