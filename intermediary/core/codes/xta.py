"""Codes of XTA 2: messages that cannot be read, and what a gateway answers (digest §7)."""

from intermediary.core.codes.code import Code, Healer


def _sender(name: str, meaning: str, remedy: str) -> Code:
    return Code(name, Healer.SENDER, meaning, remedy)


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
)
