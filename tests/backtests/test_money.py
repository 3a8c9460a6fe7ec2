"""Money is conserved: over random markets and strategies the books, the engine and plain cash flows agree."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import numpy as np
import pytest
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled

from backtests.profile import Profile, load_profile
from catalog.markets import Market, MarketKind
from catalog.sample_market import write_sample_market
from catalog.store import Catalog
from tests.backtests.conftest import T0
from tests.backtests.scripted import Played, Trader, play

MARKETS = {
    Market("BINANCE", MarketKind.PERP, "BTCUSDT"): 0.05,  # a usual size, in the venue's units
    Market("BYBIT", MarketKind.PERP, "BTCUSDT"): 0.05,
    Market("MEXC", MarketKind.PERP, "BTC_USDT"): 500,
}
BEFORE_FUNDING = 1_767_571_200_000_000_000 + 8 * 3_600_000_000_000 - 120_000_000_000  # two minutes before 08:00 UTC
UNIT = Decimal("0.00000001")
SEEDS = range(12)


def random_script(seed: int) -> list[tuple[int, Callable[[Trader], None]]]:
    """Market, limit and stop orders of random sides and sizes on three venues, and cancels, for four minutes."""
    rng = np.random.default_rng(seed)
    script: list[tuple[int, Callable[[Trader], None]]] = []
    for number, second in enumerate(np.sort(rng.uniform(5, 235, size=60))):
        market = list(MARKETS)[int(rng.integers(3))]
        act = _random_act(market, number, rng.uniform(), rng.uniform(), float(rng.lognormal(0, 1)))
        script.append(((BEFORE_FUNDING - T0) // 1_000 + round(second * 1e6), act))
    return script


def _random_act(market: Market, number: int, what: float, where: float, large: float) -> Callable[[Trader], None]:
    def act(trader: Trader) -> None:
        quote = trader.quote(market)
        side = "buy" if where < 0.5 else "sell"
        instrument = trader.venues[market.venue].client.markets
        tick, step = next((m.rules.tick, m.rules.step) for m in instrument.values())
        size = str(max(step, (Decimal(MARKETS[market] * large) / step).to_integral_value() * step))
        away = Decimal(round(where * 20)) * tick
        if what < 0.5:
            trader.order(f"market {number}", market, side, size, ioc=what < 0.4)
        elif what < 0.75:
            price = quote.bid - away if side == "buy" else quote.ask + away
            trader.order(f"limit {number}", market, side, size, price=str(price))
        elif what < 0.9:
            trigger = quote.ask + away + tick if side == "buy" else quote.bid - away - tick
            trader.order(f"stop {number}", market, side, size, trigger=str(trigger))
        else:
            for order in trader.sent.values():
                if order.is_open and order.instrument_id.value == market.instrument_id:
                    trader.cancel_order(order)

    return act


def profile(seed: int) -> Profile:
    """Accounts of 60 to 20,000 USDT: some are liquidated; isolated and cross margin in turn."""
    base = load_profile()
    rng = np.random.default_rng(seed + 1_000)
    changed = {
        "starting_balance": Decimal(int(np.exp(rng.uniform(np.log(60), np.log(20_000))))),
        "leverage": Decimal(int(rng.choice([5, 20, 100]))),
        "margin_mode": "cross" if seed % 2 else "isolated",
    }
    return base.model_copy(update={"venues": {n: v.model_copy(update=changed) for n, v in base.venues.items()}})


def cash(played: Played, venue: str) -> Decimal:
    """What is left of the start after paying for all that was bought and sold, with fees, funding and what is held."""
    client = played.venues[venue].client
    total = client.ledger.start
    for order in played.engine.cache.orders():
        terms = client.markets.get(order.instrument_id)
        for event in order.events:
            if terms is not None and isinstance(event, OrderFilled):
                side = 1 if event.order_side == OrderSide.BUY else -1
                size = side * event.last_qty.as_decimal() * terms.rules.multiplier
                total -= size * event.last_px.as_decimal() + event.commission.as_decimal()
    total += sum((p.amount for p in played.venues[venue].payments), Decimal(0))
    for position in played.engine.cache.positions_open():
        terms = client.markets.get(position.instrument_id)
        mark = client.mark(position.instrument_id)
        if terms is not None and mark is not None:
            total += Decimal(str(position.signed_qty)) * terms.rules.multiplier * mark
    return total


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Played]]:
    """Twelve random strategies on markets of their own."""
    made = []
    for seed in SEEDS:
        root = tmp_path_factory.mktemp("money") / "catalog"
        write_sample_market(root, seed=seed, hours=1 / 15, assets=1, start_ns=BEFORE_FUNDING)
        made.append(play(Catalog(root), profile(seed), *random_script(seed)))
    yield made
    for played in made:
        played.engine.dispose()


@pytest.mark.parametrize("seed", SEEDS)
def test_money_is_conserved(seed: int, outcomes: list[Played]) -> None:
    """Start, realised, open, fees and funding are the equity, and that is what plain cash flows leave."""
    played = outcomes[seed]
    assert len(played.fills) > 3
    for name, venue in played.venues.items():
        books = venue.ledger
        equity = books.start + books.realised - books.fees + books.funding + venue.open_profit()
        assert abs(equity - cash(played, name)) < UNIT / 1_000, name
        # the engine rounds each fill's profit to the currency's last unit; the books do not round
        assert abs(played.balance(name) - books.balance) <= UNIT * max(1, books.fills) / 2, name


def test_the_random_strategies_meet_everything(outcomes: list[Played]) -> None:
    """Among them there are settlements, liquidations, refusals and open positions at the end."""
    venues = [venue for played in outcomes for venue in played.venues.values()]
    assert sum(len(v.payments) for v in venues) > 10
    assert sum(len(v.liquidations) for v in venues) > 0
    assert sum(sum(v.client.refusals.values()) for v in venues) > 10
    assert sum(len(v.ledger.open_holdings()) for v in venues) > 10
