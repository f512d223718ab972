"""Which headers of a provider's answer are for the client; asked by both HTTP clients."""

from __future__ import annotations

# of the provider's own address, which the client does not talk to; those of the connection stay here anyway
_OF_ITS_ADDRESS = ("alt-svc", "clear-site-data", "date", "server", "set-cookie", "strict-transport-security")
# what this gateway tells of itself, and another one before the provider must not
_OURS = "x-gateway-*"
LEFT_OUT = (*_OF_ITS_ADDRESS, _OURS)
