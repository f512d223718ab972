"""Addresses on this machine for the processes of a topology."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

# below those that the system gives to outgoing connections: one of these could take a port before its service does
_FIRST, _LAST = 20_000, 31_999
# topologies that start at the same moment begin their search in different places
_start = _FIRST + os.getpid() * 16 % (_LAST + 1 - _FIRST)
_ports = iter([*range(_start, _LAST + 1), *range(_FIRST, _start)])


def free_address() -> str:
    """Return an address that nobody listens on, and another one each time; raises OSError where none is left."""
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return f"127.0.0.1:{port}"
    raise OSError(f"no port from {_FIRST} to {_LAST} is free")
