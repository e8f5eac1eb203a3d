"""Codes of delivery and of the answer to the sender."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "order.waits",
        Healer.TIME,
        "Eine frühere Nachricht desselben Vorgangs ist an diesem Ziel noch nicht entschieden; die Reihenfolge wird gewahrt.",
        "Geht von selbst weiter, sobald die frühere zugestellt, abgelehnt oder verworfen ist; `explain` nennt sie. Soll nicht "
        "gewartet werden: `decide FRÜHERE-ID pass --reason …` lässt die späteren an ihr vorbei.",
    ),
    Code(
        "target.unreachable",
        Healer.TIME,
        "Das Ziel ist zurzeit nicht erreichbar.",
        "Wird von selbst wiederholt. Bleibt es dabei: Verbindung und Rechte zum Ziel prüfen (`doctor`).",
    ),
    Code(
        "target.full",
        Healer.TIME,
        "Das Ziel nimmt zurzeit nichts auf (Speicher voll oder Name noch belegt).",
        "Wird von selbst wiederholt, sobald das Ziel Platz schafft.",
    ),
    Code(
        "target.busy",
        Healer.TIME,
        "Unter demselben Schlüssel läuft gerade ein anderer Zustellversuch.",
        "Wird von selbst wiederholt. Bleibt es dabei: prüfen, ob ein Arbeitsprozess hängt.",
    ),
    Code(
        "target.refused",
        Healer.SENDER,
        "Das Fachverfahren hat den Inhalt abgelehnt.",
        "Der Ablehnungsgrund steht im Zustellnachweis; der Sender muss den Antrag berichtigen.",
    ),
    Code(
        "target.misconfigured",
        Healer.OPERATOR,
        "Die Einstellungen des Ziels sind unvollständig oder passen nicht zum System.",
        "Die genannte Einstellung berichtigen; die Zustellung läuft danach von selbst weiter.",
    ),
    Code(
        "target.answer.unmatched",
        Healer.OPERATOR,
        "Antworten des Ziels sind nicht lesbar, gehören zu keiner Zustellung oder widersprechen einem Ergebnis.",
        "Im Ordner `answers.unmatched` nachsehen; was zu einer Zustellung gehört, in den Antwortordner zurücklegen, "
        "den Rest entfernen.",
    ),
    Code(
        "target.resting",
        Healer.TIME,
        "Das Ziel ruht: Es hat zuletzt nicht geantwortet oder um eine Pause gebeten.",
        "Geht von selbst weiter, sobald eine Probe gelingt; `targets list` zeigt seit wann und den letzten Fehler. Bleibt es "
        "dabei: das Ziel prüfen (`doctor`).",
    ),
    Code(
        "target.paused",
        Healer.OPERATOR,
        "Der Betrieb hat das Ziel angehalten; dorthin wird nichts zugestellt.",
        "`targets list` zeigt von wem, wann und warum; mit `targets resume` geht es weiter.",
    ),
    Code(
        "target.limited",
        Healer.TIME,
        "Das Ziel erhält zurzeit so viel, wie seine Grenzen erlauben (`max_per_minute`, `max_parallel`).",
        "Kommt von selbst an die Reihe. Wächst die Schlange: die Grenzen im Ziel der Route prüfen.",
    ),
    Code(
        "delivery.unclear",
        Healer.TARGET,
        "Es steht nicht fest, ob die Zustellung angekommen ist.",
        "Beim Ziel nachsehen, dann `decide ID/ZIEL confirm-delivered --proof …` oder `decide ID/ZIEL send-again`.",
    ),
    Code(
        "delivery.deadline",
        Healer.OPERATOR,
        "Die Frist für die Zustellung ist verstrichen.",
        "Ursache am Ziel beheben, dann `decide ID/ZIEL send-again` oder `decide ID reject`.",
    ),
    Code(
        "delivery.deadline.near",
        Healer.OPERATOR,
        "Neun Zehntel der Frist sind um: Was hier wartet, wird bald geparkt.",
        "Die Ursache jetzt beheben (`explain` einer der ältesten, `targets list`). Nach der Frist ruht jede, bis sie jemand "
        "mit `replay` weiterschickt.",
    ),
    Code(
        "delivery.deadline.resting",
        Healer.OPERATOR,
        "Die Frist für die Zustellung ist verstrichen, während das Ziel ruhte.",
        "Ursache am Ziel beheben (`targets list`), dann `decide ID/ZIEL send-again` oder `decide ID reject`.",
    ),
    Code(
        "delivery.deadline.paused",
        Healer.OPERATOR,
        "Die Frist für die Zustellung ist verstrichen, während das Ziel angehalten war.",
        "`targets resume`, dann `decide ID/ZIEL send-again` oder `decide ID reject`.",
    ),
    Code(
        "delivery.deadline.limited",
        Healer.OPERATOR,
        "Die Frist für die Zustellung ist verstrichen, bevor sie bei den Grenzen des Ziels an die Reihe kam.",
        "`max_per_minute` und `max_parallel` des Ziels erhöhen, dann `decide ID/ZIEL send-again`.",
    ),
    Code(
        "delivery.ack.overdue",
        Healer.TARGET,
        "Das Ziel hat die Übernahme nicht innerhalb der Frist bestätigt.",
        "Beim Ziel nachsehen, dann `decide ID/ZIEL confirm-delivered --proof …` oder `decide ID/ZIEL send-again`.",
    ),
    Code(
        "delivery.restored",
        Healer.TARGET,
        "Die Installation wurde aus einer Sicherung wiederhergestellt; ob dies danach schon zugestellt war, weiß nur das Ziel.",
        "Beim Ziel nachsehen, dann `decide ID/ZIEL confirm-delivered --proof …` oder `decide ID/ZIEL send-again`.",
    ),
    Code(
        "output.changed",
        Healer.OPERATOR,
        "Die Ausgabe hat sich seit dem ersten Zustellversuch geändert; was beim Ziel liegt, steht nicht fest.",
        "Beim Ziel nachsehen und mit `decide` entscheiden.",
    ),
    Code(
        "split-verdict",
        Healer.OPERATOR,
        "Ein Ziel hat angenommen, ein anderes abgelehnt; der Sender erhält noch keine Quittung.",
        "Mit den Stellen klären; dann `replay ID --redeliver ZIEL` an das ablehnende Ziel, oder `decide ID reject`.",
    ),
    Code(
        "redelivery.refused",
        Healer.OPERATOR,
        "Das Ziel hat eine erneute Zustellung abgelehnt. Der Sender weiß davon nichts: Er hatte seine Antwort schon.",
        "Der Ablehnungsgrund steht im Zustellnachweis (`show`); mit dem Fachverfahren klären. Dann `replay ID --redeliver ZIEL`, "
        "oder `decide ID discard`, wenn es dabei bleibt.",
    ),
    Code(
        "receipt.unreachable",
        Healer.TIME,
        "Die Quittung konnte noch nicht übergeben werden.",
        "Wird von selbst wiederholt. Bleibt es dabei: Antwortweg des Kanals prüfen.",
    ),
    Code(
        "receipt.undeliverable",
        Healer.OPERATOR,
        "Der Antwortweg des Kanals nimmt keine Quittung an.",
        "Warteschlange oder Ordner für Quittungen einrichten; die Quittung geht danach von selbst hinaus.",
    ),
)
