"""Codes of trust: partners, revocation, signers that cannot be judged."""

from intermediary.core.codes.code import Code, Healer


def _sender(name: str, meaning: str, remedy: str) -> Code:
    return Code(name, Healer.SENDER, meaning, remedy)


def _operator(name: str, meaning: str, remedy: str) -> Code:
    return Code(name, Healer.OPERATOR, meaning, remedy)


CODES: tuple[Code, ...] = (
    _operator(
        "partners.invalid",
        "Das Partnerverzeichnis ist fehlerhaft.",
        "Die genannte Angabe berichtigen; bis dahin gilt im laufenden Betrieb der vorige Stand.",
    ),
    _operator(
        "partner.unknown",
        "Die genannte Behördenkennung steht nicht im Partnerverzeichnis.",
        "Den Partner ins Verzeichnis eintragen oder die Kennung berichtigen.",
    ),
    _operator(
        "signature.undetermined",
        "Ob dem Unterzeichner vertraut werden darf, ist nicht bestimmbar: Es fehlt ein Vertrauensanker "
        "oder frisches Sperrmaterial.",
        "Anker oder aktuelle Sperrlisten und OCSP-Antworten bereitstellen; die Nachricht wird dann von selbst neu "
        "beurteilt.",
    ),
    _operator(
        "signature.revocation-unknown",
        "Zur Sperrung eines Zertifikats lag kein frisches Sperrmaterial vor; nach Vorgabe ging es trotzdem weiter.",
        "Die Sperrlisten im Ordner erneuern; soll so etwas warten, `revocation` auf hard stellen.",
    ),
    _operator(
        "signature.revoked-later",
        "Das Zertifikat des Unterzeichners wurde erst nach dem Empfang gesperrt; beim Empfang war es gültig.",
        "Nichts für diese Nachricht; spätere mit diesem Zertifikat werden nicht mehr als vertrauenswürdig gezählt.",
    ),
    _sender(
        "signature.untrusted",
        "Vom Zertifikat des Unterzeichners führt kein gültiger Pfad zu einem Vertrauensanker.",
        "Der Sender muss mit einem zugelassenen Zertifikat signieren; sonst muss der Betrieb den Anker eintragen.",
    ),
    _sender(
        "signature.expired",
        "Das Zertifikat des Unterzeichners, oder eines auf seinem Pfad, war beim Empfang nicht gültig.",
        "Der Sender muss mit einem gültigen Zertifikat signieren.",
    ),
    _sender(
        "signature.revoked",
        "Das Zertifikat des Unterzeichners, oder eines auf seinem Pfad, war beim Empfang gesperrt.",
        "Der Sender muss mit einem anderen Zertifikat signieren. Verdacht auf Missbrauch prüfen.",
    ),
)
