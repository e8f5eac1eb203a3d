"""Publishes a Zustellauftrag to the broker of a Fachverfahren; stored and confirmed is delivered, or waits for an answer.

The `message-id` is the key. Whether the target takes a key only once is something the operator knows and this connector
does not: `target_deduplicates` makes the instance say `native`, without it an ambiguous attempt waits for a person.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from pika import exceptions as trouble

from connectors.amqp.answers import probe_answers, read_answers, verdict_on
from connectors.amqp.broker import examine, fault_asking, opened, publish
from connectors.amqp.claims import ClaimFolder
from connectors.amqp.message import make_message
from connectors.amqp.settings import AmqpSettings
from connectors.ordner import folder as folders
from intermediary.connect.api import (
    Awaiting,
    Delivered,
    Idempotency,
    Manifest,
    Misconfigured,
    NotDelivered,
    Refused,
    Steps,
    Transient,
    Unclear,
    Zustellauftrag,
)

MANIFEST = Manifest(
    name="amqp",
    idempotency=Idempotency.NONE,
    summary="publishes packages or messages to a queue with confirms; native where the target takes a key only once",
    concurrency=16,
)


class Amqp:
    """The connector of one queue target."""

    def __init__(self, settings: AmqpSettings) -> None:
        self._settings = settings
        idempotency = Idempotency.NATIVE if settings.target_deduplicates else Idempotency.NONE
        self.manifest = replace(MANIFEST, idempotency=idempotency)

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        claims = ClaimFolder(self._settings.claims) if self._settings.claims is not None else None
        try:
            with opened(self._settings) as channel:
                message = make_message(auftrag, self._settings, claims)
                publish(channel, self._settings, message.properties, message.body)
        except (Transient, Misconfigured):
            if claims is not None and auftrag.attempt == 1:  # a message of an earlier one may refer to them
                claims.take_back()
            raise
        answers = self._settings.answers
        if answers is None:
            return Delivered(message.proof)
        return Awaiting(now + timedelta(hours=answers.deadline_hours), message.proof)

    def lookup(self, key: str, steps: Steps, now: datetime) -> NotDelivered:
        raise Unclear("delivery.unclear", where="a queue cannot be asked")

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        answers = self._settings.answers
        if answers is None:
            return Delivered(dict(correlation))
        verdict = verdict_on(answers, key)
        if verdict is None:
            read_answers(self._settings, answers)
            verdict = verdict_on(answers, key)
        return None if verdict is None else verdict.outcome(dict(correlation))

    def probe(self) -> None:
        """Looks for exchange and queues by passive declarations, and at the folders."""
        settings = self._settings
        if settings.claims is not None:
            with folders.opened(settings.claims.folder, "claims.folder") as folder:
                if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder, effective_ids=True):
                    raise Misconfigured("target.misconfigured", where="claims.folder: not writable")
        if settings.answers is not None:
            probe_answers(settings.answers)
        with opened(settings) as channel:
            try:
                if settings.exchange:
                    channel.exchange_declare(settings.exchange, passive=True)
                else:
                    channel.queue_declare(settings.routing_key, passive=True)
                if settings.answers is not None:
                    channel.queue_declare(settings.answers.queue, passive=True)
            except (trouble.AMQPError, OSError) as error:
                raise fault_asking(error, channel) from error

    def examine(self) -> None:
        """The address is one, and the files of certificates can be used; offline."""
        examine(self._settings)


class _Factory:
    """Builds one connector per target."""

    manifest: Manifest = MANIFEST
    settings_type: type = AmqpSettings

    def build(self, settings: AmqpSettings, base: Path) -> Amqp:
        return Amqp(settings)


CONNECTOR = _Factory()
