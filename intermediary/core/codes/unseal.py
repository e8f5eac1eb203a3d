"""Codes of unseal, and of the XML room below it."""

from intermediary.core.codes.code import Code, Healer


def _sender(name: str, meaning: str, remedy: str) -> Code:
    return Code(name, Healer.SENDER, meaning, remedy)


CODES: tuple[Code, ...] = (
    _sender(
        "xml.dtd-forbidden",
        "Das XML-Dokument enthält eine Dokumenttyp-Deklaration (DTD).",
        "Der Sender muss das Dokument ohne DTD und ohne eigene Entitäten übermitteln.",
    ),
    _sender(
        "xml.encoding",
        "Das XML-Dokument ist nicht in UTF-8 kodiert, oder seine Angaben zur Kodierung widersprechen sich.",
        "Der Sender muss in UTF-8 übermitteln.",
    ),
    _sender(
        "xml.limit",
        "Das XML-Dokument überschreitet eine Grenze (Größe, Tiefe, Zahl oder Länge seiner Teile).",
        "Der Sender muss die Nachricht verkleinern oder große Inhalte als Anhang übermitteln.",
    ),
    _sender(
        "xml.malformed",
        "Das XML-Dokument ist nicht wohlgeformt.",
        "Der Sender muss die Erzeugung der Nachricht berichtigen.",
    ),
)
