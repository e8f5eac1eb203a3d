"""The answer as bytes: its control block, its protection, and what a knob spoils of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cryptography import x509

from intermediary.osci.write import OWN_FEATURES, CertificateList, Control, Outgoing, Random, write
from intermediary.testing.simulate.osci.chunks import Limits
from intermediary.testing.simulate.osci.dialogs import Standing
from intermediary.testing.simulate.osci.outcome import Outcome
from intermediary.testing.simulate.osci.protecting import Own
from intermediary.testing.simulate.osci.reading import Request

_FROM_THE_END = 200
"""A byte so far before the end lies in the ciphertext of an encrypted answer, behind it come tag and delimiter."""


def written(
    outcome: Outcome,
    request: Request,
    standing: Standing,
    *,
    client_der: bytes,
    own: Own,
    limits: Limits,
    drawn: Mapping[str, str],
    random: Random,
) -> bytes:
    """The HTTP body for the client whose cipher certificate this is; `drawn` are the knobs that make trouble with it."""
    protection = own.protection(request, x509.load_der_x509_certificate(client_der))
    if "plain" in drawn:
        protection = replace(protection, recipient=None)
    if "unsigned" in drawn:
        protection = replace(protection, signer=None)
    listed = own.listed(with_cipher=False, with_signature=protection.signer is not None)
    body = write(
        Outgoing(
            kind=outcome.kind,
            control=_control(outcome.kind, standing, drawn, random),
            order=outcome.answer,
            certificates=CertificateList(listed, outcome.carried.certificates.others),
            package=outcome.carried.package,
            features=replace(
                OWN_FEATURES,
                max_chunk_bytes=limits.max_chunk_bytes,
                min_chunk_bytes=limits.min_chunk_bytes,
                max_message_bytes=limits.max_message_bytes,
            ),
            custom=outcome.carried.custom,
        ),
        protection,
        random=random,
    )
    return _spoiled(body) if "undecryptable" in drawn and protection.recipient is not None else body


def _control(kind: str, standing: Standing, drawn: Mapping[str, str], random: Random) -> Control:
    """Response, conversation and number as the request demands; the last answer of a dialog has no challenge."""
    control = Control(
        response=standing.response,
        challenge=None if kind == "ResponseToExitDialog" else standing.challenge,
        conversation_id=standing.conversation,
        sequence_number=standing.sequence,
    )
    if "wrong-response" in drawn:
        control = replace(control, response=random(10))
    if "wrong-conversation" in drawn:
        control = replace(control, conversation_id=str(int(standing.conversation) + 1))
    if "wrong-sequence" in drawn and standing.sequence is not None:
        control = replace(control, sequence_number=standing.sequence + 1)
    return control


def _spoiled(body: bytes) -> bytes:
    place = len(body) - _FROM_THE_END
    return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
