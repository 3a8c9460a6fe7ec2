"""The state of a local MEXC: the engine with its contracts, keys, limits, bars, faults and log. No network here."""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from adapters.loopback.bars import BarStore
from adapters.loopback.faults import Faults
from adapters.loopback.matching.account import Account
from adapters.loopback.matching.exchange import Exchange
from adapters.loopback.matching.funding import FundingClock
from adapters.loopback.matching.market import Market, Print
from adapters.loopback.matching.order import Reason
from adapters.loopback.mexc.assumptions import Assumptions
from adapters.loopback.mexc.codes import REFUSALS, ApiError
from adapters.loopback.mexc.limits import Limiter
from adapters.loopback.mexc.listing import Listing
from adapters.loopback.mexc.signature import ApiKey
from adapters.loopback.wire_log import WireLog


class Venue:
    """Everything that requests and sockets share."""

    def __init__(
        self,
        listings: Iterable[Listing],
        *,
        assumptions: Assumptions | None = None,
        faults: Faults | None = None,
        limit_factor: int = 1,
    ) -> None:
        self.assumptions = assumptions if assumptions is not None else Assumptions()
        self.faults = faults if faults is not None else Faults()
        self.exchange = Exchange(self.now_ms)
        self.funding = FundingClock(self.exchange)
        self.listings: dict[str, Listing] = {}
        self.keys: dict[str, ApiKey] = {}
        self.limiter = Limiter(limit_factor)
        self.bars = BarStore()
        self.wire = WireLog()
        self.on_position_mode: list[Callable[[str, int], None]] = []
        self._client_ids = random.Random(0)  # noqa: S311  # ids, not secrets
        for listing in listings:
            self.list(listing)

    def now_ms(self) -> int:
        """The venue's clock (UNIX ms), wrong by what the faults say."""
        return time.time_ns() // 1_000_000 + self.faults.clock_skew_ms

    def list(self, listing: Listing) -> Market:
        """List a contract."""
        market = self.exchange.add_market(listing.contract)
        self.listings[market.symbol] = listing
        market.on_print.append(self._keep_print)
        market.on_prices.append(self._keep_prices)
        return market

    def delist(self, symbol: str) -> None:
        """Take a contract off the list: metadata forget it, orders are refused, its book is shown empty."""
        del self.listings[symbol]
        market = self.exchange.markets[symbol]
        market.contract = replace(market.contract, tradable=False)

    def add_key(self, key: ApiKey, deposits: dict[str, Decimal]) -> Account:
        """Open an account for a key with money in it; another key of the same account adds its deposits."""
        self.keys[key.key] = key
        account = self.exchange.accounts.get(key.account) or self.exchange.add_account(key.account)
        for currency, amount in deposits.items():
            self.exchange.deposit(account.id, currency, amount)
        return account

    def market(self, symbol: str) -> Market:
        """The market of a symbol in any case. Raises ApiError 1001."""
        market = self.exchange.markets.get(symbol.upper())
        if market is None:
            raise ApiError(*REFUSALS[Reason.NO_CONTRACT])
        return market

    def listing(self, symbol: str) -> Listing:
        """Raises ApiError 1001, in the words of `contract/detail`."""
        listing = self.listings.get(symbol.upper())
        if listing is None:
            raise ApiError(REFUSALS[Reason.NO_CONTRACT][0], "Contract not exists")
        return listing

    def make_client_id(self) -> str:
        """An external id as the venue makes them for orders that come without one."""
        return f"_m_{self._client_ids.getrandbits(116):029x}"

    def tell_position_mode(self, account_id: str, mode: int) -> None:
        """Tell the sockets of an account that its position mode changed."""
        for listener in self.on_position_mode:
            listener(account_id, mode)

    def _keep_print(self, market: Market, trade: Print) -> None:
        turnover = market.contract.notional(trade.price, trade.vol)
        self.bars.add(market.symbol, trade.ts_ms, trade.price, trade.vol, turnover)

    def _keep_prices(self, market: Market) -> None:
        now = self.now_ms()
        if market.fair is not None:
            self.bars.add(f"{market.symbol} fair", now, market.fair)
        if market.index is not None:
            self.bars.add(f"{market.symbol} index", now, market.index)
