"""Which headers of a provider's answer are for the client; asked by both HTTP clients."""

from __future__ import annotations

# of the provider's own address, which the client does not talk to; those of the connection stay here anyway
LEFT_OUT = ("alt-svc", "clear-site-data", "date", "server", "set-cookie", "strict-transport-security")
