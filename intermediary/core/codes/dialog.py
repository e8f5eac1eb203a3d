"""Codes of talking to a partner: dialogs with an OSCI intermediary, and what it answers."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "dialog.unreachable",
        Healer.TIME,
        "Die Gegenstelle ist zurzeit nicht erreichbar; es wurde nichts übertragen.",
        "Wird von selbst wiederholt. Bleibt es dabei: Adresse im Partnerverzeichnis, Netz und Namensauflösung prüfen.",
    ),
    Code(
        "dialog.tls",
        Healer.OPERATOR,
        "Das TLS-Zertifikat der Gegenstelle lässt sich nicht prüfen; es wurde nichts übertragen.",
        "Adresse und `ca_file` des Kanals prüfen; bei unerwartetem Wechsel des Zertifikats die Gegenstelle fragen.",
    ),
    Code(
        "dialog.http",
        Healer.OPERATOR,
        "Unter der Adresse der Gegenstelle antwortet kein OSCI-Dienst (HTTP-Fehler oder Umleitung).",
        "Die Adresse im Partnerverzeichnis prüfen; Umleitungen auf andere Adressen werden nicht befolgt.",
    ),
    Code(
        "dialog.no-answer",
        Healer.TARGET,
        "Die Gegenstelle hat nicht oder nicht vollständig geantwortet; ob sie den Auftrag ausgeführt hat, steht nicht fest.",
        "Wird unter derselben Nachrichten-ID wiederholt; beim Abholen gilt nichts als empfangen, was nicht sicher liegt.",
    ),
    Code(
        "dialog.answer.too-large",
        Healer.OPERATOR,
        "Die Antwort der Gegenstelle ist größer als die Grenze des Kanals.",
        "`max_bytes` des Kanals erhöhen; bis dahin bleibt die Zustellung im Postfach.",
    ),
    Code(
        "dialog.answer.unreadable",
        Healer.OPERATOR,
        "Die Antwort der Gegenstelle lässt sich nicht öffnen, oder sie ist keine Antwort auf diesen Auftrag.",
        "Der Fundort nennt den Grund: Schlüsselbund, Kryptoprofil und Zertifikate des Partners prüfen.",
    ),
    Code(
        "dialog.answer.unprotected",
        Healer.OPERATOR,
        "Die Antwort ist offen, unsigniert oder fremd signiert, obwohl der Auftrag verschlüsselt und signiert war.",
        "Signaturzertifikate des Partners im Verzeichnis prüfen. Stimmen sie: Verdacht auf einen Angriff.",
    ),
    Code(
        "dialog.broken",
        Healer.TIME,
        "ConversationId, SequenceNumber oder Response der Antwort passen nicht zum Dialog; er wurde abgebrochen.",
        "Ein neuer Dialog beginnt von selbst. Bei Häufung: Verdacht auf einen Angriff; die Gegenstelle fragen.",
    ),
    Code(
        "dialog.busy",
        Healer.TIME,
        "Die Gegenstelle meldet einen inneren Fehler; der Auftrag ist nicht ausgeführt.",
        "Wird von selbst wiederholt. Bleibt es dabei: Der Fundort nennt den OSCI-Code für die Gegenstelle.",
    ),
    Code(
        "dialog.refused",
        Healer.OPERATOR,
        "Die Gegenstelle weist den Auftrag zurück.",
        "Der Fundort nennt den OSCI-Code; Zertifikate und Absprachen mit der Gegenstelle prüfen.",
    ),
    Code(
        "dialog.certificate.own",
        Healer.OPERATOR,
        "Die Gegenstelle lehnt unser Zertifikat oder unsere Signatur ab (abgelaufen, gesperrt, unbekannt, fehlend).",
        "Schlüsselbund prüfen (`keys list`), das gültige Zertifikat bei der Gegenstelle bekannt machen.",
    ),
    Code(
        "dialog.certificate.partner",
        Healer.OPERATOR,
        "Die Gegenstelle kann nicht öffnen, was für sie verschlüsselt ist: Ihr Zertifikat im Partnerverzeichnis ist überholt.",
        "Das aktuelle Chiffrierzertifikat des Partners eintragen.",
    ),
    Code(
        "dialog.certificate.recipient",
        Healer.OPERATOR,
        "Die Gegenstelle lehnt ein Zertifikat des Empfängers oder Lesers ab (ungültig oder gesperrt).",
        "Das aktuelle Zertifikat des Empfängers ins Partnerverzeichnis eintragen.",
    ),
    Code(
        "dialog.message-id",
        Healer.TIME,
        "Die Gegenstelle erkennt die Nachrichten-ID nicht an, und unter ihr ist nichts angekommen.",
        "Wird von selbst mit einer neuen Nachrichten-ID wiederholt.",
    ),
    Code(
        "dialog.chunks",
        Healer.OPERATOR,
        "Die Gegenstelle nimmt die Teilstücke nicht an (Größe oder Zählung).",
        "Der Fundort nennt den OSCI-Code; Grenzen der Gegenstelle für große Nachrichten erfragen.",
    ),
    Code(
        "dialog.delivery.stuck",
        Healer.OPERATOR,
        "Eine Zustellung im Postfach lässt sich nicht abholen oder nicht öffnen; sie bleibt dort, andere gehen an ihr vorbei.",
        "Das Protokoll nennt den Grund (`dialog.delivery.stuck`); Schlüssel oder Grenze berichtigen, dann kommt sie von selbst.",
    ),
    Code(
        "dialog.key.missing",
        Healer.OPERATOR,
        "Zum Partner oder zum Mandanten fehlt ein Zertifikat, ohne das kein Dialog beginnt.",
        "Im Partnerverzeichnis Adresse und Chiffrierzertifikat, im Schlüsselbund den Schlüssel des Postfachs eintragen.",
    ),
)
