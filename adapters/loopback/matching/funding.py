"""Settlement of funding: longs pay shorts a positive rate, on the worth of the position at the fair price."""

from decimal import Decimal
from itertools import count

from adapters.loopback.matching.contract import money
from adapters.loopback.matching.exchange import Exchange
from adapters.loopback.matching.ledger import Cause, FundingEntry
from adapters.loopback.matching.market import Market

FIRST_FUNDING_ID = 7_423_910


class FundingClock:
    """Settles every market when its time has come, and keeps what was settled."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._ids = count(FIRST_FUNDING_ID)
        self.settled: dict[str, list[tuple[int, Decimal]]] = {}  # by symbol: (UNIX ms, rate), oldest first

    def run(self) -> None:
        """Settle all markets that are due, once for every time that has passed."""
        for market in self._exchange.markets.values():
            while 0 < market.funding.next_ms <= self._exchange.now_ms():
                at = market.funding.next_ms
                market.funding.next_ms = at + market.funding.interval_ms
                self.settle(market, at)

    def settle(self, market: Market, at_ms: int) -> None:
        """Settle one market now, as of `at_ms`: at the fair price, or the next best known."""
        rate = market.funding.rate
        for account in self._exchange.accounts.values():
            for position in [p for p in account.positions if p.symbol == market.symbol]:
                worth = market.contract.notional(market.reference() or position.entry_price, position.vol)
                amount = money(-position.side * worth * rate)
                position.funding += amount
                position.version += 1
                position.updated_ms = at_ms
                funding_id = next(self._ids)
                self._exchange.settlement.cash(
                    account, market.contract.settle, amount, Cause.FUNDING, position.id, at_ms
                )
                self._exchange.ledger.append(
                    FundingEntry(
                        at_ms, account.id, funding_id, market.symbol, position.id, position.side, worth, rate, amount
                    )
                )
                self._exchange.ledger.position(at_ms, position)
        self.settled.setdefault(market.symbol, []).append((at_ms, rate))
        self._exchange.settle_down(market)
