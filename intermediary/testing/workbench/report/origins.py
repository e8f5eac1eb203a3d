"""Where an element of the output comes from, in words of the Fachamt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from intermediary.core.values import Herkunft
from intermediary.testing.workbench.coverage import plain, sources_in

_CONTEXT = {
    "nachricht.key": "Kennung der Nachricht",
    "nachricht.received_at": "Zeitpunkt des Eingangs",
    "nachricht.mandant": "Name des Mandanten",
    "nachricht.revision": "Fassung der Nachricht",
    "nachricht.is_test": "Testkennzeichen der Route",
    "payload.name": "Dateiname der Formulardaten",
    "antrag.test": "Testkennzeichen des Antrags",
}
_RULE = re.compile(r"[^\s()]+")
_LINE = re.compile(r"([^:/]+\.xslt?):([0-9]+)")
_LISTED = re.compile(r"([^\s()]+)(?: ([^\s()]+))?(?:\((.*)\))?")  # list, table that translates, what was looked at


@dataclass(frozen=True, slots=True)
class Origin:
    """One way an element is made; `sheet` is the kind of what a line of a stylesheet makes.

    `inputs` are paths of the form, `settings` names of `[route.settings]`. `list_uri` and `list_version` name a code list,
    `table` the translation that was used; `others` are texts for what is neither form nor setting (the moment of receipt,
    an attachment).
    """

    kind: str
    rule: str = ""
    inputs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    list_uri: str = ""
    list_version: str = ""
    table: str = ""
    others: tuple[str, ...] = field(default=())


def origin_of(one: Herkunft, root: str) -> Origin:
    """The origin a Herkunft tells; `root` is the path of the payload's root element."""
    source = plain(one.source)
    inputs = tuple(dict.fromkeys(sources_in(source, root)))
    settings = tuple(dict.fromkeys(re.findall(r"\bsettings\.([\w]+)", source)))
    if one.kind == "rule":
        found = _RULE.match(source)
        name = found[0] if found else source
        line = _LINE.fullmatch(name)
        if line:
            others = (*_others(source.removeprefix(name)), f"{line[1]}, Zeile {line[2]}")
            return Origin("sheet", "", inputs, settings, others=others)
        return Origin("rule", name, inputs, settings, others=_others(source.removeprefix(name)))
    if one.kind == "codelist":
        found = _LISTED.fullmatch(source)
        named, table, rest = (found[1], found[2] or "", found[3] or "") if found else (source, "", "")
        uri, _, version = named.rpartition("_") if ":" in named else (named, "", "")
        return Origin("codelist", "", inputs, settings, uri, version, table, _others(rest))
    if one.kind == "metadata":
        return Origin(
            "metadata", "", inputs, settings, others=() if settings or inputs else _others(source) or (source,)
        )
    return Origin(one.kind, "", inputs, settings)


def _others(source: str) -> tuple[str, ...]:
    """What a rule looked at besides form and settings, in words where there are some."""
    found = [text for name, text in _CONTEXT.items() if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", source)]
    found += ["mitgesendete Datei"] if re.search(r"\battachments?\b", source) else []
    found += [f"Datei der Route „{name}“" for name in re.findall(r"\bfiles\.(\w+)", source)]
    found += ["aus der Kennung der Nachricht abgeleitet"] if "id_for(" in source else []
    return tuple(dict.fromkeys(found))


def spelled(origin: Origin, values: tuple[str, ...], helps: Mapping[str, str]) -> list[str]:
    """The origin in words, without the fields of the form (they are shown with their names); `values` as seen in cases."""
    texts: list[str] = []
    if origin.kind == "constant":
        texts.append(f"fester Wert {_quoted(values)}" if values != ("",) and values else "leeres Element")
    elif origin.kind == "codelist" and not origin.inputs:
        texts.append(f"fester Code {_quoted(values)}" if len(values) == 1 else f"Codes {_quoted(values)}")
    elif origin.kind == "derived":
        texts.append("aus der Kennung der Nachricht abgeleitet, bei jedem Versuch gleich")
    for name in origin.settings:
        told = helps.get(name, "").rstrip(".")
        texts.append(f"Einstellung „{name}“: {told}" if told else f"Einstellung „{name}“")
    texts += origin.others
    return texts


def _quoted(values: tuple[str, ...]) -> str:
    shown = ", ".join(f"„{one}“" for one in values[:4])
    return f"{shown}, …" if len(values) > 4 else shown
