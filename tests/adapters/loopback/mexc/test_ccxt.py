"""ccxt's MEXC client trades on the local MEXC by REST."""

from decimal import Decimal
from itertools import pairwise

import pytest

ccxt = pytest.importorskip("ccxt", reason="ccxt is not installed")

from adapters.loopback.feed.synthetic import SyntheticFeed  # noqa: E402
from adapters.loopback.matching.audit import problems  # noqa: E402
from adapters.loopback.mexc.local import LocalMexc  # noqa: E402
from tests.adapters.loopback.mexc.ccxt_client import BTC, ccxt_client  # noqa: E402
from tests.adapters.loopback.mexc.client import SYMBOL, quiet_venue, run  # noqa: E402

HEDGED = {"hedged": True, "leverage": 10, "marginMode": "isolated"}


def test_it_reads_markets_books_trades_tickers_bars_and_funding() -> None:
    async def test() -> None:
        async with LocalMexc(SyntheticFeed(3, seed=1)) as venue, ccxt_client(venue) as client:
            market = client.market(BTC)
            assert (market["id"], market["contractSize"], market["linear"], market["active"]) == (
                SYMBOL, 0.0001, True, True,
            )  # fmt: skip
            assert (market["precision"]["amount"], market["precision"]["price"]) == (1.0, 0.1)
            book = await client.fetch_order_book(BTC, 5)
            assert len(book["bids"]) == len(book["asks"]) == 5
            assert book["bids"][0][0] < book["asks"][0][0]
            assert book["nonce"] <= venue.exchange.markets[SYMBOL].version
            trade = (await client.fetch_trades(BTC, limit=1))[0]
            assert trade["side"] in ("buy", "sell")
            assert trade["cost"] == pytest.approx(trade["price"] * trade["amount"] * 0.0001)
            ticker = await client.fetch_ticker(BTC)
            assert ticker["bid"] < ticker["ask"]
            assert set(await client.fetch_tickers()) == {"BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"}
            funding = await client.fetch_funding_rate(BTC)
            assert (funding["interval"], funding["symbol"]) == ("8h", BTC)
            assert len(await client.fetch_funding_rate_history(BTC, limit=5)) == 5
            bars = await client.fetch_ohlcv(BTC, "1m", limit=50)
            assert [b[0] - a[0] for a, b in pairwise(bars)] == [60_000] * (len(bars) - 1)
            assert abs(await client.fetch_time() - venue.venue.now_ms()) < 2_000

    run(test())


def test_it_places_queries_and_cancels_orders_and_reads_fills_and_positions() -> None:
    async def test() -> None:
        async with quiet_venue() as ours, ccxt_client(ours.venue) as client:
            market = await client.create_order(BTC, "market", "buy", 60, None, HEDGED)
            order = await client.fetch_order(market["id"], BTC)
            assert (order["status"], order["filled"], order["side"]) == ("closed", 60.0, "buy")
            assert Decimal(str(order["fee"]["cost"])) == Decimal("0.48000008")
            fills = await client.fetch_order_trades(market["id"], BTC)
            assert [(f["amount"], f["price"], f["takerOrMaker"]) for f in fills] == [
                (50.0, 100_000.0, "taker"),
                (10.0, 100_000.1, "taker"),
            ]
            (position,) = await client.fetch_positions()
            assert (position["side"], position["contracts"], position["marginMode"]) == ("long", 60.0, "isolated")
            assert position["leverage"] == 10
            limit = await client.create_order(
                BTC, "limit", "sell", 5, 100_005.0, HEDGED | {"clientOrderId": "from-ccxt"}
            )
            (row,) = await client.fetch_open_orders(BTC)
            assert (row["id"], row["price"], row["remaining"]) == (limit["id"], 100_005.0, 5.0)
            await client.cancel_order(limit["id"], BTC)
            assert await client.fetch_open_orders(BTC) == []
            (cancelled,) = await client.fetch_canceled_orders(BTC)
            assert cancelled["id"] == limit["id"]
            assert len(await client.fetch_my_trades(BTC)) == 2
            balance = await client.fetch_balance()
            assert balance["USDT"]["used"] == 0
            assert balance["USDT"]["free"] == pytest.approx(100_000 - 0.48000008 - 60.00001)
            await client.create_order(BTC, "market", "sell", 60, None, HEDGED | {"reduceOnly": True, "side": 4})
            assert await client.fetch_positions() == []
            assert not problems(ours.venue.exchange)

    run(test())


