"""Codes of ingress: what a door refuses, and what it takes and sets aside."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "intake.type.unknown",
        Healer.SENDER,
        "Der Inhaltstyp der Sendung ist dieser Tür nicht bekannt.",
        "Der Sender muss einen der in docs/reference/amqp.md genannten Inhaltstypen angeben.",
    ),
    Code(
        "intake.size.exceeded",
        Healer.SENDER,
        "Die Sendung ist größer als die eingestellte Grenze.",
        "Der Sender muss die Sendung teilen oder als Ablageverweis (x-claim) übergeben; Grenze: max_bytes des Kanals.",
    ),
    Code(
        "intake.id.missing",
        Healer.SENDER,
        "Die Sendung trägt keine, eine zu lange oder eine unlesbare Nachrichten-ID.",
        "Der Sender muss message_id setzen (1 bis 256 Zeichen, keine Steuerzeichen).",
    ),
    Code(
        "intake.conflict",
        Healer.OPERATOR,
        "Unter derselben Nachrichten-ID kam bereits eine Sendung mit anderem Inhalt.",
        "Mit dem Sender klären, welche gilt; danach `decide ID resume` oder `decide ID discard`.",
    ),
    Code(
        "intake.cancelled",
        Healer.SENDER,
        "Der Sender hat die Sendung vor ihrem Termin (NotBefore) zurückgezogen; sie wurde nicht bearbeitet.",
        "Nichts: sie ist verworfen. Will der Sender sie doch, sendet er sie unter neuer Nachrichten-ID.",
    ),
    Code(
        "intake.mandant.unknown",
        Healer.SENDER,
        "Der angegebene Mandant ist an dieser Tür nicht zugelassen.",
        "Der Sender muss x-mandant berichtigen, oder der Betrieb den Mandanten für diese Tür eintragen.",
    ),
    Code(
        "intake.claim.invalid",
        Healer.SENDER,
        "Der Ablageverweis (x-claim) ist unvollständig, nennt keine eingerichtete Ablage oder passt nicht zum Inhalt.",
        "Der Sender muss store, key, size und sha256 einer eingerichteten Ablage angeben.",
    ),
    Code(
        "intake.claim.unreachable",
        Healer.TIME,
        "Die Ablage, auf die x-claim verweist, ist zurzeit nicht lesbar.",
        "Wird von selbst wiederholt. Bleibt es dabei: Ablage und Rechte prüfen.",
    ),
    Code(
        "intake.reply.unlisted",
        Healer.SENDER,
        "Die Antwort-Warteschlange (reply_to) ist an dieser Tür nicht zugelassen.",
        "Der Sender muss eine zugelassene Warteschlange angeben, oder der Betrieb sie eintragen.",
    ),
    Code(
        "intake.header.invalid",
        Healer.SENDER,
        "Eine Angabe im Kopf der Sendung (x-vorgang, correlation_id, Begleitdatei) ist unlesbar oder zu lang.",
        "Der Sender muss die Angabe als Text ohne Steuerzeichen in der erlaubten Länge setzen.",
    ),
    Code(
        "intake.body.empty",
        Healer.SENDER,
        "Die Sendung ist leer.",
        "Der Sender muss den Inhalt oder einen Ablageverweis (x-claim) mitgeben.",
    ),
    Code(
        "intake.decrypt.alarm",
        Healer.OPERATOR,
        "Ein Partner hat in kurzer Zeit vieles geschickt, was sich nicht entschlüsseln lässt: ein Fehler bei ihm, oder "
        "Verdacht auf einen Angriff auf die Verschlüsselung.",
        "Mit dem Partner klären, welches Zertifikat er benutzt. Bis dahin wird für ihn nur noch einige Male je Stunde "
        "entschlüsselt; was er sonst schickt, muss er wiederholen.",
    ),
    Code(
        "intake.malformed.alarm",
        Healer.OPERATOR,
        "Ein Partner hat in kurzer Zeit vieles geschickt, was keine Anfrage des Protokolls ist: meist ein Fehler in seiner Software.",
        "Das Protokoll nennt den Kanal (`xta.malformed.alarm`, `door.refused`). Mit dem Partner klären, was seine Software sendet. "
        "Bis dahin wird diese Adresse für ihn nur noch einige Male je Stunde geöffnet; was er sonst schickt, muss er wiederholen.",
    ),
    Code(
        "intake.file.invalid",
        Healer.SENDER,
        "Im Eingangsordner liegt etwas, das keine gewöhnliche Datei ist.",
        "Nur gewöhnliche Dateien ablegen: keine Verknüpfungen, Geräte oder Röhren.",
    ),
    Code(
        "intake.disk.reserve",
        Healer.OPERATOR,
        "Auf einem Datenträger der Installation ist weniger Platz frei als die Reserve: Es wird nichts mehr angenommen.",
        "Platz schaffen oder den Datenträger vergrößern (Reserve: `intake.reserve_megabytes`, `intake.reserve_inodes`); "
        "danach geht es von selbst weiter. Was schon angenommen ist, wird weiter bearbeitet.",
    ),
    Code(
        "intake.mandant.full",
        Healer.TIME,
        "Von diesem Mandanten warten so viele Nachrichten, wie `mandant.most_waiting` erlaubt: Weitere bleiben beim Sender.",
        "Wird von selbst wieder angenommen, sobald genügend bearbeitet sind. Bleibt es dabei: worauf sie warten, zeigt "
        "`list mandant=…`; oder die Grenze erhöhen.",
    ),
    Code(
        "intake.door.closed",
        Healer.TIME,
        "Ein Kanal nimmt nichts an: Seine Gegenstelle (Warteschlange, Ordner, Adresse) ist zurzeit nicht erreichbar.",
        "Wird von selbst wiederholt. Bleibt es dabei: `doctor` prüft jede Tür (`door KANAL`).",
    ),
)
