"""Messages of every type, for properties: what their orders may say, their control blocks, contents of any nesting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from hypothesis import strategies as st

from intermediary.osci.write import (
    OWN_FEATURES,
    Answer,
    Attachment,
    CertificateList,
    Chunk,
    Cipher,
    Contents,
    Control,
    Deposit,
    DialogRequest,
    Fetch,
    Handover,
    Laufzettel,
    Order,
    Outgoing,
    Package,
    Random,
    SignatureMethod,
    Signer,
    chunk_package,
    list_certificates,
    pack_contents,
)
from intermediary.osci.write.letter import USUAL_CIPHER
from intermediary.testing.pki import Pki
from intermediary.unseal.osci.feedback import Entry
from intermediary.unseal.osci.names import KINDS
from intermediary.unseal.osci.partial import ChunkInformation, Features
from intermediary.unseal.osci.selection import SelectionRule
from tests.unit.osci.write.letters import attachments as files
from tests.unit.osci.write.letters import ciphers, methods, xml_text

READERS = ("reader-cipher", "recipient-cipher", "intermediary-cipher")
SIGNERS = ("author-signature", "originator-signature", "recipient-signature")
DIALOGS = ("InitDialog", "ExitDialog", "GetMessageId")

ids = xml_text.filter(bool)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
numbers = st.integers(0, 10**9 - 1)
entries = st.lists(
    st.builds(Entry, st.from_regex(r"[0-9]{4}", fullmatch=True), xml_text, st.sampled_from(["de", "en"])),
    min_size=1,
    max_size=3,
).map(tuple)
chunks = st.builds(
    ChunkInformation,
    number=st.none() | numbers,
    chunk_bytes=st.none() | st.integers(0, 10**6).map(lambda size: size * 1024),
    total=st.none() | numbers,
    total_kilobytes=st.none() | numbers,
    received=st.lists(numbers, max_size=4).map(tuple),
) | st.just(ChunkInformation(number=1, none_received=True))
rules = st.builds(SelectionRule, message_ids=st.tuples(ids)) | st.builds(
    SelectionRule, received_since=moments.map(datetime.isoformat)
)
card_rules = (
    rules
    | st.builds(SelectionRule, message_ids=st.lists(ids, min_size=2, max_size=3).map(tuple))
    | st.builds(
        SelectionRule,
        modified_since=moments.map(datetime.isoformat),
        role=st.sampled_from(["", "Addressee", "Originator"]),
        no_reception=st.booleans(),
    )
)
kilobytes = st.none() | st.integers(1, 10**6).map(lambda size: size * 1024)
features = (
    st.none()
    | st.just(OWN_FEATURES)
    | st.builds(
        Features,
        versions=st.dictionaries(ids, xml_text, max_size=3),
        max_chunk_bytes=kilobytes,
        min_chunk_bytes=kilobytes,
        max_message_bytes=kilobytes,
        chunk_timeout_seconds=st.none() | numbers,
    )
)


@dataclass(frozen=True)
class Plan:
    """One container to be: what is in it, who of `SIGNERS` signs with what, who of `READERS` may read it."""

    data: tuple[bytes, ...]
    files: tuple[Attachment, ...]
    signers: tuple[tuple[str, SignatureMethod], ...]
    readers: tuple[str, ...]
    inside: tuple[Plan, ...] = ()
    signing_time: datetime | None = None
    cipher: Cipher = USUAL_CIPHER
    attachment_cipher: Cipher = USUAL_CIPHER

    def contents(self, pki: Pki, number: count) -> Contents:
        """The plan with the keys of this PKI; a number in front makes every attachment's name its own."""
        return Contents(
            data=self.data,
            attachments=tuple(
                Attachment(f"{next(number)}{one.name}", one.media_type, one.data, one.base64) for one in self.files
            ),
            inside=tuple(plan.contents(pki, number) for plan in self.inside),
            signers=tuple(Signer(pki.members[name].key, method) for name, method in self.signers),
            signing_time=self.signing_time,
            readers=tuple(pki.members[name].certificate for name in self.readers),
            cipher=self.cipher,
            attachment_cipher=self.attachment_cipher,
        )


def plans(inside: st.SearchStrategy[Plan] | None = None) -> st.SearchStrategy[Plan]:
    return st.builds(
        Plan,
        data=st.lists(st.binary(max_size=200), max_size=2).map(tuple),
        files=st.lists(files, max_size=2).map(tuple),
        signers=st.dictionaries(st.sampled_from(SIGNERS), methods, max_size=2).map(
            lambda chosen: tuple(chosen.items())
        ),
        readers=st.lists(st.sampled_from(READERS), max_size=2, unique=True).map(tuple),
        inside=st.just(()) if inside is None else st.lists(inside, max_size=2).map(tuple),
        signing_time=st.none() | moments,
        cipher=ciphers,
        attachment_cipher=ciphers,
    ).filter(lambda plan: plan.data or plan.files or plan.inside or not plan.signers)


packages = st.lists(plans(plans(plans())), max_size=2).map(tuple)


