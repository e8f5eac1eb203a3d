"""A small SOAP consumer over the signature core, as the corpus was made for: exclusive C14N, certificate in KeyInfo.

It keeps rule R1 the way the OSCI reader does: positions instead of ids, unique ids, everything that steers is covered.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from intermediary.core.faults import Rejected
from intermediary.unseal import trust, xmldsig
from intermediary.unseal.encoding import from_base64
from intermediary.unseal.nodes import broken, only, single, text
from intermediary.unseal.osci.names import DS, OSCI, SOAP
from intermediary.unseal.osci.structure import check_ids
from intermediary.unseal.policy import Policy
from intermediary.xml import canonical
from intermediary.xml.parser import Element, parse

AT = datetime(2026, 6, 1, tzinfo=UTC)


def verified_body(data: bytes, anchor: Path, policy: Policy) -> bytes:
    """The canonical bytes of the verified body, or `Rejected`."""
    envelope = parse(data, refuse_instructions=True)
    if envelope.tag != SOAP + "Envelope":
        raise broken("Envelope")
    only(envelope, SOAP + "Header", SOAP + "Body")
    header, body = single(envelope, SOAP + "Header"), single(envelope, SOAP + "Body")
    check_ids(envelope)
    if sum(1 for _ in envelope.iter(SOAP + "Body", SOAP + "Header", SOAP + "Envelope")) != 3:
        raise broken("Body")
    holder = single(header, OSCI + "ClientSignature")
    blocks = [block for block in header if block is not holder]
    if len({block.tag for block in blocks}) != len(blocks):
        raise broken("Header")
    signature = xmldsig.read_signature(
        single(holder, xmldsig.SIGNATURE),
        policy,
        canonical_form=canonical.EXCLUSIVE,
        max_references=policy.max_references,
        where="test",
    )
    targets = {f"#{element.get('Id')}": element for element in (*blocks, body)}
    if set(signature.uris) != set(targets):
        raise Rejected("osci.transport-signature.incomplete")
    octets = {uri: canonical.exclusive(element) for uri, element in targets.items()}
    for reference in signature.references:
        if reference.transforms != (canonical.EXCLUSIVE,) or not reference.matches([octets[reference.uri]]):
            raise Rejected("osci.transport-signature.invalid")
    certificate, others = _certificates(signature.key_info)
    anchors = x509.load_pem_x509_certificates(anchor.read_bytes())
    if (
        not trust.may_sign(certificate)
        or not trust.judge(certificate, anchors=anchors, at=AT, hints=lambda: others).trusted
    ):
        raise Rejected("signature.required")
    if not xmldsig.verifies(signature, certificate, policy, "test"):
        raise Rejected("osci.transport-signature.invalid")
    return octets[f"#{body.get('Id')}"]


def _certificates(info: Element | None) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """The leaf first, then what may stand between."""
    if info is None:
        raise broken("KeyInfo")
    only(info, DS + "X509Data")
    holder = single(info, DS + "X509Data")
    only(holder, DS + "X509Certificate")
    try:
        found = [x509.load_der_x509_certificate(from_base64(text(one))) for one in holder]
    except ValueError:
        raise broken("X509Certificate") from None
    if not found:
        raise broken("X509Certificate")
    return found[0], found[1:]
