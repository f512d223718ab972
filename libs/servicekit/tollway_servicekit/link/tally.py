"""What links did, counted in plain integers; `Links` keeps one for a peer service, and metrics read it now and then."""

from __future__ import annotations


class Tally:
    """Sums over all links to one service since the process began."""

    __slots__ = ("breaks", "calls", "frames", "large", "messages", "opened")

    def __init__(self) -> None:
        self.calls = 0
        """Calls that were started on links."""
        self.frames = 0
        self.messages = 0
        """Messages that the frames left in."""
        self.large = 0
        """Calls with a large request: in a write of its own, or an RPC where the peer is of an older release."""
        self.opened = 0
        """Links that were opened."""
        self.breaks = 0
        """Links that ended though nobody meant them to."""
