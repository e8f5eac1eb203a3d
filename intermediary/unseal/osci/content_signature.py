"""Content signatures: what they may cover, what they must cover, and the fact that results (digest §11)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from intermediary.core.faults import Rejected
from intermediary.core.values import Content, SignatureFact
from intermediary.unseal import algorithms as a
from intermediary.unseal import trust, xmldsig, xmlenc
from intermediary.unseal.circumstances import Circumstances
from intermediary.unseal.nodes import children
from intermediary.unseal.osci.certificates import Certificates, parsed, subject_of
from intermediary.unseal.osci.container import Container, Data
from intermediary.unseal.osci.progress import Progress
from intermediary.unseal.policy import Policy
from intermediary.unseal.xmldsig import Reference, Signature
from intermediary.xml import canonical
from intermediary.xml.long import LongTexts
from intermediary.xml.parser import Element

XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
_WHERE = "content-signature"
_DECLARATION = re.compile(rb"""\sxmlns(?::[^\s=]+)?="[^"]*\"""")

Check = Callable[[Reference], bool | None]
"""Whether a reference to this target matches; None if its transforms are not supported."""


@dataclass(frozen=True, slots=True)
class ContentVerifier:
    """Verifies the signatures of containers, by the header's certificates, policy, anchors and moment of receipt."""

    certificates: Certificates
    circumstances: Circumstances
    policy: Policy
    progress: Progress

    def verify(self, container: Container) -> frozenset[int]:
        """Notes one fact per signature and gives the positions of those that hold over everything in the container.

        Refuses the message when one is not intact or a content is left out.
        """
        first = len(self.progress.signatures)
        if first + len(container.signatures) > self.policy.max_signatures:
            raise Rejected("osci.limit", where="Signature")
        for element in container.signatures:
            self._verify(element, container)
        noted = enumerate(self.progress.signatures[first:], start=first)
        return frozenset(position for position, fact in noted if fact.intact and fact.complete)

    def _verify(self, element: Element, container: Container) -> None:
        targets = _targets(container)
        signature = xmldsig.read_signature(
            element,
            self.policy,
            canonical_form=canonical.INCLUSIVE,
            # Every reference needs a content or part of its own, so this cannot be flooded cheaply.
            max_references=self.policy.max_references + len(targets),
            where=_WHERE,
        )
        self.progress.saw(*signature.algorithms)
        certificate = parsed(self.certificates.signer(xmldsig.retrieval_uri(signature)))
        intact = _intact(signature, targets, container.texts)
        if not xmldsig.verifies(signature, certificate, self.policy, _WHERE):
            intact = False
        covered = set(signature.uris)
        complete = _required(container) <= covered
        standing = self.circumstances.judge(certificate, "content", self.certificates.hints)
        self.progress.note(
            SignatureFact(
                layer="content",
                signer=subject_of(certificate),
                algorithm=signature.algorithm,
                intact=intact,
                valid=bool(intact) and complete and trust.may_sign(certificate),
                complete=complete,
                trusted=standing.trusted,
                covers=signature.uris,
                weak=xmldsig.is_weak(signature, certificate, self.policy),
                place=container.place,
                reason=standing.code,
                revocation=standing.material,
                partner=self.circumstances.partner_of(certificate),
            )
        )
        if intact is False:
            raise Rejected("osci.content-signature.invalid")
        if not _contents(container) <= covered:
            raise Rejected("osci.content.unsigned-part")


def _intact(signature: Signature, targets: dict[str, Check], texts: LongTexts) -> bool | None:
    """All references hold: no; not determinable; yes. A reference that leads nowhere does not hold."""
    targets = targets | _signed_properties(signature, texts)
    results = [targets[uri](ref) if (uri := ref.uri) in targets else False for ref in signature.references]
    if False in results:
        return False
    return None if None in results else True


def _targets(container: Container) -> dict[str, Check]:
    """Everything a signature of this container may refer to, by position; there is no other look-up."""
    targets: dict[str, Check] = {}
    texts = container.texts
    for item in container.items:
        targets[_uri(item.identifier)] = (
            _data_check(item) if isinstance(item, Data) else _node_check(item.element, texts)
        )
    for attachment in container.attachments():
        targets[f"cid:{attachment.name}"] = _content_check(attachment.content)
    for encrypted in (*container.encrypted, *container.keys):
        targets[_uri(encrypted.get("Id"))] = _encrypted_check(encrypted, texts)
    return targets


def _uri(identifier: str | None) -> str:
    """How a reference names this id; empty, which no reference is, for what has none: it cannot be covered."""
    return f"#{identifier}" if identifier else ""


def _contents(container: Container) -> set[str]:
    """What no signature may leave out: every content and every attachment they refer to."""
    cids = {f"cid:{attachment.name}" for attachment in container.attachments()}
    return {_uri(item.identifier) for item in container.items} | cids


def _required(container: Container) -> set[str]:
    """All of that, and the encrypted parts; entries for the container's own attachments are exempt (digest §11)."""
    own = {attachment.name for attachment in container.attachments()}
    foreign = [entry for entry in container.keys if xmlenc.cipher_reference(entry) not in own]
    return _contents(container) | {_uri(one.get("Id")) for one in (*container.encrypted, *foreign)}


def _signed_properties(signature: Signature, texts: LongTexts) -> dict[str, Check]:
    """XAdES properties (signing time) in an object of this very signature."""
    return {
        f"#{properties.get('Id')}": _node_check(properties, texts, bare=True)
        for container in signature.objects
        for qualifying in children(container, XADES + "QualifyingProperties")
        for properties in children(qualifying, XADES + "SignedProperties")
        if properties.get("Id")
    }


def _content_check(content: Content) -> Check:
    return lambda reference: None if reference.transforms else reference.matches_content(content)


def _data_check(item: Data) -> Check:
    def check(reference: Reference) -> bool | None:
        if reference.transforms == (a.BASE64,):
            return reference.matches_content(item.content)
        return None

    return check


def _node_check(element: Element, texts: LongTexts, *, bare: bool = False) -> Check:
    """An element by its canonical form; `bare`: also without a transform, as XAdES properties are referred to."""

    def check(reference: Reference) -> bool | None:
        if reference.transforms == (canonical.INCLUSIVE,) or (bare and not reference.transforms):
            return reference.matches(texts.filled(canonical.inclusive(element)))
        return None

    return check


def _encrypted_check(element: Element, texts: LongTexts) -> Check:
    """The OSCI library digests EncryptedData without the namespace declarations of its start tag: both forms count."""

    def check(reference: Reference) -> bool | None:
        if reference.transforms != (canonical.INCLUSIVE,):
            return None
        octets = canonical.inclusive(element)
        end = octets.index(b">")
        bare = _DECLARATION.sub(b"", octets[:end]) + octets[end:]
        return reference.matches(texts.filled(bare)) or reference.matches(texts.filled(octets))

    return check
