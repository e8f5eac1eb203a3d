"""The exceptions of CMIS with their HTTP statuses (CMIS 1.1, 2.2.1.4 and 5.2.10.2)."""

from __future__ import annotations

STATUS = {
    "constraint": 409,
    "contentAlreadyExists": 409,
    "filterNotValid": 400,
    "invalidArgument": 400,
    "nameConstraintViolation": 409,
    "notSupported": 405,
    "objectNotFound": 404,
    "permissionDenied": 403,
    "runtime": 500,
    "storage": 500,
    "streamNotSupported": 403,
    "updateConflict": 409,
    "versioning": 409,
}


class CmisError(Exception):
    """A refusal by its name; nothing was done."""

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(message or name)
        self.name = name
        self.status = STATUS[name]
