"""Markets of one asset on three venues, and the trading venues of them, for tests."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model.instruments import Instrument

from catalog.instruments import Definition
from catalog.markets import Market, MarketKind
from strategies.candidates import CandidateSettings
from strategies.minute_history import Correlations
from strategies.trading_venues import Terms, TradingVenues
from tests.strategies.conftest import listed

D = Decimal
TENTHS = Definition("BTC", "USDT", D("0.1"), D("0.001"), min_size=D("0.002"), max_size=D(500), min_notional=D(5))
BTC = listed(Market("BINANCE", MarketKind.PERP, "BTCUSDT"), TENTHS)
BYBIT = listed(Market("BYBIT", MarketKind.PERP, "BTCUSDT"), TENTHS, maker="-0.0001", taker="0.0006")
CONTRACTS = Definition("BTC", "USDT", D("0.1"), D(1), multiplier=D("0.0001"))
MEXC = listed(Market("MEXC", MarketKind.PERP, "BTC_USDT"), CONTRACTS)


def venues_of(
    cache: Any, *instruments: Instrument, correlations: Correlations | None = None, **of: Any
) -> TradingVenues:
    terms = [Terms.of(instrument, "0.005") for instrument in instruments]
    correlations = correlations or Correlations(10, 2, 0.0, 1)
    return TradingVenues(cache, {"BTC": terms}, CandidateSettings(**of), correlations, 40.0)