@pytest.mark.parametrize("mode", [False, True])
def test_it_sets_leverage_and_position_mode(*, mode: bool) -> None:
    async def test() -> None:
        async with quiet_venue() as ours, ccxt_client(ours.venue) as client:
            await client.set_position_mode(mode)
            assert (await client.fetch_position_mode())["hedged"] is mode
            await client.set_leverage(7, BTC, {"openType": 1, "positionType": 1})
            leverage = await client.fetch_leverage(BTC)
            assert (leverage["longLeverage"], leverage["shortLeverage"], leverage["marginMode"]) == (7, 20, "isolated")

    run(test())


def test_it_trades_in_one_way_mode() -> None:
    async def test() -> None:
        async with quiet_venue() as ours, ccxt_client(ours.venue) as client:
            await client.set_position_mode(hedged=False)
            one_way = {"leverage": 10, "marginMode": "isolated"}
            await client.create_order(BTC, "market", "buy", 5, None, one_way)
            await client.create_order(BTC, "market", "sell", 3, None, one_way | {"reduceOnly": True})
            (position,) = await client.fetch_positions()
            assert (position["side"], position["contracts"]) == ("long", 2.0)
            await client.create_order(BTC, "market", "sell", 4, None, one_way)
            (position,) = await client.fetch_positions()
            assert (position["side"], position["contracts"]) == ("short", 2.0)
            assert not problems(ours.venue.exchange)

    run(test())


def test_it_places_and_cancels_trigger_orders() -> None:
    async def test() -> None:
        async with quiet_venue() as ours, ccxt_client(ours.venue) as client:
            placed = await client.create_order(BTC, "market", "buy", 2, None, HEDGED | {"triggerPrice": 100_005.0})
            (row,) = await client.fetch_open_orders(BTC, params={"trigger": True})
            assert (row["id"], row["triggerPrice"]) == (placed["id"], 100_005.0)
            await client.cancel_order(placed["id"], BTC, {"trigger": True})
            assert await client.fetch_open_orders(BTC, params={"trigger": True}) == []

    run(test())


def test_it_reads_refusals_as_its_own_errors() -> None:
    async def test() -> None:
        async with quiet_venue() as ours, ccxt_client(ours.venue) as client:
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order(BTC, "limit", "buy", 4_000_000, 90_000.0, HEDGED)
            with pytest.raises(ccxt.BadSymbol):
                await client.contractPublicGetDepthSymbol({"symbol": "NOPE_USDT"})
            with pytest.raises(ccxt.InvalidOrder):
                await client.cancel_order("1", BTC)
            client.secret = client.secret[::-1]
            with pytest.raises(ccxt.ExchangeError):
                await client.fetch_balance()

    run(test())


def test_cancel_all_leaves_nothing_open() -> None:
    async def test() -> None:
        async with quiet_venue() as ours, ccxt_client(ours.venue) as client:
            for price in (90_000.0, 90_001.0):
                await client.create_order(BTC, "limit", "buy", 1, price, HEDGED)
            await client.cancel_all_orders(BTC)
            assert await client.fetch_open_orders() == []

    run(test())


def test_it_reads_what_funding_cost() -> None:
    async def test() -> None:
        async with quiet_venue() as ours, ccxt_client(ours.venue) as client:
            await client.create_order(BTC, "market", "buy", 50, None, HEDGED)
            venue = ours.venue.venue
            market = venue.exchange.markets[SYMBOL]
            market.funding.rate = Decimal("0.0001")
            venue.funding.settle(market, venue.now_ms())
            assert [row["amount"] for row in await client.fetch_funding_history(BTC)] == [-0.05]

    run(test())
