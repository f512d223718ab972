"""
The errors that cross service borders; raised by domains, carried by every kind of stub, turned into HTTP by edge alone.

* ServiceError
  x InvalidRequest      INVALID_ARGUMENT      the caller must change the request
  x NotFound            NOT_FOUND             the thing named does not exist
  x Conflict            FAILED_PRECONDITION   the state of the system forbids it
  x Exhausted           RESOURCE_EXHAUSTED    a cap or limit is reached
  x Unavailable         UNAVAILABLE           nobody can serve it now; a retry may help
  x DeadlineExceeded    DEADLINE_EXCEEDED     it took longer than the caller would wait
  x InternalError       INTERNAL              a defect of ours
"""

from __future__ import annotations

from typing import ClassVar

# message and metadata travel in gRPC trailers, of which a peer takes 8 KiB
MAX_MESSAGE_CHARACTERS = 500


class ServiceError(Exception):
    """
    One failure, told the same way in a process and over the wire.

    Args:
        reason: UPPER_SNAKE, at most 63 characters; what programs decide on.
        message: What happened and what to do next, for people. Never holds secrets or prompt text.
            Cut after 500 characters.
        metadata: Facts that belong to the reason, e.g. `{"cap": "1000"}`.
    """

    code: ClassVar[str] = "UNKNOWN"

    def __init__(self, reason: str, message: str, metadata: dict[str, str] | None = None) -> None:
        if len(message) > MAX_MESSAGE_CHARACTERS:
            message = message[: MAX_MESSAGE_CHARACTERS - 1] + "…"
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = metadata or {}

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class InvalidRequest(ServiceError):
    """The caller must change the request."""

    code = "INVALID_ARGUMENT"


class NotFound(ServiceError):
    """The thing named does not exist."""

    code = "NOT_FOUND"


class Conflict(ServiceError):
    """The state of the system forbids it."""

    code = "FAILED_PRECONDITION"


class Exhausted(ServiceError):
    """A cap or limit is reached."""

    code = "RESOURCE_EXHAUSTED"


class Unavailable(ServiceError):
    """Nobody can serve it now; a retry may help."""

    code = "UNAVAILABLE"


class DeadlineExceeded(ServiceError):
    """It took longer than the caller would wait."""

    code = "DEADLINE_EXCEEDED"


class InternalError(ServiceError):
    """A defect of ours; the log of the service that raised it has the details."""

    code = "INTERNAL"


ERROR_TYPES: dict[str, type[ServiceError]] = {
    error.code: error
    for error in (InvalidRequest, NotFound, Conflict, Exhausted, Unavailable, DeadlineExceeded, InternalError)
}
