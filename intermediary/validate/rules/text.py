"""Looking at XPath as text: what is a literal or a comment, where a union parts, which variables and functions occur."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_PART = re.compile(r""""(?:[^"]|"")*"|'(?:[^']|'')*'|\(:|:\)|[^"'(:]+|[(:]|["']""")
_VARIABLE = r"\$\s*(?:{names})(?![\w.\-])"


def pieces(expression: str) -> Iterator[tuple[bool, str]]:
    """The expression in pieces: (is code, text); literals are not code, comments are left out."""
    depth = 0
    for found in _PART.finditer(expression):
        text = found.group()
        if text == "(:":
            depth += 1
        elif text == ":)" and depth:
            depth -= 1
        elif not depth:
            yield not (len(text) > 1 and text[0] in "\"'"), text


def code(expression: str) -> str:
    """The expression with its literals emptied and its comments taken out: what can call a function."""
    return "".join(text if is_code else text[0] * 2 for is_code, text in pieces(expression))


def replaced(expression: str, values: Mapping[str, str], *, most: int) -> str | None:
    """The expression with `$name` replaced by `values[name]`, in one pass: what is put in is not looked at again.

    As ISO Schematron demands of the parameters of abstract patterns, literals are text like any other. None when more
    than `most` characters would be put in.
    """
    if not values:
        return expression
    names = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
    found = re.compile(rf"\$({names})(?![\w.\-])")
    if sum(len(values[one.group(1)]) for one in found.finditer(expression)) > most:
        return None
    return found.sub(lambda one: values[one.group(1)], expression)


def renamed(expression: str, names: Mapping[str, str]) -> str:
    """The expression with variables renamed; literals stay as they are."""
    if not names:
        return expression
    listed = "|".join(re.escape(name) for name in names)
    found = re.compile(rf"\$\s*({listed})(?![\w.\-])")
    return "".join(
        found.sub(lambda one: "$" + names[one.group(1)], text) if is_code else text
        for is_code, text in pieces(expression)
    )


def branches(expression: str) -> tuple[str, ...]:
    """The parts of a union `a | b/c[x | y]`, split where no bracket is open; empty if a word joins sets there."""
    parts = [""]
    depth = 0
    for is_code, text in pieces(expression):
        if not is_code:
            parts[-1] += text
            continue
        for sign in re.split(r"([\[\](){}|])", text):
            if sign in ("[", "(", "{"):
                depth += 1
            elif sign in ("]", ")", "}"):
                depth -= 1
            if sign == "|" and depth == 0:
                parts.append("")
            elif depth == 0 and re.search(r"(?<![\w\-.:/@$*])(?:union|intersect|except)(?![\w\-.:(])", sign):
                return ()
            else:
                parts[-1] += sign
    return tuple(part.strip() for part in parts)
