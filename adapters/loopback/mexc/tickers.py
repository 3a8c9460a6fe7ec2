"""Tickers and funding rows, which REST and sockets share."""

from decimal import Decimal
from typing import Any

from adapters.loopback.matching.market import Market
from adapters.loopback.matching.order import ZERO, Side
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.mexc.wire import plain

FUNDING_CAP = Decimal("0.0018")
RATE_PLACES = Decimal("1E-4")
TIMEZONE = "UTC+8"


def ticker_row(venue: Venue, market: Market) -> dict[str, Any]:
    """A ticker as REST answers it. What it says of 24 hours counts from the start of the venue."""
    contract = market.contract
    day = venue.bars.since_start(market.symbol)
    last = market.last if market.last is not None else ZERO
    opened = day.first if day is not None else last
    fair = market.fair if market.fair is not None else last
    change = last - opened
    rate = (change / opened).quantize(RATE_PLACES) if opened else ZERO
    return {
        "contractId": venue.listings[market.symbol].id if market.symbol in venue.listings else 0,
        "symbol": market.symbol,
        "lastPrice": plain(last),
        "bid1": plain(market.best(Side.BUY) or ZERO),
        "ask1": plain(market.best(Side.SELL) or ZERO),
        "volume24": plain(day.vol) if day is not None else 0,
        "amount24": plain(day.turnover) if day is not None else 0,
        "holdVol": plain(market.open_interest or ZERO),
        "lower24Price": plain(day.low if day is not None else last),
        "high24Price": plain(day.high if day is not None else last),
        "riseFallRate": plain(rate),
        "riseFallValue": plain(change),
        "indexPrice": plain(market.index if market.index is not None else last),
        "fairPrice": plain(fair),
        "fundingRate": plain(market.funding.rate),
        "maxBidPrice": _on_grid(fair * (1 + contract.price_band), market),
        "minAskPrice": _on_grid(fair * (1 - contract.price_band), market),
        "timestamp": market.prints[-1].ts_ms if market.prints else venue.now_ms(),
        "riseFallRates": {"zone": TIMEZONE, "r": plain(rate), "v": plain(change)},
        "riseFallRatesOfTimezone": [plain(rate)] * 3,
    }


def ticker_push(venue: Venue, market: Market) -> dict[str, Any]:
    """The data of `push.ticker`: there the rates are a list."""
    row = ticker_row(venue, market)
    return row | {"zone": TIMEZONE, "riseFallRates": [row["riseFallRate"]] * 6}


ALL_TICKERS = (
    "amount24", "contractId", "fairPrice", "high24Price", "indexPrice", "lastPrice", "lower24Price", "maxBidPrice",
    "minAskPrice", "riseFallRate", "symbol", "timestamp", "volume24",
)  # fmt: skip


def tickers_push_row(venue: Venue, market: Market) -> dict[str, Any]:
    """A row of `push.tickers`: no best prices, open interest or funding."""
    row = ticker_row(venue, market)
    return {key: row[key] for key in ALL_TICKERS}


def funding_row(market: Market, now_ms: int) -> dict[str, Any]:
    """Funding as REST answers it."""
    row = {
        "symbol": market.symbol,
        "fundingRate": plain(market.funding.rate),
        "maxFundingRate": FUNDING_CAP,
        "minFundingRate": -FUNDING_CAP,
        "collectCycle": market.funding.interval_ms // 3_600_000,
        "nextSettleTime": market.funding.next_ms,
        "timestamp": now_ms,
    }
    if market.index is not None:
        row["idxPrice"] = plain(market.index)
    if market.fair is not None:
        row["fairPrice"] = plain(market.fair)
    return row


def _on_grid(price: Decimal, market: Market) -> Decimal:
    tick = market.contract.tick
    return plain((price / tick).to_integral_value() * tick)
