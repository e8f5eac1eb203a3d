"""Files one Zustellung: the folder of its case, then each document, each looked for before it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from connectors.cmis.answer import Absent, Found, NameTaken
from connectors.cmis.content import Uploader
from connectors.cmis.facts import case_facts, document_facts
from connectors.cmis.form import properties
from connectors.cmis.label import Label
from connectors.cmis.pattern import filled, name_of, path_of
from connectors.cmis.search import filed_documents, filed_folder
from connectors.cmis.session import Session
from connectors.cmis.settings import Case, CmisSettings
from intermediary.connect.api import Dokument, Misconfigured, Steps, Unclear, Zustellauftrag


@dataclass(frozen=True, slots=True)
class Drawer:
    """Where the documents go: the folder's id, and its path where the server says it."""

    id: str
    path: str


class Filing:
    """The filing of one Zustellauftrag in one attempt."""

    def __init__(
        self, session: Session, settings: CmisSettings, auftrag: Zustellauftrag, steps: Steps, now: datetime
    ) -> None:
        self._session = session
        self._settings = settings
        self._auftrag = auftrag
        self._steps = steps
        self._now = now
        self._values = {
            **auftrag.business_keys,
            "key": auftrag.key,
            "mandant": auftrag.mandant,
            "nachricht": auftrag.nachricht_id,
            "standard": auftrag.standard,
            "message": auftrag.message,
        }
        self._documents = documents_of(auftrag, settings.contents)
        self._uploader = Uploader(
            session,
            now,
            property_id=settings.key_property,
            chunk_bytes=settings.chunk_bytes,
            versioning=settings.versioning,
        )

    def file(self) -> dict[int, Mapping[str, str]]:
        """Bring it to its end; the facts of every document by number."""
        filed = {number: self._steps.get(f"document/{number}") for number in range(1, len(self._documents) + 1)}
        if any(
            facts and facts["sha256"] != one.content.sha256
            for facts, one in zip(filed.values(), self._documents, strict=True)
        ):
            raise Unclear("output.changed", where="steps")
        if None in filed.values():
            drawer, there = self._drawer(), self._there()
            for number in (one for one, facts in filed.items() if facts is None):
                filed[number] = self._filed(number, drawer, there.get(number))
        return {number: facts for number, facts in filed.items() if facts is not None}

    def _there(self) -> dict[int, Found]:
        type_id, property_id = self._settings.document.type, self._settings.key_property
        return filed_documents(self._session, type_id, property_id, self._auftrag.key, self._now)

    def _filed(self, number: int, drawer: Drawer, found: Found | None) -> Mapping[str, str]:
        document = self._documents[number - 1]
        content = document.content
        label = Label(self._auftrag.key, number, len(self._documents), content.length, content.sha256)
        found = self._file(document, label, drawer, found)
        facts = document_facts(label, found)
        self._steps.done(f"document/{number}", facts)
        return facts

    def _drawer(self) -> Drawer:
        facts = self._steps.get("case")
        if facts is not None:
            if facts["documents"] != str(len(self._documents)):
                raise Unclear("output.changed", where="steps")
            return Drawer(facts["folder"], "")
        folder, case = self._folder(), self._settings.case
        drawer = folder if case is None else self._case(case, folder)
        self._steps.done("case", case_facts(drawer.id, len(self._documents)))
        return drawer

    @property
    def _is_repeated(self) -> bool:
        return self._auftrag.attempt > 1

    def _folder(self) -> Drawer:
        """The configured folder; it is never made."""
        try:
            if not self._settings.folder.startswith("/"):
                found = self._session.by_id(self._settings.folder, self._now, where="folder")
            else:
                path = path_of(self._settings.folder, self._values, where="folder")
                found = self._session.at_path("" if path == "/" else path, self._now, where="folder")
        except Absent as failure:
            raise Misconfigured("target.misconfigured", where="folder: there is none") from failure
        if not found.is_folder:
            raise Misconfigured("target.misconfigured", where="folder: is a document")
        return Drawer(found.id, found.text("cmis:path"))

    def _path_of(self, identity: str) -> str:
        try:
            return self._session.by_id(identity, self._now, where="case").text("cmis:path")
        except Absent as failure:
            raise Unclear("delivery.unclear", where="case: its folder is gone") from failure

    def _case(self, case: Case, folder: Drawer) -> Drawer:
        name = name_of(case.name, self._values, where="case.name")
        there = self._own_case(case, folder, name) if self._is_repeated or case.shared else None
        if there is None:
            there = self._made_case(case, folder, name)
        return Drawer(there.id, there.text("cmis:path") or _below(folder.path, name))

    def _made_case(self, case: Case, folder: Drawer, name: str) -> Found:
        values = {"cmis:objectTypeId": case.type, "cmis:name": name, **self._filled(case.properties, "case.properties")}
        if case.key_property:
            values[case.key_property] = self._auftrag.key
        try:
            made = self._session.do("createFolder", folder.id, properties(values), self._now, where="case")
        except NameTaken:
            there = self._own_case(case, folder, name)
            if there is None:  # of that name, and yet not at its path: the server's rule for names is another one
                raise Misconfigured("target.name.taken", where="case.name") from None
            return there
        except Absent as failure:
            raise Misconfigured("target.misconfigured", where="folder: there is none") from failure
        if made is None:
            raise Unclear("target.answer.unreadable", where="case")
        sign, wanted = (case.key_property, self._auftrag.key) if case.key_property else ("cmis:name", name)
        if not made.text(sign):  # an answer may be short
            made = self._session.by_id(made.id, self._now, where="case")
        if made.text(sign) != wanted:
            raise Unclear("delivery.unclear", where="case: the answer is about another one")
        return made

    def _own_case(self, case: Case, folder: Drawer, name: str) -> Found | None:
        found = self._at(folder, name)
        if found is None and case.key_property:
            return filed_folder(self._session, case.type, case.key_property, self._auftrag.key, self._now)
        if found is None or (found.is_folder and (case.shared or self._is_own(case, found))):
            return found
        raise Misconfigured("target.name.taken", where="case.name")

    def _is_own(self, case: Case, found: Found) -> bool:
        if case.key_property:
            return found.text(case.key_property) == self._auftrag.key
        return True  # its name has the key

    def _file(self, document: Dokument, label: Label, drawer: Drawer, found: Found | None) -> Found:
        values = {**self._values, "file_name": document.file_name, "n": str(label.number), "sha256": label.sha256}
        name = name_of(self._settings.document.name, values, where="document.name")
        if found is None and self._is_repeated:
            found = self._at(drawer, name)
        if found is None:
            try:
                return self._uploader.create(document, label, drawer.id, self._document_values(name, label, values))
            except NameTaken:
                found = self._at(drawer, name)
            except Absent as failure:
                raise Unclear("delivery.unclear", where="case: its folder is gone") from failure
        return self._uploader.complete(document, label, self._own_document(label, found))

    def _document_values(self, name: str, label: Label, values: Mapping[str, str]) -> dict[str, str]:
        settings = self._settings.document
        further = self._filled(settings.properties, "document.properties", values)
        return {
            "cmis:objectTypeId": settings.type,
            "cmis:name": name,
            **further,
            self._settings.key_property: str(label),
        }

    def _own_document(self, label: Label, found: Found | None) -> Found:
        """A document with our label. Another's is a mistake of the names; other content is never sent over ours."""
        there = None if found is None else Label.of(found, self._settings.key_property)
        if found is None or there is None or (there.key, there.number) != (label.key, label.number):
            raise Misconfigured("target.name.taken", where="document.name")
        if there != label:
            raise Unclear("output.changed", where="document")
        return found

    def _at(self, drawer: Drawer, name: str) -> Found | None:
        path = drawer.path or self._path_of(drawer.id)
        try:
            return self._session.at_path(_below(path, name), self._now, where="folder")
        except Absent:
            return None

    def _filled(
        self, patterns: Mapping[str, str], where: str, values: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        known = values or self._values
        return {name: filled(pattern, known, where=f"{where}.{name}") for name, pattern in patterns.items()}


def documents_of(auftrag: Zustellauftrag, contents: str) -> tuple[Dokument, ...]:
    """What is filed, in order: the package, or its message and every document."""
    if contents == "package" or auftrag.nachricht is None:
        return (auftrag.package, *(() if contents == "package" else auftrag.dokumente))
    message = Dokument(f"{PurePath(auftrag.package.file_name).stem}.xml", "application/xml", auftrag.nachricht)
    return (message, *auftrag.dokumente)


def _below(path: str, name: str) -> str:
    return f"{path.rstrip('/')}/{name}"
