"""Quittungen by OSCI: into the post box of whoever handed in, signed by us, sealed for its reader."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

from cryptography import x509

from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.osci.client.line import Line
from intermediary.osci.client.send import Posting, Sender
from intermediary.osci.write import Contents, Signer

_REMEMBERED = 10_000


class OsciAnswers:
    """The way back of a channel through an intermediary; usable from all threads of a worker.

    `line` gives the dialog's two sides for a Mandant, `reader` the certificate of whoever gets the Quittungen: it names
    the post box and opens the content. Both are called each time, so that new keys count at once; they raise
    `Misconfigured`. `mandant` is the one a probe speaks for. The intermediary's message id of a Quittung is remembered
    while the process lives: a repetition after an unclear attempt goes out under the same id and arrives once.
    """

    def __init__(
        self,
        *,
        line: Callable[[str], Line],
        reader: Callable[[], x509.Certificate],
        mandant: str,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._close = close
        self._line = line
        self._reader = reader
        self._mandant = mandant
        self._lock = threading.Lock()
        self._ids: OrderedDict[str, str] = OrderedDict()

    def answer(
        self, quittung: bytes, *, quittung_id: str, message_id: str, correlation_id: str, reply_to: str
    ) -> Mapping[str, str]:
        """Store one Quittung in the reader's post box, and return what proves that the intermediary has it.

        Its content is the Quittung's JSON; the subject is `Quittung <quittung_id>`. Raises `Misconfigured` when the
        intermediary or a certificate refuses it, `Transient("receipt.unreachable")` when it cannot be told now or
        nobody knows whether it was.
        """
        del message_id, correlation_id, reply_to
        line = self._line(_mandant_of(quittung))
        sender = Sender(line)
        try:
            own_id = self._id(quittung_id) or self._remember(quittung_id, sender.new_id())
            sent = sender.store(self._posting(line, own_id, quittung, quittung_id))
        except Misconfigured:
            raise
        except (Transient, Unclear) as fault:
            if fault.code == "dialog.message-id":
                self._forget(quittung_id)
            raise Transient("receipt.unreachable", where=_place(fault)) from fault
        except Fault as fault:
            raise Misconfigured("receipt.undeliverable", where=_place(fault)) from fault
        self._forget(quittung_id)
        return {
            "osci_partner": line.intermediary.kennung,
            "osci_message_id": own_id,
            "osci_feedback": " ".join(sent.codes),
            "sha256": hashlib.sha256(quittung).hexdigest(),
        }

    def probe(self) -> None:
        """Raise the fault that an answer would meet now: certificates are looked up, a dialog is opened and closed."""
        self._reader()
        Sender(self._line(self._mandant)).probe()

    def close(self) -> None:
        """End the connections, at the end of the process."""
        self._close()

    def _posting(self, line: Line, message_id: str, quittung: bytes, quittung_id: str) -> Posting:
        reader, signer = self._reader(), line.party.signer
        contents = Contents(
            data=(quittung,),
            signers=() if signer is None else (Signer(signer, line.party.method),),
            readers=(reader,),
        )
        return Posting(message_id=message_id, subject=f"Quittung {quittung_id}", addressee=reader, contents=(contents,))

    def _id(self, quittung_id: str) -> str:
        with self._lock:
            return self._ids.get(quittung_id, "")

    def _remember(self, quittung_id: str, message_id: str) -> str:
        with self._lock:
            self._ids[quittung_id] = message_id
            while len(self._ids) > _REMEMBERED:
                self._ids.popitem(last=False)
        return message_id

    def _forget(self, quittung_id: str) -> None:
        with self._lock:
            self._ids.pop(quittung_id, None)


def _mandant_of(quittung: bytes) -> str:
    """The Quittung names its Mandant (docs/reference/quittung.md), whose key signs it."""
    return str(json.loads(quittung)["mandant"])


def _place(fault: Fault) -> str:
    return f"{fault.code}: {fault.where}"
