"""Why a bench ends without figures; raised anywhere, printed by `__main__`."""


class BenchFailed(Exception):
    """A figure would not mean what the table says."""
