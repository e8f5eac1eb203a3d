"""A document as PDF/A: the optional extra `pdf` (WeasyPrint). Nothing is fetched, and no date or random id is written.

The bytes depend on page, fonts and the versions of the libraries: the same image on all hosts gives the same PDF. PDF/A-2a
is for keeping and has the structure that screen readers need.
"""

from __future__ import annotations

import logging
from typing import Any

from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund

VARIANT = "pdf/a-2a"
_CODE = "mapping.setting.invalid"


def pdf_missing() -> str:
    """Empty where PDF can be made, otherwise what is missing, for `lint` and for the operator."""
    try:
        import weasyprint  # noqa: F401 - an optional extra, looked for only where a route wants PDF
    except ImportError:
        return "das Extra pdf ist nicht installiert: pip install 'xta-osci-intermediary[pdf]'"
    except OSError:
        return "die Bibliothek Pango fehlt auf dieser Maschine: apt-get install libpango-1.0-0 libpangoft2-1.0-0"
    return ""


def pdf_of(page: bytes) -> bytes:
    """The page as PDF/A-2a. Raises `Misconfigured("mapping.setting.invalid")` where the extra or its library is missing."""
    missing = pdf_missing()
    if missing:
        raise Misconfigured(
            _CODE, where="settings.darstellung", findings=(Befund(_CODE, path="settings.darstellung", hint=missing),)
        )
    import weasyprint

    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # it would name what a page refers to
    html = weasyprint.HTML(string=page.decode("utf-8"), url_fetcher=_nothing, base_url=None)
    made: Any = html.write_pdf(pdf_variant=VARIANT, pdf_identifier=b"-")
    return bytes(made)


def _nothing(*_: Any, **__: Any) -> Any:
    raise ValueError("nothing is fetched")
