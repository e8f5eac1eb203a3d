"""Looks whether a repository can do what the settings ask of it, without any effect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.cmis.answer import Absent
from connectors.cmis.session import Dms, Session
from connectors.cmis.settings import CmisSettings
from intermediary.connect.api import Misconfigured


def probe(session: Session, settings: CmisSettings) -> None:
    """Raises `Misconfigured` with the setting that does not fit, `Transient` when the server does not answer."""
    now = datetime.now(UTC)
    dms = session.dms(now)
    _demand_abilities(dms, settings)
    document = session.type(settings.document.type, now, where="document.type")
    _demand_creatable(document, "document.type")
    _demand_searchable(document, settings.key_property, "key_property")
    _demand_properties(document, settings.document.properties, "document.properties")
    if settings.case is not None:
        case = session.type(settings.case.type, now, where="case.type")
        _demand_creatable(case, "case.type")
        _demand_properties(case, settings.case.properties, "case.properties")
        if settings.case.key_property:
            _demand_searchable(case, settings.case.key_property, "case.key_property")
    _demand_folder(session, settings, now)


def _demand_abilities(dms: Dms, settings: CmisSettings) -> None:
    if dms.query == "none":
        raise Misconfigured("target.misconfigured", where="repository: offers no query")
    if settings.chunk_mb and dms.version != "1.1":
        raise Misconfigured("target.misconfigured", where="chunk_mb: not before CMIS 1.1")
    if dms.updatability == "pwconly" and not settings.versioning:
        raise Misconfigured("target.misconfigured", where="versioning: needed by this repository")


def _demand_folder(session: Session, settings: CmisSettings, now: datetime) -> None:
    """Only where it depends on no Nachricht."""
    if settings.folder.names:
        return
    try:
        if settings.folder.startswith("/"):
            found = session.at_path(settings.folder.rstrip("/"), now, where="folder")
        else:
            found = session.by_id(settings.folder, now, where="folder")
    except Absent as failure:
        raise Misconfigured("target.misconfigured", where="folder: there is none") from failure
    if not found.is_folder:
        raise Misconfigured("target.misconfigured", where="folder: is a document")


def _demand_creatable(definition: Mapping[str, Any], where: str) -> None:
    if definition.get("creatable") is False:
        raise Misconfigured("target.misconfigured", where=f"{where}: nothing can be made of this type")


def _demand_properties(definition: Mapping[str, Any], wanted: Mapping[str, str], where: str) -> None:
    for name in wanted:
        _property(definition, name, f"{where}.{name}")


def _demand_searchable(definition: Mapping[str, Any], name: str, where: str) -> None:
    one = _property(definition, name, where)
    if one.get("queryable") is False or definition.get("queryable") is False:
        raise Misconfigured("target.misconfigured", where=f"{where}: cannot be searched for")
    if one.get("propertyType", "string") != "string" or one.get("cardinality", "single") != "single":
        raise Misconfigured("target.misconfigured", where=f"{where}: holds no single text")


def _property(definition: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    known = definition.get("propertyDefinitions")
    one = known.get(name) if isinstance(known, dict) else None
    if not isinstance(one, dict):
        raise Misconfigured("target.misconfigured", where=f"{where}: the type has no such property")
    if one.get("updatability") == "readonly":
        raise Misconfigured("target.misconfigured", where=f"{where}: is written by the server only")
    return one
