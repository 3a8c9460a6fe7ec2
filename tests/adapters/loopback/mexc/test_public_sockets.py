"""The public channels: acknowledgements, frames, versions, and how a socket ends."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.assumptions import Assumptions
from tests.adapters.loopback.mexc.client import SYMBOL, Client, quiet_venue, run

BID, ASK = Decimal("99999.9"), Decimal("100000.0")


def level(client: Client, side: Side, price: str, vol: int) -> None:
    client.venue.exchange.feed_book(SYMBOL, [(side, Decimal(price), Decimal(vol))])


def test_requests_are_acknowledged_without_naming_the_symbol_and_the_unknown_is_named_in_words() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.send({"method": "ping"})
            pong = await socket.next()
            assert (pong["channel"], pong["data"]) == ("pong", pong["ts"])
            await socket.send({"method": "sub.nonsense", "param": {"symbol": SYMBOL}})
            await socket.send({"method": "sub.depth", "param": {"symbol": "NOPE_USDT"}})
            error = await socket.next()
            assert (error["channel"], error["data"]) == ("rs.error", "Contract [NOPE_USDT] not exists")
            await socket.send({"method": "sub.depth", "param": {"symbol": SYMBOL}, "gzip": False})
            ack = await socket.next()
            assert set(ack) == {"channel", "data", "ts"}
            assert (ack["channel"], ack["data"]) == ("rs.sub.depth", "success")
            await socket.send({"method": "unsub.depth", "param": {"symbol": SYMBOL}})
            await socket.connection.send_str("no json")
            assert await socket.gather() == []

    run(test())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"method": 5}',
        '{"method": "sub.depth"}',
        '{"method": "sub.depth", "param": []}',
        '{"method": "sub.depth", "param": {"symbol": {"a": 1}}}',
        '{"method": "sub.kline", "param": {"symbol": "BTC_USDT", "interval": ["Min1"]}}',
        '{"method": "sub.depth.full", "param": {"symbol": "BTC_USDT", "limit": [5]}}',
        '{"method": "personal.filter", "param": {"filters": [5, {"filter": "order", "rules": 5}]}}',
        '{"method": "login", "param": {"apiKey": 5, "reqTime": null, "signature": []}}',
        '{"method": "ping", "param": ' + "9" * 5_000 + "}",
    ],
)
def test_a_request_that_makes_no_sense_does_no_harm(text: str) -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.connection.send_str(text)
            await socket.gather()
            await socket.subscribe("depth", symbol=SYMBOL)

    run(test())


def test_unmerged_depth_is_one_change_a_frame_with_the_next_version_each() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.subscribe("depth", symbol=SYMBOL, compress=False)
            version = client.venue.exchange.markets[SYMBOL].version
            level(client, Side.BUY, "99999.9", 7)
            level(client, Side.SELL, "100000.5", 0)
            first, second = await socket.next(), await socket.next()
            assert first["symbol"] == SYMBOL
            assert set(first["data"]) == {"cts", "asks", "bids", "version"}
            assert (first["data"]["bids"], first["data"]["asks"]) == ([[BID, 7, 1]], [])
            assert second["data"]["asks"] == [[Decimal("100000.5"), 0, 0]]
            assert [f["data"]["version"] for f in (first, second)] == [version + 1, version + 2]

    run(test())


def test_merged_depth_spans_versions_without_a_hole_and_has_each_level_once() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.subscribe("depth", symbol=SYMBOL)
            version = client.venue.exchange.markets[SYMBOL].version
            for vol in (7, 8, 9):
                level(client, Side.BUY, "99999.9", vol)
            level(client, Side.SELL, "100000.0", 3)
            first = (await socket.until("push.depth"))["data"]
            assert (first["begin"], first["end"], first["version"]) == (version + 1, version + 4, version + 4)
            assert (first["bids"], first["asks"]) == ([[BID, 9, 1]], [[ASK, 3, 1]])
            level(client, Side.BUY, "99999.9", 1)
            second = (await socket.until("push.depth"))["data"]
            assert second["begin"] == first["end"] + 1

    run(test())


def test_a_price_that_is_gone_may_come_with_an_exponent() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.subscribe("depth", symbol=SYMBOL, compress=False)
            level(client, Side.SELL, "100000.0", 0)
            await socket.next()
            assert "[[1E+5,0,0]]" in socket.texts[-1]

    run(test())


def test_merged_and_unmerged_replace_each_other_and_again_does_not_double() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            for compress in (True, False, False):
                await socket.subscribe("depth", symbol=SYMBOL, compress=compress)
            level(client, Side.BUY, "99999.9", 7)
            assert len(await socket.gather()) == 1

    run(test())


def test_what_is_rebuilt_from_snapshot_and_deltas_is_the_book() -> None:
    """The recipe of the venue: subscribe, take the snapshot, drop what is older, apply the rest in order."""

    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.subscribe("depth", symbol=SYMBOL)
            level(client, Side.BUY, "99999.9", 7)
            snapshot = (await client.get(f"depth/{SYMBOL}"))["data"]
            level(client, Side.SELL, "100000.0", 0)
            await client.order_id(1, 20)
            await client.order_id(1, 5, "99999.9")
            book = {name: {row[0]: row[1:] for row in snapshot[name]} for name in ("asks", "bids")}
            version = snapshot["version"]
            while version < client.venue.exchange.markets[SYMBOL].version:
                data = (await socket.until("push.depth"))["data"]
                if data["end"] <= version:
                    continue
                assert data["begin"] <= version + 1
                version = data["end"]
                for name, levels in book.items():
                    apply(levels, data[name])
            now = (await client.get(f"depth/{SYMBOL}"))["data"]
            assert version == now["version"]
            for name, levels in book.items():
                assert levels == {row[0]: row[1:] for row in now[name]}

    run(test())


def apply(levels: dict[Decimal, list[int]], rows: list[list[Any]]) -> None:
    for price, vol, count in rows:
        if vol:
            levels[price] = [vol, count]
        else:
            levels.pop(price, None)


def test_whole_and_bucketed_books() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.subscribe("depth.full", symbol=SYMBOL, limit=5)
            full = (await socket.until("push.depth.full"))["data"]
            assert [row[0] for row in full["bids"]] == [BID - Decimal("0.1") * n for n in range(5)]
            assert len(full["asks"]) == 5
            await socket.subscribe("depth.step", symbol=SYMBOL, step="1.0")
            frame = await socket.until("push.depth.step")
            assert "ts" not in frame
            assert frame["data"]["bids"] == [[99_999, 500, 10]]
            assert frame["data"]["asks"] == [[100_000, 50, 1], [100_001, 450, 9]]

    run(test())


def test_deals_are_a_list_and_by_default_those_of_one_price_and_side_are_one() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as merged, client.socket() as single:
            await merged.subscribe("deal", symbol=SYMBOL)
            await single.subscribe("deal", symbol=SYMBOL, compress=False)
            for side, price, vol in ((Side.SELL, BID, 2), (Side.SELL, BID, 3), (Side.BUY, ASK, 4)):
                client.venue.exchange.feed_trade(SYMBOL, side, price, Decimal(vol))
            frame = await merged.until("push.deal")
            assert [(row["p"], row["v"], row["T"]) for row in frame["data"]] == [(BID, 5, 2), (ASK, 4, 1)]
            assert set(frame["data"][0]) == {"p", "v", "T", "O", "M", "t", "i", "cts"}
            assert isinstance(frame["data"][0]["i"], str)
            frames = [await single.until("push.deal") for _ in range(3)]
            assert [(f["data"][0]["v"], len(f["data"])) for f in frames] == [(2, 1), (3, 1), (4, 1)]

    run(test())


def test_tickers_bars_reference_prices_and_funding() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            for channel in ("ticker", "index.price", "fair.price", "funding.rate"):
                await socket.subscribe(channel, symbol=SYMBOL)
            await socket.subscribe("kline", symbol=SYMBOL, interval="Min1")
            await socket.send({"method": "sub.tickers", "param": {}})
            client.venue.exchange.feed_trade(SYMBOL, Side.BUY, ASK, Decimal(4))
            client.venue.exchange.feed_prices(SYMBOL, fair=Decimal("100000.3"), index=Decimal("100000.4"))
            wanted = {"push.ticker", "push.tickers", "push.kline", "push.index.price", "push.fair.price"}
            frames = {}
            while wanted - set(frames) or "push.funding.rate" not in frames:
                frame = await socket.next()
                frames[frame["channel"]] = frame
            ticker = frames["push.ticker"]["data"]
            assert (ticker["bid1"], ticker["ask1"], len(ticker["riseFallRates"])) == (BID, ASK, 6)
            (row,) = frames["push.tickers"]["data"]
            assert not {"bid1", "ask1", "holdVol", "fundingRate"} & set(row)
            assert "symbol" not in frames["push.tickers"]
            bar = frames["push.kline"]["data"]
            assert (bar["q"], bar["a"], bar["rc"], bar["interval"], bar["t"] % 60) == (4, 40, ASK, "Min1", 0)
            assert frames["push.fair.price"]["data"] == {"symbol": SYMBOL, "price": Decimal("100000.3")}
            assert frames["push.index.price"]["data"]["price"] == Decimal("100000.4")
            assert set(frames["push.funding.rate"]["data"]) == {"symbol", "rate", "nextSettleTime"}

    run(test())


def test_a_change_of_a_contract_is_pushed_without_the_flag_that_only_rest_tells() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.send({"method": "sub.contract", "param": {}})
            await socket.until("rs.sub.contract")
            client.venue.relist(replace(client.venue.venue.listings[SYMBOL], state=4))
            data = (await socket.until("push.contract"))["data"]
            assert (data["symbol"], data["state"]) == (SYMBOL, 4)
            assert "apiAllowed" not in data
            assert (await client.create(1, 1))["code"] == 1002

    run(test())


def test_a_socket_that_never_pings_is_cut_even_while_data_flow() -> None:
    async def test() -> None:
        venue = quiet_venue(assumptions=Assumptions(ping_timeout_s=1.0))
        async with venue as client, client.socket() as silent, client.socket() as alive:
            await silent.subscribe("depth", symbol=SYMBOL, compress=False)
            cut = asyncio.create_task(silent.until_cut())
            while not cut.done():
                level(client, Side.BUY, "99999.9", client.venue.exchange.markets[SYMBOL].version % 50 + 1)
                await alive.gather()
                await asyncio.sleep(0.02)
            assert len(silent.texts) > 1
            assert await alive.gather() == []

    run(test())
