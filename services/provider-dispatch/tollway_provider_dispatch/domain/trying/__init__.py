"""The tries of one call: what a fault means, who is asked next, and how a stream goes on."""
