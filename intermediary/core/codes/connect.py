"""Codes of the connector port: what the engine refuses before, or finds around, a call of a connector."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "target.secret.unreadable",
        Healer.OPERATOR,
        "Eine Geheimnisdatei des Ziels fehlt, ist zu groß oder lässt sich nicht lesen.",
        "Datei anlegen und dem Benutzer des Dienstes lesbar machen; danach geht die Zustellung von selbst weiter.",
    ),
    Code(
        "target.secret.exposed",
        Healer.OPERATOR,
        "Eine Geheimnisdatei des Ziels ist für alle Benutzer des Rechners lesbar.",
        "`chmod o= DATEI`; das Geheimnis gilt als bekannt und sollte beim Ziel erneuert werden.",
    ),
    Code(
        "target.document.too-large",
        Healer.OPERATOR,
        "Das Paket oder ein Dokument ist größer, als das Ziel annimmt; es wurde nichts gesendet.",
        "`connector list` nennt die Grenze des Connectors. Einen anderen Weg wählen (Route ändern) oder `decide ID reject`.",
    ),
)
