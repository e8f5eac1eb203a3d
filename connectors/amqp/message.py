"""Makes the message of a Zustellauftrag: its properties and headers, and its body or the reference to it.

`README.md` is the published side of this page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pika

from connectors.amqp.claims import ClaimFolder
from connectors.amqp.settings import AmqpSettings
from intermediary.connect.api import Content, Dokument, Misconfigured, Zustellauftrag

_MESSAGE_FILE = "nachricht.xml"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, ready to be published; `sha256` and `length` are those of its content, wherever that lies."""

    properties: pika.BasicProperties = field(repr=False)
    body: bytes = field(repr=False)
    proof: Mapping[str, str]


def content_of(auftrag: Zustellauftrag, settings: AmqpSettings) -> Dokument:
    """What is published of it: the package, or the target XML alone."""
    if settings.content == "package":
        return auftrag.package
    if auftrag.nachricht is None:
        raise Misconfigured("mapping.output.invalid", where="nachricht")
    return Dokument(_MESSAGE_FILE, "application/xml", auftrag.nachricht)


def beside_of(auftrag: Zustellauftrag, settings: AmqpSettings) -> tuple[Dokument, ...]:
    """The files that a bare message refers to; a package has them inside."""
    return auftrag.dokumente if settings.content == "message" else ()


def make_message(auftrag: Zustellauftrag, settings: AmqpSettings, claims: ClaimFolder | None) -> Outgoing:
    """Put what is too large into the store, durably, and make the message.

    Every attempt of a Zustellung makes the same one. Raises `Misconfigured("target.document.too-large")` where there is no
    store, and `Misconfigured("payload.corrupt")` when a content is not what its hash says.
    """
    main, beside = content_of(auftrag, settings), beside_of(auftrag, settings)
    headers = _headers(auftrag, main)
    body = b""
    if main.content.length <= settings.max_body_bytes:
        body = _checked(main.content)
    else:
        headers["x-claim"] = _store(claims).put(auftrag.key, 0, main)
    if beside:
        headers["x-documents"] = [
            {"name": one.file_name, "media_type": one.media_type, "claim": _store(claims).put(auftrag.key, number, one)}
            for number, one in enumerate(beside, 1)
        ]
    if claims is not None:
        claims.sync()
    properties = pika.BasicProperties(
        content_type=main.media_type,
        delivery_mode=2,
        message_id=auftrag.key,
        correlation_id=auftrag.key,
        reply_to=settings.answers.queue if settings.answers is not None else None,
        headers=headers,
        app_id="intermediary",
    )
    proof = {
        "exchange": settings.exchange,
        "routing_key": settings.routing_key,
        "message_id": auftrag.key,
        "file_name": main.file_name,
        "sha256": main.content.sha256,
        "length": str(main.content.length),
        "by": "claim" if "x-claim" in headers else "body",
    }
    return Outgoing(properties, body, proof)


def _headers(auftrag: Zustellauftrag, main: Dokument) -> dict[str, Any]:
    return {
        "x-mandant": auftrag.mandant,
        "x-standard": auftrag.standard,
        "x-message": auftrag.message,
        "x-test": auftrag.is_test,
        "x-file-name": main.file_name,
        "x-sha256": main.content.sha256,
    }


def _store(claims: ClaimFolder | None) -> ClaimFolder:
    if claims is None:
        raise Misconfigured("target.document.too-large", where="claims: not configured")
    return claims


def _checked(content: Content) -> bytes:
    with closing(content.open()) as stream:
        body = stream.read(content.length + 1)
        while more := stream.read(content.length + 1 - len(body)) if len(body) <= content.length else b"":
            body += more
    if len(body) != content.length or hashlib.sha256(body).hexdigest() != content.sha256:
        raise Misconfigured("payload.corrupt", where="package")
    return body
