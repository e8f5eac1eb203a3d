"""Made-up applications for a Bewohnerparkausweis (FIM S05000058 in XFall form) and the letters they travel in."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random as Dice

from intermediary.osci.write import Attachment, Letter, MetaData
from intermediary.osci.write.markup import element, text
from intermediary.testing.documents import sample_pdf, sample_png

__all__ = ["broken_application", "sample_application", "sample_letter", "sample_pdf", "sample_png"]

SERVICE = "urn:example:musterland:bewohnerparken:1.0"
NAMESPACE = "urn:fim-de:xfall:datenschema:xdf3"
ROOT = "S05000000058V1.0.0"

_FAMILY_NAMES = (
    "Aydın", "Brömmelhaus", "Çelik", "D'Agostino", "Đorđević", "Fröhlich-Weiß", "Groß", "Łukasiewicz", "Nguyễn",
    "O’Brien", "Præstegaard", "Scholz & Söhne", "Šimůnková", "von der Heydt", "Žukauskaitė",
)  # fmt: skip
_FIRST_NAMES = (
    "Ada", "Björn", "Chloë", "Emine", "Günther", "Ilse", "Jürgen", "Łucja", "Maël", "Özlem", "Søren", "Þóra", "Zoë",
)  # fmt: skip
_STREETS = (
    "Am Mühlgraben", "An der alten Gießerei", "Bürgermeister-Löhr-Straße", "Eschenweg", "Käthe-Kollwitz-Platz",
    "Lindenallee", "Straße des Handwerks", "Zum Töpferbrunnen",
)  # fmt: skip
_TOWNS = (("04895", "Falkenhagen an der Übung"), ("19999", "Musterstadt"), ("63999", "Beispielhausen"))
_FIRST_DAY = date(2026, 12, 1)


@dataclass(frozen=True, slots=True)
class _Field:
    """One element of the form: a value, or the fields of a group."""

    name: str
    value: str | tuple[_Field, ...]

    def xml(self, indent: str = "") -> str:
        if isinstance(self.value, str):
            return f"{indent}{element(self.name, text(self.value))}\n"
        inside = "".join(field.xml(indent + "  ") for field in self.value)
        return f"{indent}<{self.name}>\n{inside}{indent}</{self.name}>\n"


def sample_application(seed: int) -> bytes:
    """A schema-valid application; the same seed gives the same bytes.

    Over the seeds every optional group occurs: renewal of an earlier Ausweis, somebody else's vehicle, several first
    names, telephone numbers.
    """
    return _document(_application(Dice(seed)))


def broken_application(seed: int) -> bytes:
    """An application with at least three independent schema errors, all in different fields.

    Postleitzahl and birthday are malformed and the Kennzeichen's number is none; by the seed also the Einwilligung is
    unknown or the town is missing.
    """
    document = sample_application(seed)
    document = _put(document, "F00000000054V1.2.0", "O4895")
    document = _put(document, "F05000000351V1.0.0", "31.02.1980")
    document = _put(document, "F05000001062V1.0.0", "unbekannt")
    if seed % 2:
        return _put(document, "F00000-4cb0dd14-629c-4661-9435-4e9eadc43e07V1.0.0", "99")
    return re.sub(rb" *<F00000000035V1\.2\.0>[^<]*</F00000000035V1\.2\.0>\n", b"", document, count=1)


def sample_letter(seed: int, *, now: datetime, is_broken: bool = False, service: str = SERVICE) -> Letter:
    """A usual EfA letter with an application, a summary as PDF and a picture; protection as `Letter` has it."""
    content = broken_application(seed) if is_broken else sample_application(seed)
    number = uuid.UUID(int=Dice(f"letter {seed} {is_broken}").getrandbits(128), version=4)
    return Letter(
        message_id=f"urn:osci:beispiel:musterland:{number}",
        subject="Antrag Bewohnerparkausweis",
        contents=(content,),
        attachments=(
            Attachment(
                "Zusammenfassung.pdf",
                "application/pdf",
                sample_pdf(f"Antrag Bewohnerparkausweis\nVorgang {seed}\nTestdokument, automatisch erzeugt"),
            ),
            Attachment("Fahrzeugschein.png", "image/png", sample_png(shade=seed % 256)),
        ),
        metadata=MetaData(
            service=service,
            author="ags:05999000",
            reader="ags:05999044",
            origin=now - timedelta(minutes=7),
            message_id=f"urn:de:xta:messageid:beispiel-online-dienst:{number}",
            subject="Antrag Bewohnerparkausweis",
        ),
    )


def _application(dice: Dice) -> _Field:
    is_renewal, is_foreign = dice.random() < 0.4, dice.random() < 0.3
    vehicle = _Field(
        "G05000000477V1.0.0",
        (
            _Field("F05000000627V1.0.0", f"MU {dice.choice('ABCEHKX')}{dice.choice('AKLZ')} {dice.randint(1, 9999)}"),
            _Field("F05000001062V1.0.0", str(dice.randint(100000, 999999))),
            _Field("F05000001047V1.0.0", "02" if is_foreign else "01"),
        ),
    )
    groups = [_applicant(dice), _request(dice, is_renewal=is_renewal), vehicle]
    if is_foreign:
        groups.append(_holder(dice))
    consents = (
        _Field("F00000-4cb0dd14-629c-4661-9435-4e9eadc43e07V1.0.0", "01"),
        _Field("F05000001344V1.0.0", "01"),
    )
    return _Field(ROOT, (*consents, *groups))


def _applicant(dice: Dice) -> _Field:
    names = dice.sample(_FIRST_NAMES, k=dice.choice((1, 1, 1, 2, 3)))
    fields = [
        _Field("F05000000059V1.0.0", dice.choice(_FAMILY_NAMES)),
        *(_Field("F05000000060V1.0.0", name) for name in names),
        _Field("F05000000351V1.0.0", str(date(1940, 1, 1) + timedelta(days=dice.randrange(24000)))),
        _Field("F05000001354V1.0.0", f"antrag{dice.randint(1, 9999)}@example.org"),
    ]
    if dice.random() < 0.5:
        fields.append(_Field("F05000000067V1.0.0", f"+49 30 23125 {dice.randint(100, 999)}"))
    if dice.random() < 0.5:
        fields.append(_Field("F05000000068V1.0.0", f"0171 39200{dice.randint(10, 99)}"))
    street = (
        _Field("F00000000053V1.1.0", dice.choice(_STREETS)),
        _Field("F00000000016V1.2.0", f"{dice.randint(1, 250)}{dice.choice(('', '', 'a', ' b'))}"),
    )
    fields += [
        _Field("G05000000428V1.0.0", street),
        _Field("G00000000113V1.2.0", _town(dice)),
        _Field("F05000000523V1.0.0", "000"),
    ]
    return _Field("G05000000496V1.0.0", tuple(fields))


def _request(dice: Dice, *, is_renewal: bool) -> _Field:
    fields = [
        _Field("F05000001064V1.0.0", dice.choice(("1", "2"))),
        _Field("F05000001347V1.0.0", "02" if is_renewal else "01"),
    ]
    if is_renewal:
        earlier = (
            _Field("F05000001346V1.0.0", str(dice.randint(1000, 99999))),
            _Field("F05000001345V1.0.0", str(_FIRST_DAY - timedelta(days=dice.randint(300, 720)))),
        )
        fields.append(_Field("G05000000599V1.0.0", earlier))
    if is_renewal or dice.random() < 0.8:
        fields.append(_Field("F05000001348V1.0.0", str(_FIRST_DAY + timedelta(days=dice.randrange(90)))))
    return _Field("G05000000493V1.0.0", tuple(fields))


def _holder(dice: Dice) -> _Field:
    return _Field(
        "G05000000499V1.0.0",
        (
            _Field("F05000001243V1.0.0", dice.choice(_FAMILY_NAMES)),
            _Field("F05000001244V1.0.0", dice.choice(_FIRST_NAMES)),
            _Field("F05000001245V1.0.0", dice.choice(_STREETS)),
            _Field("F05000001246V1.0.0", str(dice.randint(1, 250))),
            # the published pattern escapes its backslash twice and admits hardly a letter
            _Field("F05000001247V1.0.0", dice.choice(("1", "2.", "12"))),
            _Field("G05000000554V1.0.0", _town(dice)),
            _Field("F05000001249V1.0.0", "000"),
            _Field("F05000001355V1.0.0", f"halter{dice.randint(1, 9999)}@example.org"),
            _Field("F05000001248V1.0.0", "Zusammenfassung.pdf"),
            _Field("F05000001045V1.0.0", "Fahrzeugschein.png"),
        ),
    )


def _town(dice: Dice) -> tuple[_Field, ...]:
    code, name = dice.choice(_TOWNS)
    return (_Field("F00000000054V1.2.0", code), _Field("F00000000035V1.2.0", name))


def _document(root: _Field) -> bytes:
    body = root.xml().replace(f"<{ROOT}>", f'<{ROOT} xmlns="{NAMESPACE}">', 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


def _put(document: bytes, name: str, value: str) -> bytes:
    tag = name.encode("ascii")
    return re.sub(rb"<%b>[^<]*<" % re.escape(tag), b"<%b>%b<" % (tag, value.encode()), document, count=1)
