"""Where a schemaLocation leads: to a file of an installed package, or nowhere. Nothing is ever fetched."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from urllib.parse import unquote

from intermediary.core.faults import Misconfigured
from intermediary.validate.package import Package, Packages

Place = tuple[Package, str]
NamespaceOf = Callable[[Package, str], str]


class Locator:
    """Finds the file that an import, include or redefine means.

    In this order: the relative path inside the package; a URL or path that the package or one it requires declares
    under `locations`; a file of the same name and the right namespace in them (publishers rewrite locations, namespaces
    are what counts). Files outside the packages in reach do not exist here.
    """

    def __init__(self, packages: Packages, namespace_of: NamespaceOf) -> None:
        self._packages = packages
        self._namespace_of = namespace_of

    def find(self, package: Package, path: str, location: str, namespace: str) -> Place | None:
        """The file meant by `location` in `path` of `package`; None if the manifest says it is absent and not needed.

        `namespace` is the target namespace the file must have. Raises `Misconfigured`: `validate.schema.forbidden` for
        a location that names a file system or protocol, `validate.schema.import` for one that no package in reach has.
        """
        where = f"{package.id} {path}"
        location = location.strip()
        _check(location, where)
        if "://" not in location:
            inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), location))
            for candidate in (inside, unquote(inside)):
                if candidate in package.files:
                    return package, candidate
        reach = self._packages.within_reach(package)
        for one in reach:
            for known, target in one.manifest.locations.items():
                if location_key(known) == location_key(location) and target in one.files:
                    return one, target
        if location in package.manifest.absent:
            return None
        return self._by_name(reach, location, namespace, where)

    def _by_name(self, reach: list[Package], location: str, namespace: str, where: str) -> Place:
        name = unquote(posixpath.basename(location))
        for one in reach:
            found = [
                path
                for path in one.files.listing.hashes
                if name and posixpath.basename(path) == name and self._namespace_of(one, path) == namespace
            ]
            if len({one.files.listing.hashes[path] for path in found}) == 1:
                return one, found[0]
        raise Misconfigured("validate.schema.import", where=f"{where}: {location[:200]}")


def location_key(location: str) -> str:
    """What two spellings of one location have in common: no scheme, no `www.`, no fragment."""
    scheme, separator, rest = location.partition("://")
    if not separator:
        return location
    return rest.split("#", 1)[0].removeprefix("www.") if scheme in ("http", "https") else location


def _check(location: str, where: str) -> None:
    scheme = location.partition(":")[0] if ":" in location else ""
    if (scheme and scheme not in ("http", "https")) or location.startswith("/") or "\\" in location or not location:
        raise Misconfigured("validate.schema.forbidden", where=f"{where}: location")
