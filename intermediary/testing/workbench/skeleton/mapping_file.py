"""Writes `mapping.py` of a new mapping: every element the target demands, in its order, each waiting for its source.

A line waits as `offen("Kopf/ProzessID")`; what the schema fixes is already there. Fields of the form whose name is that of
the target stand behind the line as a suggestion.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from intermediary.mapping.shape import Path
from intermediary.mapping.structure import Attribute, Child, Complex, Shape, Simple
from intermediary.testing.workbench.asked import Asked

_SYNONYMS = {
    "nachname": "familienname",
    "plz": "postleitzahl",
    "wohnort": "ort",
    "email": "emailadresse",
    "vornamen": "vorname",
}
_BASES = {"date": "Datum", "dateTime": "Zeitpunkt", "boolean": "Wahrheitswert", "integer": "ganze Zahl", "decimal": "Zahl",
          "base64Binary": "Bytes", "gYear": "Jahr"}  # fmt: skip
_MOST_VALUES = 6
_WIDTH = 118


@dataclass(frozen=True, slots=True)
class Plan:
    """What a new mapping is called and made of. `package` is its Python package, `names` the constants of `felder.py`."""

    name: str
    package: str
    title: str
    standard: str
    shape: Shape = field(repr=False)
    paths: frozenset[Path] = field(repr=False)
    fields: tuple[Asked, ...] = field(repr=False)
    names: Mapping[str, str] = field(repr=False)

    @property
    def class_name(self) -> str:
        return "".join(word.capitalize() for word in re.split(r"[-_]", self.name))


def mapping_file(plan: Plan) -> str:
    """The text of the module."""
    writer = _Writer(plan)
    root = plan.shape.root
    body = list(writer.children(root, (root.name,), "nachricht", is_top=True))
    sections = [line for section in writer.sections for line in section]
    used = sorted({"Antrag", "Ausgabe", "Builder", "Dokument", "Findings", "Kontext", "MemoryContent", "Payload", "Shape",
                   "load_shape", "read_settings", *writer.used})  # fmt: skip
    used = sorted(used, key=lambda name: (name.islower() or not name[0].isupper(), name))
    return "\n".join(
        [
            f'"""{_plain(plan.title)} nach {plan.standard} `{root.name}`.',
            "",
            "Eine Funktion je Abschnitt des Ziels, in seiner Reihenfolge. Was `offen(…)` ist, wartet auf seine Quelle.",
            "Regeln haben Namen in Großbuchstaben; die README erläutert sie.",
            '"""',
            "",
            "from __future__ import annotations",
            "",
            "from pathlib import Path",
            "from typing import ClassVar",
            "",
            "from intermediary.mapping.api import (",
            *(f"    {name}," for name in used),
            ")",
            "",
            f"from {plan.package} import felder",
            f"from {plan.package}.einstellungen import Einstellungen",
            f"from {plan.package}.offen import offen",
            "",
            "HERE = Path(__file__).parent",
            f'NACHRICHT = "{root.name}"',
            "",
            "",
            f"class {plan.class_name}:",
            '    """Das Mapping: rein, eine Nachricht je Antrag. Die Shape wird einmal gelesen, beim Laden."""',
            "",
            f'    name: ClassVar[str] = "{plan.name}"',
            "    version: ClassVar[int] = 1",
            "    input_root: ClassVar[str] = felder.WURZEL",
            f'    standard: ClassVar[str] = "{plan.standard}"',
            "    settings_type: ClassVar[type] = Einstellungen",
            "",
            "    def __init__(self, shape: Shape) -> None:",
            "        self._shape = shape",
            "",
            "    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:",
            '        """Die Nachricht; abgelehnt wird mit allen Befunden von `_pruefe` auf einmal."""',
            "        einstellungen = read_settings(Einstellungen, kontext.settings)",
            "        payload = Payload(antrag.tree)",
            "        _pruefe(antrag, payload)",
            "",
            "        nachricht = Builder(self._shape)",
            *body,
            "        built = nachricht.finish()",
            "",
            "        return Ausgabe(",
            "            standard=self.standard,",
            "            message=NACHRICHT,",
            "            nachricht=built.xml,",
            '            package=Dokument(f"{kontext.key}_{NACHRICHT}.xml", "application/xml", MemoryContent(built.xml)),',
            "            herkunft=built.herkunft,",
            "            unread=payload.unread(),",
            "        )",
            "",
            "",
            f'MAPPING = {plan.class_name}(load_shape(HERE / "shape.toml"))',
            "",
            "",
            "def _pruefe(antrag: Antrag, payload: Payload) -> None:",
            '    """ANLAGE-NICHT-VORGESEHEN: eine Anlage, die niemand weitergibt, ginge verloren."""',
            "    befunde = Findings()",
            "    if antrag.attachments:",
            '        hint = "Dieses Formular sieht keine Anlagen vor."',
            '        befunde.add(rule="ANLAGE-NICHT-VORGESEHEN", path=payload.path, hint=hint)',
            "    befunde.refuse()",
            *sections,
            "",
        ]
    )


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._taken: set[str] = {"_pruefe"}
        self.sections: list[list[str]] = []
        self.used: set[str] = set()

    def children(self, child: Child, path: Path, variable: str, *, is_top: bool = False) -> Iterator[str]:
        """The lines that fill an element: its attributes, then its children."""
        indent = "        " if is_top else "    "
        content = self._plan.shape.complex_types[child.type]
        for attribute in content.attributes:
            if attribute.required or attribute.fixed is not None:
                yield f"{indent}{self._attribute(attribute, path, variable)}"
        for one in content.children:
            place = (*path, one.name)
            if place not in self._plan.paths:
                continue
            kind = self._plan.shape.complex_types.get(one.type)
            if kind is None:
                yield from _fitting(indent, self._leaf(one, place, variable))
            elif _is_code(kind):
                yield from _fitting(indent, self._code(one, kind, place, variable))
            elif is_top:
                function = self._section(one, place)
                yield f'{indent}{function}({variable}.element("{one.name}"), payload, einstellungen, kontext)'
            else:
                inner = self._variable(one.name, variable)
                below = list(self.children(one, place, inner))
                yield f'{indent}{f"{inner} = " if below else ""}{variable}.element("{one.name}")'
                yield from below

    def _section(self, child: Child, path: Path) -> str:
        name = f"_{_snake(child.name)}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        variable = self._variable(child.name, "")
        self.used.add("Node")
        arguments = f"{variable}: Node, payload: Payload, einstellungen: Einstellungen, kontext: Kontext"
        lines = ["", "", f"def {name}({arguments}) -> None:", f'    """{child.name}."""']
        self.sections.append(lines)
        lines += list(self.children(child, path, variable)) or ["    _ = payload"]
        return name

    def _leaf(self, child: Child, path: Path, variable: str) -> str:
        simple = self._plan.shape.simple_types.get(child.type)
        fixed = child.fixed if child.fixed is not None else _only(simple)
        if fixed is not None:
            self.used.add("constant")
            return f'{variable}.leaf("{child.name}", constant({_literal(fixed, simple)}))'
        line = f'{variable}.leaf("{child.name}", offen("{_spelled(path)}"))'
        return f"{line}{self._remark(child, simple, path)}"

    def _code(self, child: Child, kind: Complex, path: Path, variable: str) -> str:
        fixed = {one.name: one.fixed for one in kind.attributes}
        code = next(one for one in kind.children if one.name == "code")
        simple = self._plan.shape.simple_types.get(code.type)
        value = code.fixed if code.fixed is not None else _only(simple)
        if not fixed.get("listURI") or not fixed.get("listVersionID"):
            return f'{variable}.code("{child.name}", offen("{_spelled(path)}")){self._remark(child, simple, path)}'
        self.used.add("codelist")
        given = f'"{value}"' if value is not None else f'offen("{_spelled(path)}")'
        line = f'{variable}.code("{child.name}", codelist("{fixed["listURI"]}", "{fixed["listVersionID"]}", {given}))'
        return f"{line}{self._remark(child, simple, path) if value is None else ''}"

    def _attribute(self, one: Attribute, path: Path, variable: str) -> str:
        place = f"{_spelled(path)}/@{one.name}".lstrip("/")
        given = f'"{one.fixed}"' if one.fixed is not None else f'offen("{place}")'
        return f'{variable}.attribute("{one.name}", {given})'

    def _remark(self, child: Child, simple: Simple | None, path: Path) -> str:
        told = [_kind(simple)] if simple is not None and _kind(simple) else []
        if child.most != 1:
            told.append("mehrfach möglich")
        found = suggested(path, self._plan.fields)
        told += [f"vielleicht felder.{self._plan.names[one.name]}" for one in found]
        return f"  # {'; '.join(told)}" if told else ""

    def _variable(self, name: str, around: str) -> str:
        word = _snake(name).strip("_")
        if keyword.iskeyword(word) or word in ("payload", "kontext", "einstellungen", "nachricht", "felder", "offen"):
            word += "_"
        return f"{around}_{word}" if word == around else word


