"""`lint` of who is trusted: keyrings, the partner directory, and the references to its partners; offline."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from intermediary.keys.partners import Partners
from intermediary.keys.ring import Keyring
from intermediary.settings.finding import Finding, Severity
from intermediary.settings.models import Mandant, Settings
from intermediary.wiring import read_routes


def lint_vouching(settings: Settings) -> Iterator[Finding]:
    """Every mistake of the keyrings and the partner directory, and what each leaves open."""
    for mandant in settings.mandant:
        yield from _keyring(settings, mandant)
    yield from _partners(settings)


def from_befund(file: Path, befund: Befund) -> Finding:
    """A finding of a file's own reader, in the words of its code."""
    code = CATALOGUE.get(befund.code)
    what = code.meaning if code else befund.code
    hint = befund.hint or (code.remedy if code else "")
    return Finding(file, befund.path, what, hint, Severity.ERROR)


def _keyring(settings: Settings, mandant: Mandant) -> Iterator[Finding]:
    try:
        ring = Keyring.load(mandant.keyring)
    except Misconfigured as fault:
        yield from (from_befund(mandant.keyring, befund) for befund in fault.findings or (Befund(fault.code),))
        return
    if ring.policy == "legacy" and ring.policy_until is None:
        what = "legacy without an end: old cryptography is accepted from everybody, for ever"
        hint = "give the partners who need it an exception of their own (docs/howto/legacy-partners.md)"
        yield Finding(mandant.keyring, "policy", what, hint, Severity.WARNING)
    if "transport-signature" not in ring.require:
        yield from _unsigned(settings, mandant, ring)
    if not ring.anchors("content"):
        yield from _unvouched(settings, mandant)
    yield from _unsignable(settings, mandant, ring)


def _unsigned(settings: Settings, mandant: Mandant, ring: Keyring) -> Iterator[Finding]:
    """What anybody who can send may do while a delivery needs no transport signature."""
    hint = 'require = ["transport-signature"] in the keyring'
    if ring.policy == "legacy":
        what = "CBC is opened without a signature over it: its padding answers questions about what others sent"
        yield Finding(mandant.keyring, "require", what, hint, Severity.WARNING)
    if any(channel.type == "osci_passive" and mandant.name in channel.mandanten for channel in settings.channel):
        what = "whoever reaches the OSCI address can take a MessageId before the intermediary does"
        yield Finding(mandant.keyring, "require", what, hint, Severity.WARNING)


def _unvouched(settings: Settings, mandant: Mandant) -> Iterator[Finding]:
    """Production routes that demand a signature which is only calculated, since no anchor says who may sign."""
    try:
        routes = read_routes(settings.installation.routes).routes
    except Misconfigured:
        return  # the lint of the routes has said it
    for route in routes:
        is_meant = mandant.name == route.mandant and route.stage == "production"
        if is_meant and "content-signature" in route.require and "trusted" not in route.require:
            what = f"signatures are only calculated, nobody vouches for the signer: {mandant.keyring} has no [[trust]]"
            hint = 'add [[trust]] for content to the keyring, and require = ["content-signature", "trusted"]'
            place = f"route[{route.name}].require"
            yield Finding(settings.installation.routes, place, what, hint, Severity.WARNING)


def _unsignable(settings: Settings, mandant: Mandant, ring: Keyring) -> Iterator[Finding]:
    """What comes by XTA has no signatures: demands for them refuse all of it."""
    channels = [channel for channel in settings.channel if mandant.name in channel.mandanten]
    by_xta = [channel.name for channel in channels if channel.type == "xta_fetch"]
    if not by_xta:
        return
    if "content-signature" in ring.require:
        what = f"every message of the channel {by_xta[0]} is refused: XTA has no signatures of authors"
        hint = "demand it in `require` of the routes for OSCI instead"
        yield Finding(mandant.keyring, "require", what, hint, Severity.WARNING)
    if len(by_xta) < len(channels):
        return
    try:
        routes = read_routes(settings.installation.routes).routes
    except Misconfigured:
        return  # the lint of the routes has said it
    for route in routes:
        if route.mandant == mandant.name and route.require:
            what = "every message is refused: all channels of the Mandant are of XTA, which has no signatures"
            place = f"route[{route.name}].require"
            yield Finding(settings.installation.routes, place, what, "leave it out", Severity.WARNING)


def _partners(settings: Settings) -> Iterator[Finding]:
    file = settings.installation.partners
    if file is None or not file.is_file():
        return  # the lint of the settings has said it
    try:
        partners = Partners.load(file)
    except Misconfigured as fault:
        yield from (from_befund(file, befund) for befund in fault.findings or (Befund(fault.code),))
        return
    yield from _references(settings, partners)
    for partner in partners.all():
        if partner.policy is not None and not partner.signature and not _has_channel(settings, partner.kennung):
            what = "the exception holds for nobody: no signature certificate, and no channel of this partner"
            yield Finding(file, f"partner[{partner.kennung}].policy", what, "add `signature`", Severity.WARNING)


def _references(settings: Settings, partners: Partners) -> Iterator[Finding]:
    """Every Behoerdenkennung that the settings name is one of the directory."""
    known = [partner.kennung for partner in partners.all()]
    for place, kennung in _named(settings):
        if kennung not in partners:
            near = get_close_matches(kennung, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known) or 'nobody'}"
            yield Finding(settings.file, place, f'there is no partner "{kennung}"', hint)
    for place, kennung in _called(settings):
        partner = next((one for one in partners.all() if one.kennung == kennung), None)
        lacking = partner and [name for name in ("endpoint", "cipher") if not getattr(partner, name)]
        if lacking:
            what = f'partner "{kennung}" is to be called and has no {" and no ".join(lacking)}'
            yield Finding(settings.file, place, what, "give it both in the partner directory")


def _called(settings: Settings) -> Iterator[tuple[str, str]]:
    """The partners that requests go to."""
    for channel in settings.channel:
        if channel.type == "osci_fetch" and channel.partner:
            yield f"channel[{channel.name}].partner", channel.partner
        if channel.answer is not None and channel.answer.type == "osci" and channel.answer.partner:
            yield f"channel[{channel.name}].answer.partner", channel.answer.partner


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    for channel in settings.channel:
        if channel.partner:
            yield f"channel[{channel.name}].partner", channel.partner
        for name in ("partner", "reader"):
            kennung = getattr(channel.answer, name, None)
            if kennung:
                yield f"channel[{channel.name}].answer.{name}", kennung


def _has_channel(settings: Settings, kennung: str) -> bool:
    return any(channel.partner == kennung for channel in settings.channel)