@dataclass(frozen=True)
class Draft:
    """A message without keys."""

    kind: str
    control: Control
    order: Order
    features: Features | None
    plans: tuple[Plan, ...] = ()
    chunk: bytes | None = None

    def certificates(self, pki: Pki) -> CertificateList:
        """All parties: whoever signs and reads anything."""
        return list_certificates(
            originator_cipher=pki.members["originator-cipher"].certificate,
            originator_signature=pki.members["originator-signature"].certificate,
            addressee_cipher=pki.members["recipient-cipher"].certificate,
            addressee_signature=pki.members["recipient-signature"].certificate,
            intermediary_cipher=pki.members["intermediary-cipher"].certificate,
            intermediary_signature=pki.members["intermediary-signature"].certificate,
            readers=[pki.members["reader-cipher"].certificate],
            authors=[pki.members["author-signature"].certificate],
        )

    def outgoing(self, pki: Pki, random: Random) -> Outgoing:
        """The message between the members of this PKI."""
        listed = self.certificates(pki)
        package: Package | None = None
        if self.chunk is not None:
            package = chunk_package(self.chunk)
        elif self.plans:
            number = count()
            package = pack_contents(
                *(plan.contents(pki, number) for plan in self.plans), certificates=listed, random=random
            )
        return Outgoing(
            kind=self.kind,
            control=self.control,
            order=self.order,
            certificates=listed,
            package=package,
            features=self.features,
        )


def signer_of(kind: str) -> str:
    """Who signs the transport of this kind of message (digest §12.2)."""
    role = KINDS[kind].signer.rpartition("SignatureCertificate")[2]
    return {"Intermediary": "intermediary", "Originator": "originator", "Addressee": "recipient"}[role]


@st.composite
def drafts(draw: st.DrawFn, kind: str) -> Draft:
    """A message of this kind."""
    control = draw(_controls(KINDS[kind].control))
    order = draw(orders(kind))
    if "Partial" in kind and KINDS[kind].body == "package":
        chunk = draw(st.none() | st.binary(max_size=300))
        return Draft(kind, control, order, draw(features), chunk=chunk)
    chosen = draw(packages) if KINDS[kind].body == "package" else ()
    return Draft(kind, control, order, draw(features), chosen)


def orders(kind: str) -> st.SearchStrategy[Order]:
    """What the order of this kind of message may say."""
    if kind.startswith("ResponseTo"):
        return _answers(kind)
    if kind in DIALOGS:
        return st.just(DialogRequest())
    if kind == "AcceptDelivery":
        return st.builds(Handover, card=_cards())
    if kind == "ProcessDelivery":
        return st.builds(Handover, card=st.none() | _cards(), message_id_response=xml_text)
    if kind == "FetchDelivery":
        return st.builds(Fetch, selection=st.none() | rules)
    if kind == "FetchProcessCard":
        return st.builds(Fetch, selection=st.none() | card_rules, limit=st.none() | st.integers(1, 999))
    if kind == "PartialFetchDelivery":
        return st.builds(Fetch, selection=rules, chunk=chunks)
    if kind == "PartialStoreDelivery":
        return st.builds(Chunk, message_id=ids, subject=xml_text, chunk=st.none() | chunks)
    receivers = st.just("") if kind == "StoreDelivery" else ids
    deposits = st.builds(Deposit, message_id=ids, subject=xml_text, receiver=receivers)
    return deposits | st.builds(Deposit, receiver=ids) if kind == "MediateDelivery" else deposits


def _answers(kind: str) -> st.SearchStrategy[Answer]:
    more: dict[str, st.SearchStrategy] = {}
    if kind in ("ResponseToGetMessageId", "ResponseToPartialFetchDelivery"):
        more["message_id"] = xml_text
    if kind == "ResponseToProcessDelivery":
        more |= {"message_id": ids, "subject": xml_text}
    if kind in ("ResponseToFetchDelivery", "ResponseToPartialFetchDelivery"):
        more["selection"] = st.none() | rules
    if kind == "ResponseToFetchProcessCard":
        more |= {"selection": st.none() | card_rules, "limit": st.none() | st.integers(1, 999)}
    if kind == "ResponseToMediateDelivery":
        both = (_cards("RequestProcessCardBundle"), _cards("ReplyProcessCardBundle"))
        more["cards"] = st.just(()) | st.tuples(both[0]) | st.tuples(*both)
    elif kind.endswith("ProcessCard"):
        more["cards"] = st.lists(_cards(), max_size=3).map(tuple)
    elif kind in ("ResponseToStoreDelivery", "ResponseToForwardDelivery", "ResponseToFetchDelivery"):
        more["cards"] = st.just(()) | st.tuples(_cards())
    if "Partial" in kind:
        more["chunk"] = chunks
    if kind == "ResponseToPartialStoreDelivery":
        more |= {"inside": st.just(()) | entries, "cards": st.just(()) | st.tuples(_cards())}
    return st.builds(Answer, feedback=entries, **more)


def _cards(name: str = "ProcessCardBundle") -> st.SearchStrategy[Laufzettel]:
    return st.builds(
        Laufzettel,
        message_id=ids,
        created=moments,
        forwarded=st.none() | moments,
        received=st.none() | moments,
        subject=xml_text,
        name=st.just(name),
    )


def _controls(rule: str) -> st.SearchStrategy[Control]:
    values = (
        st.binary(min_size=1, max_size=20),
        st.binary(min_size=1, max_size=20),
        st.from_regex(r"[0-9]{1,30}", fullmatch=True),
        numbers,
    )
    fields = ("response", "challenge", "conversation_id", "sequence_number")
    chosen = {
        name: {"r": value, "o": st.none() | value, "-": st.none()}[need]
        for name, value, need in zip(fields, values, rule, strict=True)
    }
    return st.builds(Control, **chosen)
