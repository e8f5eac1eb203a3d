"""Codes of routing and of the plug-ins a route names."""

from intermediary.core.codes.code import Code, Healer

CODES = (
    Code(
        "target.limits.differ",
        Healer.OPERATOR,
        "Mehrere Routen führen zu demselben Ziel, nennen aber verschiedene Grenzen; es gilt die niedrigere.",
        "`max_per_minute` und `max_parallel` bei allen diesen Zielen gleich setzen.",
    ),
    Code(
        "route.file.unreadable",
        Healer.OPERATOR,
        "Eine Datei, die eine Route unter `[route.files]` nennt, fehlt, ist zu groß oder nicht lesbar.",
        "Pfad und Rechte der genannten Datei prüfen; Pfade gelten ab dem Ordner der Routendatei.",
    ),
    Code(
        "route.missing",
        Healer.OPERATOR,
        "Für diese Nachricht ist keine Route eingerichtet.",
        "Eine passende Route in die Routendatei eintragen; die Nachricht läuft danach von selbst weiter.",
    ),
    Code(
        "route.ambiguous",
        Healer.OPERATOR,
        "Mehrere Routen passen gleich gut auf diese Nachricht.",
        "Die Bedingungen der genannten Routen so fassen, dass nur eine passt.",
    ),
    Code(
        "route.signature.required",
        Healer.SENDER,
        "Die Route verlangt eine gültige Signatur, die der Nachricht fehlt.",
        "Der Sender muss die Nachricht so signieren, wie die Route es verlangt.",
    ),
    Code(
        "test.message",
        Healer.OPERATOR,
        "Eine als Test gekennzeichnete Nachricht traf auf ein Ziel des Echtbetriebs.",
        'Eine Route mit stage = "test" einrichten, oder die Nachricht mit `decide ID discard` verwerfen.',
    ),
    Code(
        "route.table.invalid",
        Healer.OPERATOR,
        "Die Routendatei enthält Fehler.",
        "Die Befunde nennen jede Stelle und den nächstliegenden Namen (`lint`); danach die Datei berichtigen.",
    ),
    Code(
        "route.order.mixed",
        Healer.OPERATOR,
        "Ein Ziel, an dem eine Route die Reihenfolge je Vorgang wahrt, wird auch an ihr vorbei oder unter anderem Namen erreicht.",
        'In allen Routen des Mandanten zu diesem Ziel `order = "vorgang"` und denselben Zielnamen schreiben; gewahrt wird die '
        "Reihenfolge nur unter Zielen gleichen Namens.",
    ),
    Code(
        "route.mandant.unknown",
        Healer.OPERATOR,
        "Eine Route nennt einen Mandanten, den die Installation nicht kennt.",
        "Den Namen in der Route berichtigen oder den Mandanten in der Konfiguration eintragen.",
    ),
    Code(
        "route.root.mismatch",
        Healer.OPERATOR,
        "Die Route nimmt ein Wurzelelement an, das ihr Mapping nicht liest.",
        "`when.root` oder `mapping` der Route berichtigen; der Befund nennt, was das Mapping liest.",
    ),
    Code(
        "plugin.unknown",
        Healer.OPERATOR,
        "Ein Mapping oder Connector dieses Namens ist nicht installiert.",
        "Den Namen in der Route berichtigen (der Befund nennt den nächstliegenden) oder das Paket installieren.",
    ),
    Code(
        "plugin.duplicate",
        Healer.OPERATOR,
        "Zwei installierte Pakete bieten ein Mapping oder einen Connector unter demselben Namen an.",
        "Eines der beiden im Befund genannten Pakete deinstallieren.",
    ),
    Code(
        "plugin.invalid",
        Healer.OPERATOR,
        "Ein Mapping oder Connector lässt sich nicht laden oder hat nicht die vorgeschriebene Form.",
        "Der Befund nennt Paket und Mangel; eine passende Fassung installieren oder den Hersteller fragen.",
    ),
    Code(
        "config.syntax",
        Healer.OPERATOR,
        "Die Datei ist kein gültiges TOML.",
        "Die genannte Zeile berichtigen.",
    ),
    Code(
        "config.key.unknown",
        Healer.OPERATOR,
        "Eine Einstellung dieses Namens gibt es nicht.",
        "Den Namen berichtigen; der Befund nennt den nächstliegenden.",
    ),
    Code(
        "config.key.missing",
        Healer.OPERATOR,
        "Eine Einstellung fehlt, die angegeben werden muss.",
        "Die Einstellung eintragen; der Befund sagt, was sie bedeutet.",
    ),
    Code(
        "config.type.wrong",
        Healer.OPERATOR,
        "Der Wert einer Einstellung hat nicht die richtige Art (Text, Zahl, ja/nein, Liste, Tabelle).",
        "Den Wert so schreiben, wie der Befund es verlangt.",
    ),
    Code(
        "config.value.invalid",
        Healer.OPERATOR,
        "Der Wert einer Einstellung ist nicht zulässig.",
        "Den Wert berichtigen; der Befund nennt, was zulässig ist.",
    ),
    Code(
        "config.name.twice",
        Healer.OPERATOR,
        "Derselbe Name ist zweimal vergeben.",
        "Einen der beiden umbenennen.",
    ),
)
