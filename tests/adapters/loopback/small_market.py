"""A tiny exchange to work cases out by hand: contract size 1, tick 1, fees of 1/1000 and 2/1000, ten times leverage."""

from dataclasses import dataclass, field
from decimal import Decimal

from adapters.loopback.matching.account import PositionMode
from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.exchange import Exchange
from adapters.loopback.matching.ledger import FillEntry
from adapters.loopback.matching.market import Market
from adapters.loopback.matching.order import Effect, Kind, MarginMode, NewOrder, Order, SelfTrade, Side

SYMBOL = "X_USDT"
BUY, SELL = Side.BUY, Side.SELL


def contract(symbol: str = SYMBOL) -> Contract:
    return Contract(
        symbol,
        "X",
        "USDT",
        size=Decimal(1),
        tick=Decimal(1),
        max_leverage=50,
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.002"),
        price_band=Decimal("0.5"),
        market_band=Decimal("0.2"),
    )


@dataclass
class Small:
    """The exchange with an account "me" of 1,000 USDT, and a clock that only tests move."""

    now: int = 1_000
    exchange: Exchange = field(init=False)

    def __post_init__(self) -> None:
        self.exchange = Exchange(lambda: self.now)
        self.exchange.add_market(contract())
        self.account("me")

    def account(self, name: str, *, one_way: bool = False, cash: int = 1_000) -> None:
        account = self.exchange.add_account(name)
        account.position_mode = PositionMode.ONE_WAY if one_way else PositionMode.HEDGE
        self.exchange.deposit(name, "USDT", Decimal(cash))

    @property
    def market(self) -> Market:
        return self.exchange.markets[SYMBOL]

    def book(self, *, bids: dict[int, int] | None = None, asks: dict[int, int] | None = None) -> None:
        """Levels of the fed market, price to contracts, absolute."""
        rows = [(BUY, Decimal(p), Decimal(v)) for p, v in (bids or {}).items()]
        rows += [(SELL, Decimal(p), Decimal(v)) for p, v in (asks or {}).items()]
        self.exchange.feed_book(SYMBOL, rows)

    def trade(self, side: Side, price: int, vol: int) -> None:
        """A trade of the fed market."""
        self.exchange.feed_trade(SYMBOL, side, Decimal(price), Decimal(vol))

    def submit(
        self,
        side: Side,
        vol: int,
        price: int | None = None,
        *,
        effect: Effect = Effect.OPEN,
        kind: Kind | None = None,
        account: str = "me",
        leverage: int | None = 10,
        margin_mode: MarginMode = MarginMode.ISOLATED,
        client_id: str = "",
        self_trade: SelfTrade = SelfTrade.ALLOW,
        stop_loss: int | None = None,
        take_profit: int | None = None,
    ) -> Order:
        """An order; limit where a price is given, else market."""
        if kind is None:
            kind = Kind.MARKET if price is None else Kind.LIMIT
        return self.exchange.submit(
            NewOrder(
                account,
                SYMBOL,
                side,
                effect,
                kind,
                Decimal(vol),
                None if price is None else Decimal(price),
                margin_mode,
                leverage,
                client_id,
                self_trade,
                None if stop_loss is None else Decimal(stop_loss),
                None if take_profit is None else Decimal(take_profit),
            )
        )

    def fills(self, account: str | None = None) -> list[tuple[int, int]]:
        """(price, contracts) of every fill, in order."""
        return [(int(f.price), int(f.vol)) for f in self.entries(account)]

    def entries(self, account: str | None = None) -> list[FillEntry]:
        return self.exchange.ledger.fills(account)

    def levels(self, side: Side) -> dict[int, int]:
        """What is published of a side."""
        return {int(price): int(vol) for price, vol, _ in self.market.levels(side)}

    def held(self, account: str = "me") -> int:
        """Net contracts."""
        return sum(int(p.side * p.vol) for p in self.exchange.accounts[account].positions)

    def cash(self, account: str = "me") -> Decimal:
        return self.exchange.accounts[account].purses["USDT"].cash

    def available(self, account: str = "me") -> Decimal:
        return self.exchange.accounts[account].purses["USDT"].available
