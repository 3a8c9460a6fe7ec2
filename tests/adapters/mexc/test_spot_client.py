"""The spot client in a running node: instruments and trades from a scripted venue."""

import asyncio
from typing import Any

import msgspec
from aiohttp import WSMsgType, web
from nautilus_trader.config import InstrumentProviderConfig, LoggingConfig, StrategyConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from adapters.mexc.config import MexcSpotDataClientConfig
from adapters.mexc.factories import MexcSpotLiveDataClientFactory
from tests.adapters.mexc.local_venue import run, serving
from tests.adapters.mexc.protobuf_frames import deal_bytes, frame_bytes

BTC = InstrumentId.from_str("BTCUSDT.MEXC_SPOT")
DEALS = "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"


class SpotVenue:
    """Lists three symbols; sends a trade for every subscription, with JSON around it as the venue does."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.sent = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v3/exchangeInfo":
            row = {"status": "1", "baseAssetPrecision": 8, "quotePrecision": 2, "baseSizePrecision": "0.000001"}
            rows = [
                row | {"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT"},
                row | {"symbol": "ETHUSDT", "baseAsset": "ETH", "quoteAsset": "USDT", "status": "2"},
                row | {"symbol": "BADUSDT", "baseAsset": "BAD", "quoteAsset": "USDT", "quotePrecision": 99},
            ]
            return web.json_response({"symbols": rows})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                asked = msgspec.json.decode(message.data)
                self.asked.append(asked)
                if asked["method"] == "SUBSCRIPTION":
                    await socket.send_str('{"id":0,"code":0,"msg":"' + asked["params"][0] + '"}')
                    for number in range(3):
                        trade = deal_bytes(
                            "93220.00", "0.04", 2 - number % 2, 1_736_409_765_051 + number, f"id-{number}"
                        )
                        await socket.send_bytes(frame_bytes(trade))
        return socket


class Taker(Strategy):
    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.ticks: list[TradeTick] = []

    def on_start(self) -> None:
        self.subscribe_trade_ticks(BTC)

    def on_trade_tick(self, tick: TradeTick) -> None:
        self.ticks.append(tick)


def test_spot_trades_reach_a_strategy() -> None:
    """Enabled symbols become instruments; trades come in base units with the taker's side."""

    async def story() -> None:
        venue = SpotVenue()
        async with serving(venue.handle) as address:
            client = MexcSpotDataClientConfig(
                base_url_http=f"http://{address}",
                base_url_ws=f"ws://{address}/ws",
                instrument_provider=InstrumentProviderConfig(load_all=True),
            )
            config = TradingNodeConfig(
                trader_id="TESTER-SPOT",
                logging=LoggingConfig(log_level="OFF"),
                data_clients={"MEXC_SPOT": client},
                timeout_post_stop=0.1,
            )
            node = TradingNode(config, loop=asyncio.get_running_loop())
            node.add_data_client_factory("MEXC_SPOT", MexcSpotLiveDataClientFactory)
            node.build()
            taker = Taker(StrategyConfig(strategy_id="TAKER-1"))
            node.trader.add_strategy(taker)
            task = asyncio.create_task(node.run_async())
            while len(taker.ticks) < 3:
                await asyncio.sleep(0.01)
            assert [i.id.value for i in node.cache.instruments()] == ["BTCUSDT.MEXC_SPOT"]
            assert [TradeTick.to_dict(t)["aggressor_side"] for t in taker.ticks] == ["SELLER", "BUYER", "SELLER"]
            assert (str(taker.ticks[0].price), str(taker.ticks[0].size)) == ("93220.00", "0.04000000")
            taker.unsubscribe_trade_ticks(BTC)
            wanted = {"method": "SUBSCRIPTION", "params": [DEALS]}
            assert wanted in venue.asked
            assert {"method": "PING"} in venue.asked
            await node.stop_async()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(story())
