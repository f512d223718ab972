"""The simulator's control API: scripts what it does next, and tells what it received; used by the checklist."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

# times, numbers and keys differ from run to run, and the length of a body is told by its digest
UNTOLD = ("number", "request_id", "received_at", "finished_at", "disconnected_at", "key_fingerprint", "output_tokens")


class Simulator:
    """Its control API, which no gateway stands before."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_simulator"

    def script(self, **order: Any) -> None:
        """Say what the next requests get: `status=529, times=2`."""
        self._ask("/script", "POST", order)

    def withdraw_scripts(self) -> None:
        self._ask("/script", "DELETE")

    def log_end(self) -> int:
        """The number that the next log entry will have."""
        entries = self._ask("/log")
        return entries[-1]["number"] + 1 if entries else 1

    def received(self, since: int) -> list[dict[str, Any]]:
        """Return what was received from `since` on, as soon as all of it is answered or left."""
        deadline = time.monotonic() + 10
        entries = self._ask(f"/log?since={since}")
        while any(entry["finished_at"] is None for entry in entries) and time.monotonic() < deadline:
            time.sleep(0.02)  # the log can be awaited for one entry, not for several
            entries = self._ask(f"/log?since={since}")
        return [_told(entry) for entry in entries]

    def _ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


def _told(entry: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in entry.items() if name not in UNTOLD}
    told["client_left"] = entry["disconnected_at"] is not None
    told["headers"] = {name: value for name, value in entry["headers"].items() if name != "content-length"}
    return told
