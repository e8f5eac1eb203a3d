"""Lines to OSCI intermediaries: keys of a Mandant on one side, a partner of the directory on the other."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography import x509

from intermediary.core.faults import Misconfigured
from intermediary.ingress.doors import DoorRules, Take
from intermediary.ingress.fetching.pace import Rhythm
from intermediary.ingress.gate import OPEN, Gate
from intermediary.keys.partners import Partner, Partners
from intermediary.keys.spool import Spool
from intermediary.osci.client.answers import OsciAnswers
from intermediary.osci.client.emptying import Visiting
from intermediary.osci.client.fetch_door import FetchDoor, FetchSettings, PostBoxSource
from intermediary.osci.client.http import Exchange, HttpExchange, HttpLimits
from intermediary.osci.client.line import Line
from intermediary.osci.client.party import intermediary_of, parties_of
from intermediary.settings.channels import Channel
from intermediary.settings.models import Settings
from intermediary.unseal.circumstances import Circle
from intermediary.unseal.mandant import Mandantenschluessel
from intermediary.wiring.configuration import Configuration, read_partners, read_schluessel

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Keys:
    """The present generation of keys and partners."""

    schluessel: Mapping[str, Mandantenschluessel]
    partners: Partners


def keys_in_force(configuration: Configuration) -> Keys:
    """What the daemon works with at present; a file that changed is noticed."""
    bank = configuration.bank()
    return Keys(bank.schluessel, bank.circles.partners)


def keys_as_written(settings: Settings) -> Keys:
    """What the files say now, read anew: for `doctor`."""
    return Keys({one.name: read_schluessel(one) for one in settings.mandant}, read_partners(settings))


QUITTUNG_LIMITS = HttpLimits(connect_seconds=5.0, idle_seconds=20.0, total_seconds=25.0, max_answer_bytes=4 * MEBIBYTE)
"""Less than the grace of a stop: what an intermediary says of a Quittung is short."""


@dataclass(frozen=True, slots=True)
class Partnership:
    """The intermediary of one channel or answer, and how it is reached."""

    kennung: str
    ca_file: Path | None = None
    limits: HttpLimits = QUITTUNG_LIMITS


class Lines:
    """Makes the lines of one channel; usable from several threads. Connections are kept while the address is the same."""

    def __init__(
        self, partnership: Partnership, keys: Callable[[], Keys], *, spool: Spool, clock: Callable[[], datetime]
    ) -> None:
        self._partnership = partnership
        self._keys = keys
        self._spool = spool
        self._clock = clock
        self._lock = threading.Lock()
        self._exchanges: dict[str, Exchange] = {}

    def line(self, mandant: str, number: int = 0) -> Line | None:
        """The line of a Mandant by its decrypting key of this number; None when the keyring has fewer.

        Raises `Misconfigured` when the Mandant has none at all, or the partner lacks something.
        """
        keys = self._keys()
        partner = keys.partners.named(self._partnership.kennung)
        own = keys.schluessel.get(mandant)
        if own is None:
            raise Misconfigured("dialog.key.missing", where=f"mandant {mandant}")
        parties = parties_of(own.keyring, own.policy, Circle(keys.partners, partner), where=f"mandant {mandant}")
        if number >= len(parties):
            return None
        intermediary = intermediary_of(partner)
        return Line(
            exchange=self._exchange_with(partner),
            party=parties[number],
            intermediary=intermediary,
            spool=self._spool,
            random=secrets.token_bytes,
            clock=self._clock,
        )

    def current(self, mandant: str) -> Line:
        """The line by the Mandant's current key; raises as `line`."""
        line = self.line(mandant)
        if line is None:
            raise Misconfigured("dialog.key.missing", where=f"mandant {mandant}")
        return line

    def reader(self, kennung: str) -> x509.Certificate:
        """What is encrypted for another partner of the directory, and names their post box; `Misconfigured`."""
        partner = self._keys().partners.named(kennung)
        if not partner.cipher:
            raise Misconfigured("dialog.key.missing", where=f"partner {kennung}")
        return partner.cipher[0]

    def close(self) -> None:
        """End all connections; what is under way fails, and nothing is sent any more."""
        with self._lock:
            for exchange in self._exchanges.values():
                exchange.close()

    def _exchange_with(self, partner: Partner) -> Exchange:
        """One for each address the partner had while this process lived: an older one may still be in use."""
        with self._lock:
            if partner.endpoint not in self._exchanges:
                self._exchanges[partner.endpoint] = HttpExchange(
                    partner.endpoint,
                    where=f"partner {partner.kennung}",
                    spool=self._spool,
                    limits=self._partnership.limits,
                    ca_file=self._partnership.ca_file,
                )
            return self._exchanges[partner.endpoint]


def open_fetch(
    channel: Channel,
    rules: DoorRules,
    keys: Callable[[], Keys],
    *,
    take: Take,
    spool: Spool,
    clock: Callable[[], datetime],
    gate: Gate = OPEN,
) -> FetchDoor:
    """The door of a channel of type `osci_fetch`: a post box for each Mandant, and for each of its keys that has one."""
    lines, settings = open_lines(channel, keys, spool=spool, clock=clock), channel.osci_fetch
    if settings is None:
        raise ValueError("the channel fetches from no intermediary")
    sources = [
        PostBoxSource(f"{mandant}/{number + 1}", mandant, partial(lines.line, mandant, number))
        for mandant in channel.mandanten
        for number in range(settings.post_boxes)
    ]
    chunk = settings.chunk_megabytes
    how = FetchSettings(
        rhythm=Rhythm(settings.poll_seconds, settings.poll_most_seconds),
        threads=settings.threads,
        visiting=Visiting(max_bytes=channel.max_bytes, chunk_bytes=None if chunk is None else chunk * MEBIBYTE),
    )
    return FetchDoor(how, rules, sources, take=take, clock=clock, gate=gate, close=lines.close)


def open_osci_answers(
    channel: Channel, keys: Callable[[], Keys], *, spool: Spool, clock: Callable[[], datetime]
) -> OsciAnswers:
    """The way back of a channel through an intermediary."""
    answer = channel.answer
    if answer is None or answer.partner is None or answer.reader is None:
        raise ValueError("the channel answers through no intermediary")
    lines = Lines(Partnership(answer.partner, answer.ca_file), keys, spool=spool, clock=clock)
    reader = partial(lines.reader, answer.reader)
    return OsciAnswers(line=lines.current, reader=reader, mandant=channel.mandanten[0], close=lines.close)


def open_lines(channel: Channel, keys: Callable[[], Keys], *, spool: Spool, clock: Callable[[], datetime]) -> Lines:
    """The lines of a channel of type `osci_fetch` to its intermediary."""
    if channel.osci_fetch is None or channel.partner is None:
        raise ValueError("the channel fetches from no intermediary")
    partnership = Partnership(
        channel.partner, channel.osci_fetch.ca_file, HttpLimits(max_answer_bytes=channel.max_bytes)
    )
    return Lines(partnership, keys, spool=spool, clock=clock)
