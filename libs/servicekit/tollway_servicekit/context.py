"""What rides along with a call between services: workspace, trace, deadline. Read and written only in this library."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import msgspec

Metadata = tuple[tuple[str, str], ...]

WORKSPACE_KEY = "x-tollway-workspace"
TRACE_KEY = "traceparent"


class CallContext(msgspec.Struct, frozen=True):
    """The second argument of every servicer method, whatever kind of stub called it."""

    workspace: str = ""
    traceparent: str = ""
    deadline: float = math.inf
    """In `time.monotonic()`; infinite where the caller set none."""
    hand_on: Callable[[Any], bool] | None = None
    """
    Sends one more item of a stream at once, while its next one is awaited; None where only `yield` does.

    No: it is sent, but its reader is behind, and the next item is to be yielded, which waits for the reader.
    """

    beside: memoryview | None = None
    """
    The request's long field, which its message then lacks; it lies where it was read.

    Only for a method whose contract names such a field, and where it came at the request's end; else None.
    """

    @classmethod
    def read(cls, metadata: object, timeout: float | None, hand_on: Callable[[Any], bool] | None = None) -> CallContext:
        """Take workspace and trace from a call's metadata (pairs of strings), the deadline from its timeout."""
        workspace = trace = ""
        for key, value in metadata or ():  # type: ignore[attr-defined]
            if key == WORKSPACE_KEY:
                workspace = value
            elif key == TRACE_KEY:
                trace = value
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        return cls(workspace, trace, deadline, hand_on)

    def metadata(self) -> Metadata:
        """Metadata for calls made on behalf of this one."""
        return call_metadata(self.workspace, self.traceparent)

    def time_remaining(self) -> float | None:
        """Seconds until the deadline, never negative; None where there is none."""
        if self.deadline == math.inf:
            return None
        return max(0.0, self.deadline - time.monotonic())


def call_metadata(workspace: str, traceparent: str = "") -> Metadata:
    if traceparent:
        return ((WORKSPACE_KEY, workspace), (TRACE_KEY, traceparent))
    return ((WORKSPACE_KEY, workspace),)
