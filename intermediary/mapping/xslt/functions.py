"""The functions that expressions of a stylesheet may call: pure ones of XPath and XSLT, and those it defines itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_CALLS = re.compile(r"(?<![\w.\-$@])((?:[\w.\-]+:)?[\w.\-]+)\s*(?:\(|#)")
_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_XPATH = "http://www.w3.org/2005/xpath-functions"
_LIBRARIES = frozenset({"http://www.w3.org/2001/XMLSchema", f"{_XPATH}/map", f"{_XPATH}/array", f"{_XPATH}/math"})

# With the tests and words that stand before a parenthesis.
_ONE_NAMES = (
    "last position count id local-name namespace-uri name string concat starts-with contains substring-before "
    "substring-after substring string-length normalize-space translate boolean not true false lang number sum floor "
    "ceiling round key format-number current text node comment processing-instruction and or div mod"
)
_ONE = frozenset(_ONE_NAMES.split())
_THREE_NAMES = (
    "abs adjust-date-to-timezone adjust-dateTime-to-timezone adjust-time-to-timezone apply avg compare "
    "codepoint-equal codepoints-to-string contains-token current-group current-grouping-key data dateTime "
    "day-from-date day-from-dateTime days-from-duration deep-equal distinct-values empty ends-with error "
    "exactly-one exists filter fold-left fold-right for-each for-each-pair format-date format-dateTime "
    "format-integer format-time has-children head hours-from-dateTime hours-from-duration hours-from-time "
    "in-scope-prefixes index-of innermost insert-before lower-case matches max min minutes-from-dateTime "
    "minutes-from-duration minutes-from-time month-from-date month-from-dateTime months-from-duration "
    "namespace-uri-for-prefix namespace-uri-from-QName node-name local-name-from-QName one-or-more outermost path "
    "prefix-from-QName QName regex-group remove replace resolve-QName reverse root round-half-to-even "
    "seconds-from-dateTime seconds-from-duration seconds-from-time sort snapshot string-join string-to-codepoints "
    "subsequence tail timezone-from-date timezone-from-dateTime tokenize unordered upper-case year-from-date "
    "year-from-dateTime years-from-duration zero-or-one copy-of if then else for let return some every in satisfies "
    "to union intersect except idiv eq ne lt le gt ge is of as by instance treat castable cast element attribute "
    "document-node item map array function empty-sequence schema-element schema-attribute namespace-node"
)
_THREE = _ONE | frozenset(_THREE_NAMES.split())


def refused(expression: str, *, is_three: bool, prefixes: Mapping[str | None, str], own: frozenset[str]) -> str:
    """The first call in an expression that is not allowed, as it is written; empty when all are.

    `own` are the names (`prefix:name`) of functions that the stylesheet defines. What would read, write, ask the clock or
    tell about the machine is not in the list; `generate-id` neither: its answer differs from run to run.
    """
    plain = without_literals(expression, has_comments=is_three)
    if "Q{" in plain:
        return "Q{…}"
    known = _THREE if is_three else _ONE
    for call in _CALLS.findall(plain):
        prefix, colon, name = call.rpartition(":")
        if not colon and name in known:
            continue
        if colon and is_three and (call in own or _is_of_library(prefixes.get(prefix, ""), name)):
            continue
        return f"{call}()"
    return ""


def in_braces(text: str) -> Iterator[str]:
    """The expressions inside an attribute or text value template."""
    yield from _IN_BRACES.findall(text)


def names_in(expression: str) -> Iterator[str]:
    """Every name an expression mentions, without prefix: what it may read."""
    yield from re.findall(r"[\w.\-]+", without_literals(expression, has_comments=True))


def without_literals(expression: str, *, has_comments: bool) -> str:
    """The expression with a blank for each string and comment; comments nest, and neither begins inside the other."""
    kept: list[str] = []
    place, depth = 0, 0
    while place < len(expression):
        two = expression[place : place + 2]
        if has_comments and two == "(:":
            place, depth = place + 2, depth + 1
        elif depth and two == ":)":
            place, depth = place + 2, depth - 1
            kept.append(" ")
        elif not depth and expression[place] in "\"'":
            end = expression.find(expression[place], place + 1)
            place = len(expression) if end < 0 else end + 1
            kept.append(" ")
        else:
            kept.append("" if depth else expression[place])
            place += 1
    return "".join(kept)


def _is_of_library(uri: str, name: str) -> bool:
    return uri in _LIBRARIES or (uri == _XPATH and name in _THREE)