def suggested(path: Path, fields: Sequence[Asked]) -> list[Asked]:
    """Fields of the form that are called like the target, or like the section it stands in; at most two."""
    names = [_folded(one) for one in path[:0:-1][:2]]
    for name in names:
        found = [one for one in fields if _folded(one.label) == name]
        if found:
            return found[:2]
    return []


def _fitting(indent: str, line: str) -> Iterator[str]:
    """A line of code; its remark stands above where both are too long for one line."""
    code, mark, remark = line.partition("  # ")
    if mark and len(indent) + len(line) > _WIDTH:
        yield f"{indent}# {remark[: _WIDTH - len(indent) - 2]}"
        line = code
    yield f"{indent}{line}"


def _is_code(kind: Complex) -> bool:
    attributes = {one.name for one in kind.attributes}
    return {"listURI", "listVersionID"} <= attributes and [one.name for one in kind.children] in (
        ["code"],
        ["code", "name"],
    )


def _only(simple: Simple | None) -> str | None:
    return simple.enumeration[0] if simple is not None and len(simple.enumeration) == 1 else None


def _literal(fixed: str, simple: Simple | None) -> str:
    base = simple.base if simple is not None else "string"
    if base == "boolean":
        return str(fixed in ("true", "1"))
    if base.lower().endswith(("integer", "int", "short", "long", "byte")):
        return str(int(fixed))
    return f'"{fixed}"'


def _kind(simple: Simple) -> str:
    if simple.enumeration:
        shown = ", ".join(simple.enumeration[:_MOST_VALUES])
        return f"eines von {shown}{', …' if len(simple.enumeration) > _MOST_VALUES else ''}"
    if simple.most_length is not None:
        return f"höchstens {simple.most_length} Zeichen"
    return _BASES.get(simple.base, "")


def _spelled(path: Path) -> str:
    return "/".join(path[1:])


def _snake(name: str) -> str:
    words = re.sub(r"(?<=[a-zäöüß0-9])(?=[A-ZÄÖÜ])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower().translate(str.maketrans("äöüß", "aous"))).strip("_") or "teil"


def _folded(text: str) -> str:
    plain = re.sub(
        r"[^a-z]", "", text.casefold().replace("ß", "ss").replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    )
    return _SYNONYMS.get(plain, plain)


def _plain(text: str) -> str:
    return " ".join(text.replace('"', "'").replace("\\", "/").split())[:80]
