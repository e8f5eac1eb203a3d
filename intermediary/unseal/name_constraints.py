"""Name constraints of an authority: whether they admit the names of a certificate below it (RFC 5280 §4.2.1.10)."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import NameOID

_UNDERSTOOD = (x509.DNSName, x509.RFC822Name, x509.DirectoryName)


def admits(constraints: x509.NameConstraints, certificate: x509.Certificate) -> bool:
    """Whether every name is inside what is permitted and outside what is excluded.

    Names of directories, mail and hosts are compared. A constraint of another form admits no name of that form.
    """
    permitted = tuple(constraints.permitted_subtrees or ())
    excluded = tuple(constraints.excluded_subtrees or ())
    for name in _names(certificate):
        same_form = [tree for tree in permitted if type(tree) is type(name)]
        against = [tree for tree in excluded if type(tree) is type(name)]
        if (same_form or against) and not isinstance(name, _UNDERSTOOD):
            return False
        if same_form and not any(_is_inside(name, tree) for tree in same_form):
            return False
        if any(_is_inside(name, tree) for tree in against):
            return False
    return True


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    if list(certificate.subject):
        yield x509.DirectoryName(certificate.subject)
    for mail in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        yield x509.RFC822Name(str(mail.value))
    try:
        yield from certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return


def _is_inside(name: x509.GeneralName, tree: x509.GeneralName) -> bool:
    if isinstance(name, x509.DirectoryName) and isinstance(tree, x509.DirectoryName):
        inner, outer = _folded(name.value), _folded(tree.value)
        return inner[: len(outer)] == outer
    if isinstance(name, x509.RFC822Name) and isinstance(tree, x509.RFC822Name):
        return _is_mail_inside(name.value.casefold(), tree.value.casefold())
    if isinstance(name, x509.DNSName) and isinstance(tree, x509.DNSName):
        host, zone = name.value.casefold(), tree.value.casefold().removeprefix(".")
        return not zone or host == zone or host.endswith("." + zone)
    return False


def _is_mail_inside(mail: str, tree: str) -> bool:
    """A tree is a mailbox, a host, or with a leading dot everything below a host."""
    if "@" in tree:
        return mail == tree
    host = mail.rpartition("@")[2]
    return host.endswith(tree) if tree.startswith(".") else host == tree or not tree


def _folded(name: x509.Name) -> list[frozenset[tuple[str, str]]]:
    """Relative names in order, without what RFC 5280 §7.1 calls insignificant: case and runs of blanks."""
    return [
        frozenset((part.oid.dotted_string, " ".join(str(part.value).split()).casefold()) for part in rdn)
        for rdn in name.rdns
    ]
