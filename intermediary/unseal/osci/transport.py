"""Transport protection: opens the encrypted envelope and verifies the transport signature (digest §5, §12)."""

from __future__ import annotations

from intermediary.core.faults import Rejected
from intermediary.core.section import pieces
from intermediary.core.values import Content, SignatureFact
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal import trust, xmldsig, xmlenc
from intermediary.unseal.cipher import Undecryptable
from intermediary.unseal.circumstances import Circumstances
from intermediary.unseal.encoding import decode_base64
from intermediary.unseal.mime import MimeMessage, MimePart
from intermediary.unseal.nodes import broken, only, single
from intermediary.unseal.osci.certificates import Certificates, parsed, subject_of
from intermediary.unseal.osci.names import SOAP
from intermediary.unseal.osci.progress import Progress
from intermediary.unseal.osci.structure import CLIENT_SIGNATURE, SUPPLIER_SIGNATURE, Structure, check_ids
from intermediary.unseal.policy import Policy
from intermediary.unseal.xmldsig import Reference
from intermediary.xml import canonical
from intermediary.xml.long import Document, LongTexts
from intermediary.xml.parser import Element

_WHERE = "transport"


def open_envelope(
    envelope: Document, mime: MimeMessage, keyring: Keyring, policy: Policy, progress: Progress, spool: Spool
) -> tuple[Content, bool]:
    """The inner MIME entity, and whether its cipher would have noticed a change by itself."""
    root = envelope.root
    only(root, SOAP + "Body")
    check_ids(root)
    body = single(root, SOAP + "Body")
    only(body, xmlenc.ENCRYPTED_DATA)
    encrypted = single(body, xmlenc.ENCRYPTED_DATA)
    keys = xmlenc.read_keys(encrypted, _no_reference, policy, envelope.texts)
    if len(keys) != 1:
        raise broken("EncryptedKey")
    own = xmlenc.own_key(keys, keyring, policy, _WHERE)
    if own is None:
        raise Rejected("osci.transport.no-key")
    method = xmlenc.read_method(encrypted, policy, _WHERE)
    progress.saw(method.uri, own.uri)
    octets = _octets(xmlenc.cipher_reference(encrypted), mime, spool)
    progress.count_key_operation()
    try:
        return xmlenc.decrypt(octets, own, method, keyring, spool), method.cipher.authenticated
    except Undecryptable:
        raise Rejected("osci.transport.undecryptable") from None


def _no_reference(_uri: str) -> bytes:
    raise Rejected("osci.reference", where="RetrievalMethod")


def _octets(name: str | None, mime: MimeMessage, spool: Spool) -> Content:
    if len(mime.others) != 1 or name != mime.others[0].content_id:
        raise Rejected("osci.reference", where="CipherReference")
    part = mime.others[0]
    if part.media_type == "text/base64" and part.transfer_encoding != "base64":
        return decode_base64(pieces(part.content), spool, where="envelope")
    return part.content


def verify_transport(
    structure: Structure,
    parts: dict[str, MimePart],
    certificates: Certificates,
    circumstances: Circumstances,
    progress: Progress,
) -> Circumstances:
    """Verifies the transport signature if there is one and notes the fact; refuses it if it does not hold.

    Gives the circumstances for what follows: with the partner whose signature held, if the signer is a partner's.

    Covered must be exactly every header block but the signature's own, the body, and every MIME part; the signer is the
    certificate of the role that sends this kind of message.
    """
    if structure.signature is None:
        return circumstances
    signer = certificates.of_role(structure.kind.signer)
    policy = circumstances.transport_policy(None if signer is None else parsed(signer[1]))
    only(structure.signature, xmldsig.SIGNATURE)
    signature = xmldsig.read_signature(
        single(structure.signature, xmldsig.SIGNATURE),
        policy,
        canonical_form=canonical.INCLUSIVE,
        # Every reference needs a part of its own, so this cannot be flooded cheaply.
        max_references=policy.max_references + len(parts),
        where="transport-signature",
    )
    progress.saw(*signature.algorithms)
    targets: dict[str, Element | MimePart] = {
        f"#{block.get('Id')}": block
        for block in (*structure.blocks, structure.body)
        if block.tag not in (CLIENT_SIGNATURE, SUPPLIER_SIGNATURE)
    }
    targets.update({f"cid:{name}": part for name, part in parts.items()})
    if signer is None or xmldsig.retrieval_uri(signature) != f"#{signer[0]}":
        raise Rejected("osci.transport-signature.invalid", where="signer")
    certificate = parsed(signer[1])
    intact = all(_matches(reference, targets, structure.texts) for reference in signature.references)
    intact = xmldsig.verifies(signature, certificate, policy, "transport-signature") and intact
    complete = targets.keys() <= set(signature.uris)
    standing = circumstances.judge(certificate, "transport", certificates.hints)
    progress.note(
        SignatureFact(
            layer="transport",
            signer=subject_of(certificate),
            algorithm=signature.algorithm,
            intact=intact,
            valid=intact and complete and trust.may_sign(certificate),
            complete=complete,
            trusted=standing.trusted,
            covers=signature.uris,
            weak=xmldsig.is_weak(signature, certificate, policy),
            reason=standing.code,
            revocation=standing.material,
            partner=circumstances.partner_of(certificate),
        )
    )
    if not intact:
        raise Rejected("osci.transport-signature.invalid")
    if not complete:
        raise Rejected("osci.transport-signature.incomplete")
    progress.applies(policy)
    return circumstances.proven_by(certificate, standing) if trust.may_sign(certificate) else circumstances


def _matches(reference: Reference, targets: dict[str, Element | MimePart], texts: LongTexts) -> bool:
    target = targets.get(reference.uri)
    if target is None:
        return False
    if isinstance(target, MimePart):
        return not reference.transforms and reference.matches_content(target.content)
    if reference.transforms != (canonical.INCLUSIVE,):
        return False
    return reference.matches(texts.filled(canonical.inclusive(target)))
