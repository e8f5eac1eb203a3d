"""Abstract patterns and rules put in where they are used, and the patterns of one phase chosen."""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from intermediary.validate.rules.include import MAX_NODES, SCH, broken
from intermediary.validate.rules.text import replaced
from intermediary.xml.parser import Element

MAX_CHARACTERS = 8 * 1024 * 1024
_ALL = "#ALL"


def instantiate(root: Element, where: str) -> None:
    """Replaces every pattern with `is-a` by its abstract pattern, parameters put in; takes the abstract ones out."""
    abstract = {one.get("id", ""): one for one in root.iterchildren(f"{SCH}pattern") if one.get("abstract") == "true"}
    nodes, left = 0, MAX_CHARACTERS
    for one in list(root.iterchildren(f"{SCH}pattern")):
        name = one.get("is-a")
        if name is None:
            continue
        if name not in abstract:
            raise broken(where, f"no abstract pattern {name[:80]}")
        made = deepcopy(abstract[name])
        made.tail = None
        values = {param.get("name", ""): param.get("value", "") for param in one.iterchildren(f"{SCH}param")}
        defaults = {param.get("name", ""): param.get("value", "") for param in made.iterchildren(f"{SCH}param")}
        for element in made.iter(etree.Element):
            nodes += 1
            for key, value in element.attrib.items():
                text = replaced(str(value), {**defaults, **values}, most=left)
                if text is None or nodes > MAX_NODES:
                    raise broken(where, "too large with its abstract patterns")
                left -= len(text)
                element.set(key, text)
        del made.attrib["abstract"]
        made.attrib.pop("id", "")
        if one.get("id"):
            made.set("id", one.get("id", ""))
        root.replace(one, made)
    for one in abstract.values():
        if one.getparent() is not None:
            root.remove(one)


def choose_phase(root: Element, phase: str, where: str) -> list[Element]:
    """The patterns that are active in a phase; `""` means the default, which is all if the Schematron names none."""
    patterns = list(root.iterchildren(f"{SCH}pattern"))
    name = phase if phase and phase != "#DEFAULT" else root.get("defaultPhase", _ALL)
    if name == _ALL:
        return patterns
    chosen = next((one for one in root.iterchildren(f"{SCH}phase") if one.get("id") == name), None)
    if chosen is None:
        raise broken(where, f"no phase {name[:80]}")
    wanted = [one.get("pattern", "") for one in chosen.iterchildren(f"{SCH}active")]
    missing = set(wanted) - {one.get("id", "") for one in patterns}
    if missing:
        raise broken(where, f"phase {name[:80]}: no pattern {min(missing)[:80]}")
    for let in chosen.iterchildren(f"{SCH}let"):
        root.append(deepcopy(let))
    return [one for one in patterns if one.get("id") in wanted]


class AbstractRules:
    """The abstract rules of one Schematron; those of a pattern come before those of other patterns."""

    def __init__(self, root: Element, where: str) -> None:
        self._where = where
        self._rules: dict[str, list[Element]] = {}
        for one in root.iter(f"{SCH}rule"):
            if one.get("abstract") == "true":
                self._rules.setdefault(one.get("id", ""), []).append(one)
        self._spent = 0

    def children(self, rule: Element, pattern: Element, above: tuple[str, ...] = ()) -> list[Element]:
        """The children of a rule with those of the rules it extends in their places."""
        found: list[Element] = []
        for child in rule.iterchildren(etree.Element):
            self._spent += 1
            if self._spent > MAX_NODES:
                raise broken(self._where, "too large with its abstract rules")
            if child.tag != f"{SCH}extends":
                found.append(child)
                continue
            name = child.get("rule", "")
            if name in above:
                raise broken(self._where, f"rule {name[:80]} extends itself")
            found += self.children(self._find(name, pattern), pattern, (*above, name))
        return found

    def _find(self, name: str, pattern: Element) -> Element:
        named = self._rules.get(name)
        if not named:
            raise broken(self._where, f"no abstract rule {name[:80]}")
        return next((one for one in named if one.getparent() is pattern), named[0])
