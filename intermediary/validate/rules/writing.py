"""Writing a Schematron as a stylesheet whose output says which assertion failed at which element, and nothing else.

The output is `<run>`, then for each pattern its failures `<f a="assertion" e="element" n="attribute"/>` and `<p/>`, at
last `<end/>`. `e` counts elements in document order from 1, 0 is the document; `n` is an attribute's name. Texts are
put in afterwards, from the Schematron: no value of a document ever leaves the stylesheet.

XSLT 3: contexts are evaluated as expressions, for a match pattern that fails is silently taken as no match (XSLT 3.0
§5.5.4), which would make a broken rule a passed one. XSLT 1: match patterns; libxslt reports such errors.
"""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from intermediary.validate.rules.forbidden import OURS, XSL
from intermediary.validate.rules.model import Assertion, Let, Rule, Schematron
from intermediary.validate.rules.text import branches, code
from intermediary.xml.parser import Element

MOST = 200  # failures per rule; findings are cut there as well
_AT = "_at_"
_NAME = "_name_"
_FOUND = "_found_"
_SEEN = "_seen_"
_MAP = "Q{http://www.w3.org/2005/xpath-functions/map}"


def stylesheet(schematron: Schematron) -> bytes:
    """The stylesheet for one Schematron, XSLT 1.0 or 3.0 as its binding says."""
    namespaces = schematron.namespaces
    free = next(name for name in ("xsl", *(f"xsl{number}" for number in range(99))) if name not in namespaces)
    ours = next(name for name in ("our", *(f"our{number}" for number in range(99))) if name not in namespaces)
    root = etree.Element(f"{{{XSL}}}stylesheet", nsmap={**namespaces, free: XSL, ours: OURS})
    is_modern = schematron.binding == "xslt3"
    root.set("version", "3.0" if is_modern else "1.0")
    if is_modern:
        root.set("exclude-result-prefixes", "#all")
    elif namespaces:
        root.set("exclude-result-prefixes", " ".join((*namespaces, ours)))
    _add(root, "output", method="xml", encoding="UTF-8", **{"omit-xml-declaration": "yes"})
    for let in schematron.lets:
        _variable(root, let)
    for one in schematron.foreign:
        copy = deepcopy(one)
        copy.tail = None
        root.append(copy)
    if is_modern:
        _modern(root, schematron, ours)
    else:
        _old(root, schematron)
    return etree.tostring(root, encoding="utf-8")


def _modern(root: Element, schematron: Schematron, ours: str) -> None:
    merged = f"{_MAP}merge(//* ! {_MAP}entry(generate-id(.), position()))"
    _add(root, "variable", name=f"{ours}:at", select=merged)
    function = _add(root, "function", name=f"{ours}:at")
    _add(function, "param", name="node")
    _add(function, "sequence", select=f"(${ours}:at(generate-id($node/ancestor-or-self::*[1])), 0)[1]")
    main = _add(root, "template", match="/")
    run = etree.SubElement(main, "run")
    for number, pattern in enumerate(schematron.patterns):
        _add(run, "call-template", name=f"{ours}:p{number}")
        etree.SubElement(run, "p")
        template = _add(root, "template", name=f"{ours}:p{number}")
        for place, rule in enumerate(pattern.rules):
            _add(template, "variable", name=f"{ours}:r{place}", select=_everywhere(rule.context))
            earlier = " | ".join(f"${ours}:r{before}" for before in range(place))
            nodes = f"${ours}:r{place}" + (f" except ({earlier})" if earlier else "")
            _modern_rule(template, rule, nodes, ours)
    etree.SubElement(run, "end")


def _modern_rule(template: Element, rule: Rule, nodes: str, ours: str) -> None:
    iterate = _add(template, "iterate", select=nodes)
    _add(iterate, "param", name=_SEEN, select="0")
    found = _add(iterate, "variable", name=_FOUND)
    found.set("as", "element()*")
    for item in rule.items:
        if isinstance(item, Let):
            _variable(found, item)
        else:
            name = "{if (self::attribute()) then local-name() else ''}"
            _check(found, item, e=f"{{{ours}:at(.)}}", n=name)
    _add(iterate, "sequence", select=f"${_FOUND}")
    choose = _add(iterate, "choose")
    _add(_add(choose, "when", test=f"${_SEEN} + count(${_FOUND}) gt {MOST}"), "break")
    goes_on = _add(_add(choose, "otherwise"), "next-iteration")
    _add(goes_on, "with-param", name=_SEEN, select=f"${_SEEN} + count(${_FOUND})")


def _old(root: Element, schematron: Schematron) -> None:
    contexts = [code(rule.context) for pattern in schematron.patterns for rule in pattern.rules]
    has_attributes = any("@" in one or "attribute" in one for one in contexts)
    has_texts = any("(" in one for one in contexts)
    main = _add(root, "template", match="/")
    run = etree.SubElement(main, "run")
    for number, pattern in enumerate(schematron.patterns):
        mode = f"_p{number}_"
        walk = _add(run, "for-each", select="/ | //*")
        _apply(walk, ".", mode, "position() - 1", "''")
        if has_attributes or has_texts:
            at = _add(walk, "variable", name=_AT, select="position() - 1")
            at.tail = None
        if has_attributes:
            _apply(_add(walk, "for-each", select="@*"), ".", mode, f"${_AT}", "local-name()")
        if has_texts:
            _apply(walk, "text()", mode, f"${_AT}", "''")
        etree.SubElement(run, "p")
        _add(root, "template", match="node() | @* | /", mode=mode, priority="-1")
        for place, rule in enumerate(pattern.rules):
            template = _add(root, "template", match=rule.context, mode=mode, priority=str(len(pattern.rules) - place))
            _add(template, "param", name=_AT)
            _add(template, "param", name=_NAME)
            for item in rule.items:
                if isinstance(item, Let):
                    _variable(template, item)
                else:
                    _check(template, item, e=f"{{${_AT}}}", n=f"{{${_NAME}}}")
    etree.SubElement(run, "end")


def _apply(parent: Element, select: str, mode: str, at: str, name: str) -> None:
    apply = _add(parent, "apply-templates", select=select, mode=mode)
    _add(apply, "with-param", name=_AT, select=at)
    _add(apply, "with-param", name=_NAME, select=name)


def _check(parent: Element, assertion: Assertion, *, e: str, n: str) -> None:
    """A choice rather than `not(…)`: the author's expression stays whole."""
    choose = _add(parent, "choose")
    when = _add(choose, "when", test=assertion.test)
    place = when if assertion.is_report else _add(choose, "otherwise")
    etree.SubElement(place, "f", {"a": str(assertion.number), "e": e, "n": n})


def _variable(parent: Element, let: Let) -> None:
    variable = _add(parent, "variable", name=let.name)
    if let.content is None:
        variable.set("select", let.value)
        return
    variable.text = let.content.text
    for child in let.content:
        variable.append(deepcopy(child))


def _everywhere(context: str) -> str:
    """The nodes a context means, as an expression at the document: `a[b] | /c` is `//a[b] | /c`."""
    parts = branches(context)
    if not parts:
        return f"//({context})"
    return " | ".join(part if part.startswith(("/", "$", "key(", "id(")) else f"//{part}" for part in parts)


def _add(parent: Element, instruction: str, /, **attributes: str) -> Element:
    return etree.SubElement(parent, f"{{{XSL}}}{instruction}", attributes)
