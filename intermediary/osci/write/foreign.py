"""What another has written and we pass on: his content package and certificates, unchanged (§2: writers' prefixes)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509

from intermediary.osci.write.certificates import Listed
from intermediary.osci.write.markup import FIVE
from intermediary.osci.write.mime import WirePart
from intermediary.osci.write.package import Package
from intermediary.unseal.encoding import from_base64
from intermediary.unseal.nodes import attribute, local, single, text
from intermediary.unseal.osci.names import DS
from intermediary.unseal.osci.structure import CERTIFICATE_BLOCKS
from intermediary.xml.canonical import inclusive
from intermediary.xml.parser import Element, parse

_PACKAGE = re.compile(
    rb"\s*<osci:ContentPackage(?:\s[^>]*)?(?:/>|(?<!/)>(?P<inside>.*)</osci:ContentPackage\s*>)\s*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class _Foreign:
    """The inside of a ContentPackage as it was written, and in canonical form."""

    as_written: str = field(repr=False)
    canonical: str = field(repr=False)

    def xml(self, namespaces: str = FIVE) -> str:
        return self.as_written if namespaces else self.canonical


def foreign_package(package_xml: bytes, parts: Sequence[WirePart] = ()) -> Package:
    """The package from `<osci:ContentPackage` to `</osci:ContentPackage>`, its bytes kept, with its MIME parts.

    For an intermediary: it may know none of the keys. Signatures inside stay good because the package comes to stand under
    the same five declarations. `Rejected` (`xml.…`) if it is not well-formed with the prefixes of §2, ValueError if it is
    something else.
    """
    written = _PACKAGE.fullmatch(package_xml)
    if written is None:
        raise ValueError("not a content package")
    inside = written["inside"] or b""
    holder = parse(b"<osci:ContentPackage%b>%b</osci:ContentPackage>" % (FIVE.encode(), inside))
    canonical = inclusive(holder).decode()
    return Package(
        _Foreign(inside.decode(), canonical[canonical.index(">") + 1 : canonical.rindex("</")]), tuple(parts)
    )


def foreign_certificates(block_xml: bytes) -> tuple[Listed, ...]:
    """The entries of a block (Non)IntermediaryCertificates as it stood in a header, under the Ids its writer gave them."""
    block = parse(b"<holder%b>%b</holder>" % (FIVE.encode(), block_xml))[0]
    if block.tag not in CERTIFICATE_BLOCKS:
        raise ValueError("not a block of certificates")
    return tuple(_listed(entry) for entry in block)


def _listed(entry: Element) -> Listed:
    certificate = single(single(entry, f"{DS}X509Data"), f"{DS}X509Certificate")
    der = from_base64(text(certificate), where="X509Certificate")
    return Listed(local(str(entry.tag)), attribute(entry, "Id"), x509.load_der_x509_certificate(der))
