"""Codes of mapping."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "mapping.version.missing",
        Healer.OPERATOR,
        "Die für diese Nachricht festgelegte Fassung des Mappings ist nicht installiert.",
        "Die Fassung wieder installieren, oder mit `replay --with current` auf die heutige Fassung übergehen.",
    ),
    Code(
        "mapping.input.refused",
        Healer.SENDER,
        "Der Antrag enthält Angaben, die sich nicht in das Zielformat übertragen lassen.",
        "Die Befunde nennen Feld und Regel; der Sender muss den Antrag berichtigen.",
    ),
    Code(
        "mapping.setting.invalid",
        Healer.OPERATOR,
        "Eine Einstellung, die das Mapping braucht, fehlt oder ist ungültig.",
        "Die genannte Einstellung in der Route berichtigen; die Nachricht läuft danach von selbst weiter.",
    ),
    Code(
        "mapping.processor.missing",
        Healer.OPERATOR,
        "Das Mapping ist in XSLT 2 oder 3 geschrieben, und der Prozessor dafür ist nicht installiert.",
        "Das Paket mit dem Zusatz saxon installieren (`pip install 'xta-osci-intermediary[saxon]'`) und neu starten.",
    ),
    Code(
        "mapping.output.invalid",
        Healer.DEVELOPER,
        "Das Mapping hat keine Ausgabe erzeugt, oder eine, die dem Zielschema nicht genügt.",
        "Die Befunde nennen die Stelle. Das Mapping berichtigen und die Nachricht mit `replay` fortsetzen.",
    ),
)
