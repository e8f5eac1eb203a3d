"""Codes of unseal, and of what reads XML and JSON below it."""

from intermediary.core.codes.code import Code, Healer


def _sender(name: str, meaning: str, remedy: str) -> Code:
    return Code(name, Healer.SENDER, meaning, remedy)


def _operator(name: str, meaning: str, remedy: str) -> Code:
    return Code(name, Healer.OPERATOR, meaning, remedy)


CODES: tuple[Code, ...] = (
    _sender(
        "xml.dtd-forbidden",
        "Das XML-Dokument enthält eine Dokumenttyp-Deklaration (DTD).",
        "Der Sender muss das Dokument ohne DTD und ohne eigene Entitäten übermitteln.",
    ),
    _sender(
        "xml.xinclude-forbidden",
        "Das XML-Dokument enthält ein Element von XInclude, das auf andere Dateien verweist.",
        "Der Sender muss das Dokument vollständig und ohne XInclude übermitteln.",
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
    _sender(
        "json.malformed",
        "Die Fachdaten sind kein eindeutiges JSON in UTF-8: Aufbau, doppelte Namen, Zahlen oder Zeichen.",
        "Der Befund nennt die Regel; der Sender muss die Erzeugung der Daten berichtigen.",
    ),
    _sender(
        "json.limit",
        "Die Fachdaten in JSON überschreiten eine Grenze (Größe, Tiefe oder Zahl der Angaben).",
        "Der Sender muss die Daten verkleinern oder große Inhalte als Anlage übermitteln.",
    ),
    _sender(
        "mime.malformed",
        "Der MIME-Rahmen der Nachricht ist fehlerhaft oder unvollständig.",
        "Der Sender muss die Nachricht vollständig und nach OSCI 1.2 aufgebaut übermitteln.",
    ),
    _sender(
        "mime.limit",
        "Der MIME-Rahmen der Nachricht überschreitet eine Grenze (Zahl der Teile, Länge der Kopfzeilen).",
        "Der Sender muss die Nachricht teilen oder vereinfachen.",
    ),
    _sender(
        "policy.algorithm",
        "Die Nachricht benutzt ein Verfahren, das das geltende Kryptoprofil nicht zulässt.",
        "Der Sender muss ein zugelassenes Verfahren benutzen; ersatzweise kann der Betrieb `legacy` zulassen.",
    ),
    _sender(
        "policy.parameter",
        "Ein Parameter eines Kryptoverfahrens ist nicht zugelassen.",
        "Der Sender muss die zugelassenen Parameter benutzen (Kryptoprofile in der Dokumentation).",
    ),
    _sender(
        "policy.key-length",
        "Ein Schlüssel der Nachricht ist zu kurz oder von einer nicht zugelassenen Art.",
        "Der Sender muss ein Zertifikat mit einem zugelassenen Schlüssel benutzen.",
    ),
    _sender(
        "policy.expired",
        "Die Ausnahme, nach der diese Nachricht noch zulässig wäre, ist abgelaufen.",
        "Der Sender muss auf zugelassene Verfahren umstellen, oder der Betrieb muss die Ausnahme verlängern.",
    ),
    _sender(
        "osci.structure",
        "Die OSCI-Nachricht ist nicht aufgebaut, wie OSCI 1.2 es verlangt.",
        "Der Sender muss die Erzeugung der Nachricht berichtigen.",
    ),
    _sender(
        "osci.duplicate-id",
        "Eine Id kommt in der Nachricht mehrfach vor; so lassen sich Signaturen unterlaufen.",
        "Der Sender muss die Nachricht mit eindeutigen Ids erzeugen. Bei Häufung: Verdacht auf einen Angriff.",
    ),
    _sender(
        "osci.limit",
        "Die OSCI-Nachricht überschreitet eine Grenze (Schlüssel, Verweise, Verschachtelung).",
        "Der Sender muss die Nachricht vereinfachen.",
    ),
    _sender(
        "osci.type.unknown",
        "Die Art der OSCI-Nachricht ist nicht bekannt.",
        "Der Sender muss eine Nachrichtenart nach OSCI 1.2 benutzen.",
    ),
    _sender(
        "osci.type.unexpected",
        "Diese Art von OSCI-Nachricht wird hier nicht angenommen.",
        "Der Sender muss an die zuständige Stelle übermitteln (Intermediär, passiver Empfänger).",
    ),
    _sender(
        "osci.fault-received",
        "Die Gegenstelle hat mit einem SOAP-Fehler geantwortet.",
        "Der OSCI-Code nennt den Grund; er ist bei der Gegenstelle oder in der eigenen Anfrage zu beheben.",
    ),
    _sender(
        "osci.control-block",
        "Die Angaben zum Dialog (ControlBlock) fehlen oder passen nicht zur Art der Nachricht.",
        "Der Sender muss die Erzeugung der Nachricht berichtigen.",
    ),
    _sender(
        "osci.reference",
        "Ein Verweis in der Nachricht führt ins Leere oder an eine nicht zugelassene Stelle.",
        "Der Sender muss die Erzeugung der Nachricht berichtigen.",
    ),
    _sender(
        "osci.transport.no-key",
        "Die Nachricht ist für ein Zertifikat verschlüsselt, zu dem hier kein Schlüssel liegt.",
        "Der Sender muss das aktuelle Zertifikat des Postfachs benutzen; der Betrieb prüft den Schlüsselbund.",
    ),
    _sender(
        "osci.transport.undecryptable",
        "Der Transportumschlag lässt sich nicht entschlüsseln.",
        "Der Sender muss erneut übermitteln. Bei Häufung: Verdacht auf einen Angriff.",
    ),
    _sender(
        "osci.transport-signature.missing",
        "Die verlangte Transportsignatur fehlt oder zählt nicht.",
        "Der Sender muss die Nachricht mit einem zugelassenen Zertifikat signieren.",
    ),
    _sender(
        "osci.transport-signature.invalid",
        "Die Transportsignatur ist ungültig: Die Nachricht wurde verändert oder falsch signiert.",
        "Der Sender muss erneut übermitteln. Bei Häufung: Verdacht auf einen Angriff.",
    ),
    _sender(
        "osci.transport-signature.incomplete",
        "Die Transportsignatur deckt nicht alle Teile der Nachricht ab.",
        "Der Sender muss alle Teile signieren.",
    ),
    _sender(
        "osci.signature.duplicate-reference",
        "Eine Signatur verweist zweimal auf denselben Teil.",
        "Der Sender muss die Erzeugung der Signatur berichtigen.",
    ),
    _sender(
        "osci.content.no-key",
        "Kein Inhalt der Nachricht ist für einen Schlüssel dieser Stelle verschlüsselt.",
        "Der Sender muss das aktuelle Leserzertifikat benutzen; der Betrieb prüft den Schlüsselbund.",
    ),
    _sender(
        "osci.content.undecryptable",
        "Ein Inhalt oder Anhang lässt sich nicht entschlüsseln.",
        "Der Sender muss erneut übermitteln. Bei Häufung: Verdacht auf einen Angriff.",
    ),
    _sender(
        "osci.content.malformed",
        "Ein entschlüsselter Inhalt ist kein Inhaltsdatencontainer.",
        "Der Sender muss die Erzeugung der Nachricht berichtigen.",
    ),
    _sender(
        "osci.content.unsigned-part",
        "In einem signierten Container steht ein Inhalt, den die Signatur nicht abdeckt.",
        "Der Sender muss alle Inhalte signieren. Bei Häufung: Verdacht auf einen Angriff.",
    ),
    _sender(
        "osci.content-signature.invalid",
        "Eine Inhaltssignatur ist ungültig: Der Inhalt wurde verändert oder falsch signiert.",
        "Der Sender muss den Antrag neu signieren und übermitteln.",
    ),
    _sender(
        "osci.attachment.missing",
        "Ein Anhang, auf den die Nachricht verweist, fehlt.",
        "Der Sender muss die Nachricht vollständig übermitteln.",
    ),
    _sender(
        "osci.attachment.unreferenced",
        "Die Nachricht enthält einen Teil, auf den kein Inhalt verweist.",
        "Der Sender muss die Erzeugung der Nachricht berichtigen.",
    ),
    _sender(
        "signature.required",
        "Eine verlangte Signatur fehlt, zählt nicht oder ist nicht vertrauenswürdig.",
        "Der Sender muss so signieren, wie die Stelle es verlangt.",
    ),
    _operator(
        "osci.content.unopened",
        "Ein Teil der Nachricht ist für andere Leser verschlüsselt und blieb verschlossen.",
        "Nichts, wenn das beabsichtigt ist; sonst den fehlenden Schlüssel in den Schlüsselbund eintragen.",
    ),
    _operator(
        "keyring.invalid",
        "Die Schlüsselbund-Datei ist fehlerhaft.",
        "Die genannte Angabe berichtigen (Format in der Dokumentation).",
    ),
    _operator(
        "key.unsupported",
        "Diese Schlüsselquelle wird von dieser Fassung noch nicht unterstützt.",
        "Den Schlüssel als PKCS#12- oder PEM-Datei oder auf einem PKCS#11-Token eintragen.",
    ),
    _operator(
        "policy.unknown",
        "Ein Kryptoprofil dieses Namens gibt es nicht.",
        "Eines der Profile strict, osci oder legacy eintragen.",
    ),
)
