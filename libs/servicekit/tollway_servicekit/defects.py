"""What becomes of an exception that a servicer did not mean to raise; asked by everything that runs servicers."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tollway_servicekit.errors import InternalError

if TYPE_CHECKING:
    from tollway_servicekit.contract import Method

log = logging.getLogger(__name__)


def is_asked_for(error: BaseException) -> bool:
    """Say whether this is the cancellation of the running task, not one that a handler met in something it awaited."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def unexpected(method: Method, error: BaseException) -> InternalError:
    """Log a defect with its trace and return what the caller may see of it: nothing but where it happened."""
    log.error("%s failed unexpectedly", method.path, exc_info=error)
    return InternalError("INTERNAL", f"{method.name} failed unexpectedly; the service's log has the details")
