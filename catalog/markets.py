"""What a market is called: the venue's own symbol on one side, the instrument id of the catalog on the other."""

from dataclasses import dataclass
from enum import StrEnum


class MarketKind(StrEnum):
    SPOT = "spot"
    PERP = "perp"


@dataclass(frozen=True)
class Market:
    """One instrument on one venue.

    `venue` is the Nautilus venue: ``BINANCE`` (USDT-M futures), ``BINANCE_SPOT``, ``BINANCE_COINM``, ``BYBIT`` (linear
    and spot, told apart by suffix as Nautilus's adapter does), ``MEXC``, ``MEXC_SPOT``. `symbol` is the venue's own,
    for example ``BTCUSDT``, ``TRXUSD_PERP`` or ``BTC_USDT``. `inverse` markets count in contracts of quote currency.
    """

    venue: str
    kind: MarketKind
    symbol: str
    inverse: bool = False

    @property
    def instrument_id(self) -> str:
        """The Nautilus instrument id, as its adapters would name it: ``BTCUSDT-PERP.BINANCE``."""
        if self.venue == "BYBIT":
            suffix = "-SPOT" if self.kind is MarketKind.SPOT else "-INVERSE" if self.inverse else "-LINEAR"
            return f"{self.symbol}{suffix}.{self.venue}"
        if self.kind is MarketKind.SPOT:
            return f"{self.symbol}.{self.venue}"
        return f"{self.symbol.removesuffix('_PERP').replace('_', '')}-PERP.{self.venue}"
