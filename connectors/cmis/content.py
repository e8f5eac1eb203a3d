"""Brings the content of one document to the repository: in one request, or in pieces that go on where a crash left them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.cmis.answer import Absent, Found
from connectors.cmis.form import Fields, Upload, properties
from connectors.cmis.label import Label
from connectors.cmis.session import Session
from connectors.cmis.stream import Reader
from intermediary.connect.api import Dokument, Misconfigured, Transient, Unclear


class Uploader:
    """Contents of the documents of one Zustellung in one attempt.

    What is larger than `chunk_bytes` is appended in pieces of that size, unless it is 0. `versioning`: contents are changed
    on a working copy. An answer counts where `property_id` of its object has our label: nothing goes into another's.
    """

    def __init__(
        self, session: Session, now: datetime, *, property_id: str, chunk_bytes: int, versioning: bool
    ) -> None:
        self._session = session
        self._now = now
        self._property_id = property_id
        self._chunk_bytes = chunk_bytes
        self._versioning = versioning

    def create(self, document: Dokument, label: Label, folder: str, values: Mapping[str, str]) -> Found:
        """A new document in a folder. Raises `NameTaken` and `Absent` (the folder) while nothing was made."""
        if self._goes_in_pieces(document):
            made = self._answered(self._do("createDocument", folder, properties(values)))
            return self._filled(document, label, self._own(label, made))
        with Reader(document.content) as reader:
            upload = self._upload(document, reader, reader.left)
            return self._checked(label, self._answered(self._do("createDocument", folder, properties(values), upload)))

    def complete(self, document: Dokument, label: Label, found: Found) -> Found:
        """An earlier attempt's document, with the rest of its content if some is missing."""
        if label.is_met(found):
            return found
        if not found.is_untouched:
            raise Unclear("delivery.unclear", where="document: changed by somebody else")
        return self._filled(document, label, found)

    def _filled(self, document: Dokument, label: Label, found: Found) -> Found:
        """The label stands for the content, so that what is there is the beginning of it; too much is written anew."""
        if self._versioning:
            found = self._working_copy(found)
        with Reader(document.content) as reader:
            if found.length and found.length < label.length:
                reader.skip(found.length)
            else:
                found = self._after(label, found, self._begin(document, reader, found))
            while reader.left:
                found = self._after(label, found, self._append(document, reader, found))
        if self._versioning:
            found = self._answered(self._do("checkIn", found.id, [("major", "true")]))
        return self._checked(label, self._again(found))

    def _begin(self, document: Dokument, reader: Reader, found: Found) -> Found | None:
        """The content from its beginning, whatever there was."""
        most = self._chunk_bytes if self._goes_in_pieces(document) else reader.left
        fields = [("overwriteFlag", "true"), *_token(found)]
        return self._do("setContent", found.id, fields, self._upload(document, reader, most))

    def _append(self, document: Dokument, reader: Reader, found: Found) -> Found | None:
        most = min(self._chunk_bytes or reader.left, reader.left)
        fields = [("isLastChunk", "true" if most == reader.left else "false"), *_token(found)]
        return self._do("appendContent", found.id, fields, self._upload(document, reader, most))

    def _after(self, label: Label, found: Found, answer: Found | None) -> Found:
        """The document after a change: as the answer has it, or read again where that is none of it."""
        return answer if answer is not None and self._names(label, answer) else self._again(found)

    def _working_copy(self, found: Found) -> Found:
        """Our working copy of a document; another's is waited for."""
        if not found.flag("cmis:isVersionSeriesCheckedOut"):
            copy = self._answered(self._do("checkOut", found.id, []))
            if copy.text("cmis:versionSeriesId") not in ("", found.text("cmis:versionSeriesId")):
                raise _about_another()
            return copy
        if found.text("cmis:versionSeriesCheckedOutBy") != found.text("cmis:createdBy"):
            raise Transient("target.busy", where="document: checked out by somebody else")
        return self._session.by_id(found.text("cmis:versionSeriesCheckedOutId"), self._now, where="document")

    def _again(self, found: Found) -> Found:
        return self._session.by_id(found.id, self._now, where="document")

    def _checked(self, label: Label, found: Found) -> Found:
        """What the server says it has, against what was sent: a difference is looked into by the next attempt."""
        found = self._own(label, found)
        if found.length is None:  # an answer may be short
            found = self._again(found)
        if found.length is None and label.length:
            raise Misconfigured("target.misconfigured", where="url: the server tells no lengths of contents")
        if not label.is_met(found):
            raise Unclear("delivery.unclear", where="document: its content is another one")
        return found

    def _own(self, label: Label, found: Found) -> Found:
        told = found if found.text(self._property_id) else self._again(found)
        if not self._names(label, told):
            raise _about_another()
        return told

    def _names(self, label: Label, found: Found) -> bool:
        return found.text(self._property_id) == str(label)

    def _goes_in_pieces(self, document: Dokument) -> bool:
        return 0 < self._chunk_bytes < document.content.length

    def _upload(self, document: Dokument, reader: Reader, most: int) -> Upload:
        return Upload(document.file_name, document.media_type, reader.section(min(most, reader.left)))

    def _do(self, action: str, identity: str, fields: Fields, upload: Upload | None = None) -> Found | None:
        try:
            return self._session.do(action, identity, fields, self._now, where="document", upload=upload)
        except Absent as failure:
            if action == "createDocument":
                raise
            raise Unclear("delivery.unclear", where="document: is gone") from failure

    def _answered(self, found: Found | None) -> Found:
        if found is None:
            raise Unclear("target.answer.unreadable", where="document")
        return found


def _about_another() -> Unclear:
    return Unclear("delivery.unclear", where="document: the answer is about another one")


def _token(found: Found) -> Fields:
    """So that nobody else's change, and no late one of our own, comes in between (CMIS 1.1, 2.2.1.3)."""
    token = found.text("cmis:changeToken")
    return [("changeToken", token)] if token else []
