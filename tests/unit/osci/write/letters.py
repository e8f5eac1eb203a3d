"""Letters of all kinds, for properties: every cipher, signature, character and size that OSCI 1.2 leaves open."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from intermediary.osci.write import Attachment, Cipher, KeyTransport, Letter, SignatureMethod, Symmetric

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

xml_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r", exclude_characters="\ufffe\uffff"),
    max_size=40,
)
# libxmlsec takes what follows a # for a fragment; such names are tried with our own reader only
names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='#<>"\ufffe\uffff'), min_size=1)
ciphers = st.builds(
    Cipher, st.sampled_from(Symmetric), st.sampled_from([12, 16]), st.sampled_from(KeyTransport), st.booleans()
)
methods = st.sampled_from([method for method in SignatureMethod if method.family != "ECDSA"])
attachments = st.builds(
    Attachment, names, st.sampled_from(["application/pdf", "image/png"]), st.binary(max_size=300), st.booleans()
)
letters = st.builds(
    Letter,
    message_id=xml_text.filter(bool),
    subject=xml_text,
    contents=st.lists(st.binary(max_size=300), min_size=1, max_size=3).map(tuple),
    attachments=st.lists(attachments, max_size=3, unique_by=lambda attachment: attachment.name).map(tuple),
    message_type=st.sampled_from(["AcceptDelivery", "ProcessDelivery"]),
    content_cipher=st.none() | ciphers,
    attachment_cipher=ciphers,
    content_signatures=st.just(()) | methods.map(lambda method: (method,)),
    signing_time=st.none() | st.just(NOW),
    transport_cipher=st.none() | ciphers,
    transport_signature=st.none() | methods,
    features=st.booleans(),
)
