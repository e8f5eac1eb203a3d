"""Codes of XTA 2: messages that cannot be read, and what a gateway answers (digest §7)."""

from intermediary.core.codes.code import Code, Healer


def _sender(name: str, meaning: str, remedy: str) -> Code:
    return Code(name, Healer.SENDER, meaning, remedy)


def _operator(name: str, meaning: str, remedy: str) -> Code:
    return Code(name, Healer.OPERATOR, meaning, remedy)


CODES: tuple[Code, ...] = (
    _sender(
        "xta.structure",
        "Die XTA-Nachricht ist nicht so aufgebaut, wie es XTA 2.1.1 verlangt; der Fundort nennt das Element.",
        "Der Sender muss die Nachricht nach WSDL und Schema von XTA 2.1.1 erzeugen.",
    ),
    _sender(
        "xta.reference",
        "Ein Verweis der XTA-Nachricht auf einen MIME-Teil (XOP) fehlt, ist doppelt oder führt ins Leere.",
        "Der Sender muss jeden MIME-Teil genau einmal mit xop:Include benennen.",
    ),
    _sender(
        "xta.content-type",
        "Der Inhaltstyp ist keiner von SOAP 1.2 (application/soap+xml oder multipart/related mit XOP).",
        "Der Sender muss SOAP 1.2 benutzen; bei einer Antwort die Adresse des Dienstes prüfen.",
    ),
    _sender(
        "xta.soap.version",
        "Die Nachricht ist in einer anderen SOAP-Version als 1.2 verfasst.",
        "Der Sender muss SOAP 1.2 benutzen, wie die WSDL es vorschreibt.",
    ),
    _sender(
        "xta.soap.not-understood",
        "Ein SOAP-Kopfblock verlangt, verstanden zu werden (mustUnderstand), und ist hier nicht bekannt.",
        "Der Sender muss auf den Block verzichten oder ihn freistellen; der Fundort nennt ihn.",
    ),
    _sender(
        "xta.too-large",
        "Der Inhalt der XTA-Nachricht ist größer als die 40 MB, die XTA 2.1.1 erlaubt.",
        "Der Sender muss die Nachricht teilen oder Anlagen verkleinern.",
    ),
    _sender(
        "xta.limit",
        "Die XTA-Nachricht überschreitet eine Grenze (Zahl der EncryptedKeys).",
        "Der Sender muss die Nachricht für weniger Leser verschlüsseln.",
    ),
    _sender(
        "xta.content.no-key",
        "Der Inhalt der XTA-Nachricht ist für keinen unserer Schlüssel verschlüsselt.",
        "Der Sender muss mit dem aktuellen Zertifikat des Lesers verschlüsseln.",
    ),
    _sender(
        "xta.content.undecryptable",
        "Der verschlüsselte Inhalt der XTA-Nachricht lässt sich nicht öffnen.",
        "Der Sender muss die Nachricht neu verschlüsseln und erneut senden.",
    ),
    Code(
        "xta.unreachable",
        Healer.TIME,
        "Der XTA-Dienst ist zurzeit nicht erreichbar; es wurde nichts übertragen.",
        "Wird von selbst wiederholt. Bleibt es dabei: Adresse des Endpunkts, Netz und Namensauflösung prüfen.",
    ),
    _operator(
        "xta.tls",
        "Das TLS-Zertifikat des XTA-Dienstes lässt sich nicht prüfen; es wurde nichts übertragen.",
        "`url` und `ca_file` des Endpunkts prüfen; bei unerwartetem Wechsel des Zertifikats den Betreiber fragen.",
    ),
    _operator(
        "xta.tls.refused",
        "Der XTA-Dienst lehnt unser TLS-Zertifikat ab (unbekannt, abgelaufen, gesperrt oder keines vorgelegt).",
        "`tls_cert` und `tls_key` des Kontos prüfen und das Zertifikat beim Betreiber des XTA-Dienstes eintragen lassen.",
    ),
    _operator(
        "xta.http",
        "Unter der Adresse des Endpunkts antwortet kein XTA-Dienst (HTTP-Fehler oder Umleitung).",
        "`url` des Endpunkts prüfen: management, send und msgbox haben oft eigene Adressen. Umleitungen gelten nicht.",
    ),
    Code(
        "xta.no-answer",
        Healer.TARGET,
        "Der XTA-Dienst hat nicht oder nicht vollständig geantwortet; ob er den Auftrag ausgeführt hat, steht nicht fest.",
        "Vor einem neuen Versuch wird der TransportReport gefragt; beim Abholen gilt nichts als empfangen, was nicht liegt.",
    ),
    _operator(
        "xta.answer.too-large",
        "Die Antwort des XTA-Dienstes ist größer als die Grenze des Kanals.",
        "`max_bytes` des Kanals erhöhen; bis dahin bleibt die Nachricht im Postfach.",
    ),
    _operator(
        "xta.answer.unreadable",
        "Die Antwort des XTA-Dienstes ist keine nach XTA 2.1.1, oder sie gehört nicht zu diesem Auftrag.",
        "Der Fundort nennt den Grund. Fassung des Dienstes prüfen (2.1.1) und den Betreiber fragen.",
    ),
    Code(
        "xta.busy",
        Healer.TIME,
        "Der XTA-Dienst meldet einen inneren Fehler (9000, 9030, 9031, 9032).",
        "Wird von selbst wiederholt. Bleibt es dabei: Der Fundort nennt die Nummer für den Betreiber des Dienstes.",
    ),
    _operator(
        "xta.certificate.expired",
        "Der XTA-Dienst meldet, dass unser Zertifikat abgelaufen ist (9010).",
        "Ein neues Zertifikat als `tls_cert` und `tls_key` des Kontos eintragen und beim Betreiber hinterlegen lassen.",
    ),
    _operator(
        "xta.account.locked",
        "Unser Konto beim XTA-Dienst ist gesperrt (9011).",
        "Den Betreiber des XTA-Dienstes um Freigabe des Kontos bitten.",
    ),
    _operator(
        "xta.account.unknown",
        "Der XTA-Dienst kennt unser Konto nicht (9012).",
        "`identifier`, `identifier_type` und `tls_cert` des Kontos prüfen, Konto und Zertifikat beim Betreiber eintragen lassen.",
    ),
    _operator(
        "xta.service.not-booked",
        "Der Dienst ist für unser Konto nicht gebucht (9013).",
        "Den Dienst beim Betreiber des XTA-Dienstes buchen; bis dahin diese Strecke nicht benutzen.",
    ),
    _operator(
        "xta.certificate.mismatch",
        "Unser Zertifikat passt nicht zur Kennung, unter der wir auftreten (9014).",
        "`identifier` und Zertifikat des Kontos prüfen: beide müssen beim Betreiber zusammen eingetragen sein.",
    ),
    _operator(
        "xta.denied",
        "Der XTA-Dienst verweigert uns den Zugang, ohne einen bekannten Grund zu nennen.",
        "Der Fundort nennt die Nummer; Konto, Zertifikat und Buchung mit dem Betreiber prüfen.",
    ),
    _operator(
        "xta.parameter",
        "Der XTA-Dienst weist die Angaben des Auftrags zurück (9020, 9021, 9022).",
        "Der Fundort nennt Operation und Nummer; Dienst-URI und Kennungen der Strecke prüfen.",
    ),
    _sender(
        "xta.refused.too-large",
        "Der XTA-Dienst nimmt die Nachricht nicht an, weil sie zu groß ist (9023).",
        "Die Nachricht teilen oder Anlagen verkleinern.",
    ),
    _sender(
        "xta.refused.delivery",
        "Der XTA-Dienst konnte die Nachricht nicht zustellen (TransportReport: rot).",
        "Der TransportReport beim Betreiber des Dienstes nennt den Grund; danach neu senden.",
    ),
    Code(
        "xta.message-id.used",
        Healer.TARGET,
        "Unter der MessageID ist beim XTA-Dienst schon eine Nachricht (9024); vermutlich kam ein früherer Versuch an.",
        "Der TransportReport wird gefragt, bevor unter einer neuen MessageID gesendet wird.",
    ),
    _sender(
        "xta.refused.schema",
        "Der XTA-Dienst nimmt die Nachricht nicht an: Schema, Kodierung oder Service-Profil verletzt (9050, 9051, 9052).",
        "Die Nachricht muss dem Schema des Dienstes entsprechen; der Fundort nennt die Nummer.",
    ),
    _sender(
        "xta.refused.virus",
        "Der XTA-Dienst hat in der Nachricht schadhaften Code gefunden (9060).",
        "Die Nachricht nicht weiter verteilen; ihre Anlagen prüfen und bereinigt neu senden.",
    ),
    Code(
        "xta.message-id.unknown",
        Healer.TIME,
        "Der XTA-Dienst kennt die MessageID für unser Konto nicht (9070); vielleicht ist die Nachricht schon abgeholt.",
        "Die Liste des Postfachs wird neu gelesen; sonst ist nichts zu tun.",
    ),
    _operator(
        "xta.sync-async",
        "Der Dienst wird nur asynchron (9080) oder nur synchron (9081) angeboten.",
        "Die andere Sendeart einstellen; der Fundort nennt die Nummer.",
    ),
    _sender(
        "xta.cancel.denied",
        "Der Transportauftrag kann nicht zurückgezogen werden (9100, 9101): NotBefore ist verstrichen oder fehlt.",
        "Die Nachricht wird zugestellt; ist sie falsch, eine berichtigte senden.",
    ),
    _operator(
        "xta.delivery.stuck",
        "Eine Nachricht im XTA-Postfach lässt sich nicht abholen oder nicht lesen; sie bleibt dort, andere gehen vorbei.",
        "Das Protokoll nennt den Grund (`xta.delivery.stuck`); ihn mit dem Betreiber klären, dann kommt sie von selbst.",
    ),
)
