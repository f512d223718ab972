"""What tokens cost: dated, banded price rows and the one sum over them; used by metering (bills) and edge (savings)."""

from tollway_pricing.load import load_prices
from tollway_pricing.table import SIMULATOR_PROVIDER, PriceRow, PriceTable

__all__ = ["SIMULATOR_PROVIDER", "PriceRow", "PriceTable", "load_prices"]
