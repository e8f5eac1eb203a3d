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
        "target.lane.down",
        Healer.TIME,
        "Der eigene Prozess eines fremden Connectors läuft nicht; es wurde nichts gesendet.",
        "Wird von selbst wiederholt, nach jedem Absturz später. Bleibt es dabei: das Log (`lane.ended`) an den Hersteller geben.",
    ),
    Code(
        "target.lane.exposes",
        Healer.OPERATOR,
        "Ein Ordner, den die Einstellungen dieses Ziels einem fremden Connector öffnen, enthält Dateien der Installation.",
        "Dem Ziel einen eigenen Ordner geben; was darin liegt, kann der Connector lesen und ändern.",
    ),
    Code(
        "target.lane.unfenced",
        Healer.OPERATOR,
        "Der Kern dieses Rechners zäunt fremde Connectoren nicht ganz ein: Dateien (Landlock) oder neue Prozesse (seccomp).",
        "Linux ab 5.19 mit Landlock verwenden (`lsm=landlock`), im Container seccomp und Landlock erlauben; bis dahin nur "
        "Connectoren einsetzen, denen man die Installation anvertrauen würde.",
    ),
    Code(
        "delivery.lane.died",
        Healer.TARGET,
        "Der eigene Prozess eines fremden Connectors endete mitten in einer Zustellung; ob sie ankam, steht nicht fest.",
        "Beim Ziel nachsehen, dann `decide ID/ZIEL confirm-delivered --proof …` oder `decide ID/ZIEL send-again`.",
    ),
    Code(
        "delivery.lane.overdue",
        Healer.TARGET,
        "Ein fremder Connector kam mit einer Zustellung nicht zu Ende und wurde beendet; ob sie ankam, steht nicht fest.",
        "Beim Ziel nachsehen, dann `decide ID/ZIEL confirm-delivered --proof …` oder `decide ID/ZIEL send-again`. "
        "Braucht das Ziel wirklich so lange: `lane.deliver_seconds` erhöhen.",
    ),
    Code(
        "target.document.too-large",
        Healer.OPERATOR,
        "Das Paket oder ein Dokument ist größer, als das Ziel annimmt; es wurde nichts gesendet.",
        "`connector list` nennt die Grenze des Connectors. Einen anderen Weg wählen (Route ändern) oder `decide ID reject`.",
    ),
)
