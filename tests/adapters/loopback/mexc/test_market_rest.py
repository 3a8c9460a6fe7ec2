"""The public endpoints: what they say, of one contract and of all, and of what is not there."""

from decimal import Decimal

from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.local import LocalMexc
from tests.adapters.loopback.mexc.client import SYMBOL, client_of, quiet_venue, run


def test_the_clock_and_the_contracts() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            before = client.venue.venue.now_ms()
            assert before <= (await client.get("ping"))["data"] <= client.venue.venue.now_ms()
            every = (await client.get("detail"))["data"]
            assert [row["symbol"] for row in every] == ["BTC_USDT", "ETH_USDT"]
            one = (await client.get("detail", symbol=SYMBOL))["data"]
            assert one == every[0]
            assert (one["contractSize"], one["priceUnit"], one["volUnit"]) == (Decimal("0.0001"), Decimal("0.1"), 1)
            assert (one["state"], one["apiAllowed"], one["priceScale"]) == (0, True, 1)
            assert (await client.get("support_currencies"))["data"] == ["USDT"]

    run(test())


def test_an_unknown_contract_is_an_answer_with_code_1001() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            for path in ("depth/NOPE_USDT", "deals/NOPE_USDT", "funding_rate/NOPE_USDT", "kline/NOPE_USDT"):
                assert (await client.get(path))["code"] == 1001
            assert (await client.get("detail", symbol="NOPE_USDT"))["message"] == "Contract not exists"

    run(test())


def test_a_delisted_contract_is_gone_from_the_list_while_its_book_answers_empty() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            client.venue.venue.delist("ETH_USDT")
            assert len((await client.get("detail"))["data"]) == 1
            assert (await client.get("detail", symbol="ETH_USDT"))["code"] == 1001
            book = (await client.get("depth/ETH_USDT"))["data"]
            assert (book["asks"], book["bids"]) == ([], [])
            answer = await client.create(1, 1, symbol="ETH_USDT")
            assert answer["code"] == 1002

    run(test())


def test_books_are_best_first_with_price_contracts_and_orders() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 3, "99999.9")
            book = (await client.get("depth/btc_usdt", limit=2))["data"]
            assert book["bids"] == [[Decimal("99999.9"), 53, 2], [Decimal("99999.8"), 50, 1]]
            assert [row[0] for row in book["asks"]] == [Decimal(100_000), Decimal("100000.1")]
            assert book["cts"] is None
            assert book["version"] == client.venue.exchange.markets[SYMBOL].version

    run(test())


def test_commits_are_newest_first_one_change_each() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            await client.order_id(1, 3, "99999.9")
            await client.order_id(3, 2, "100000.0")
            commits = (await client.get(f"depth_commits/{SYMBOL}/2"))["data"]
            assert [(c["asks"], c["bids"]) for c in commits] == [
                ([[100_000, 52, 2]], []),
                ([], [[Decimal("99999.9"), 53, 2]]),
            ]
            assert commits[0]["version"] == commits[1]["version"] + 1

    run(test())


def test_deals_are_newest_first() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            client.venue.exchange.feed_trade(SYMBOL, Side.SELL, Decimal("99999.9"), Decimal(4))
            await client.order_id(1, 7)
            rows = (await client.get(f"deals/{SYMBOL}", limit=5))["data"]
            assert [(row["p"], row["v"], row["T"]) for row in rows] == [(100_000, 7, 1), (Decimal("99999.9"), 4, 2)]
            assert set(rows[0]) == {"p", "v", "T", "O", "M", "t"}

    run(test())


def test_ticker_funding_and_reference_prices() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            market = client.venue.exchange.markets[SYMBOL]
            market.funding.rate = Decimal("0.000067")
            market.open_interest = Decimal(123)
            client.venue.exchange.feed_trade(SYMBOL, Side.BUY, Decimal(100_000), Decimal(2))
            ticker = (await client.get("ticker", symbol=SYMBOL))["data"]
            assert (ticker["bid1"], ticker["ask1"], ticker["lastPrice"]) == (Decimal("99999.9"), 100_000, 100_000)
            assert (ticker["volume24"], ticker["amount24"], ticker["holdVol"]) == (2, 20, 123)
            assert isinstance(ticker["riseFallRates"], dict)
            assert len((await client.get("ticker"))["data"]) == 2
            funding = (await client.get(f"funding_rate/{SYMBOL}"))["data"]
            assert (funding["fundingRate"], funding["collectCycle"]) == (Decimal("0.000067"), 8)
            assert funding["nextSettleTime"] == market.funding.next_ms
            assert len((await client.get("funding_rate"))["data"]) == 2
            assert (await client.get(f"index_price/{SYMBOL}"))["data"]["indexPrice"] == 100_001
            assert (await client.get(f"fair_price/{SYMBOL}"))["data"]["fairPrice"] == 100_000

    run(test())


def test_bars_are_columns_of_which_the_last_is_in_progress() -> None:
    async def test() -> None:
        async with LocalMexc(SyntheticFeed(1, seed=3)) as venue, client_of(venue) as client:
            now_s = venue.venue.now_ms() // 1000
            columns = (await client.get(f"kline/{SYMBOL}", interval="Min1", start=now_s - 600))["data"]
            assert len({len(column) for column in columns.values()}) == 1
            assert columns["time"] == list(range(columns["time"][0], columns["time"][-1] + 1, 60))
            assert columns["time"][-1] == now_s // 60 * 60
            assert columns["open"][1:] == columns["close"][:-1]
            hours = (await client.get(f"kline/{SYMBOL}", interval="Min60"))["data"]
            assert all(start % 3600 == 0 for start in hours["time"])
            assert len((await client.get(f"kline/{SYMBOL}"))["data"]["time"]) == 2000
            assert (await client.get(f"kline/{SYMBOL}", interval="Min2"))["code"] == 600

    run(test())


def test_settled_funding_comes_page_by_page_newest_first() -> None:
    async def test() -> None:
        async with LocalMexc(SyntheticFeed(1, seed=3)) as venue, client_of(venue) as client:
            first = (await client.get("funding_rate/history", symbol=SYMBOL, page_num=1, page_size=3))["data"]
            second = (await client.get("funding_rate/history", symbol=SYMBOL, page_num=2, page_size=3))["data"]
            times = [row["settleTime"] for row in first["resultList"] + second["resultList"]]
            assert times == sorted(times, reverse=True)
            assert len(set(times)) == 6
            assert (first["totalCount"], first["totalPage"], first["currentPage"]) == (40, 14, 1)

    run(test())
