"""Looks whether the folders of the server fit together, without changing anything there."""

from __future__ import annotations

from connectors.sftp.remote import Remote, RemoteError
from connectors.sftp.settings import SftpSettings
from intermediary.connect.api import Misconfigured


def probe_folders(remote: Remote, settings: SftpSettings) -> None:
    """They are there, they can be listed, and drop and staging are on one file system (where the server says which)."""
    drop = settings.drop.partition("{mandant}")[0].rstrip("/") if "{" in settings.drop else str(settings.drop)
    places = {"drop": drop or "/", "staging": str(settings.staging)}
    if settings.acknowledgement is not None:
        places["acknowledgement.folder"] = str(settings.acknowledgement.folder)
    systems: dict[str, int | None] = {}
    for where, path in places.items():
        try:
            found = remote.facts(f"{path}/.")  # also when it is a link
            if found is None or not found.is_folder:
                raise Misconfigured("target.misconfigured", where=f"{where}: no such folder")
            remote.names(path)
            systems[where] = remote.file_system(path)
        except RemoteError as error:
            raise error.fault(where) from error
    if places["drop"] == places["staging"]:
        raise Misconfigured("target.misconfigured", where="staging: is the drop itself")
    for where, system in systems.items():
        if None not in (system, systems["staging"]) and system != systems["staging"]:
            raise Misconfigured("target.misconfigured", where=f"{where}: not on the file system of staging")
