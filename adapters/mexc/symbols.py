"""What MEXC's markets are called: the venue's symbol on one side, Nautilus's instrument id on the other.

Contract ``BTC_USDT`` is ``BTCUSDT-PERP.MEXC``, spot ``BTCUSDT`` is ``BTCUSDT.MEXC_SPOT``: as in the catalog, so that
what is recorded and what is replayed have one name. The way back goes by the instrument's ``raw_symbol``.
"""

from nautilus_trader.model.enums import CurrencyType
from nautilus_trader.model.identifiers import ClientId, InstrumentId, Venue
from nautilus_trader.model.objects import Currency

from adapters.mexc.constants import MEXC, MEXC_SPOT
from catalog.markets import Market, MarketKind

MEXC_VENUE = Venue(MEXC)
MEXC_CLIENT_ID = ClientId(MEXC)
MEXC_SPOT_VENUE = Venue(MEXC_SPOT)
MEXC_SPOT_CLIENT_ID = ClientId(MEXC_SPOT)

_NEW_CURRENCY_PLACES = 8


def contract_id(symbol: str) -> InstrumentId:
    """The instrument id of a contract."""
    return InstrumentId.from_str(Market(MEXC, MarketKind.PERP, symbol).instrument_id)


def spot_id(symbol: str) -> InstrumentId:
    """The instrument id of a spot market."""
    return InstrumentId.from_str(Market(MEXC_SPOT, MarketKind.SPOT, symbol).instrument_id)


def currency(code: str) -> Currency:
    """The currency of that code; one that Nautilus does not know becomes a cryptocurrency of 8 places."""
    known = Currency.from_str(code, strict=False)
    return known if known is not None else Currency(code, _NEW_CURRENCY_PLACES, 0, code, CurrencyType.CRYPTO)
