"""The running venue: many markets at once, a feed faster than real, and the command."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.local import LocalMexc
from adapters.loopback.serve import app
from tests.adapters.loopback.mexc.client import SYMBOL, client_of, run, soon

ROOT = Path(__file__).parents[4]


def test_a_hundred_and_fifty_contracts_on_one_socket() -> None:
    async def test() -> None:
        async with LocalMexc(SyntheticFeed(150, seed=1)) as venue, client_of(venue) as client:
            symbols = [row["symbol"] for row in (await client.get("detail"))["data"]]
            assert len(symbols) == 150
            async with client.socket() as socket:
                for symbol in symbols:
                    await socket.send({"method": "sub.depth", "param": {"symbol": symbol}})
                ends: dict[str, int] = {}
                while len(ends) < 150:
                    frame = await socket.next()
                    if frame["channel"] == "push.depth":
                        data = frame["data"]
                        assert ends.get(frame["symbol"], data["begin"] - 1) == data["begin"] - 1
                        ends[frame["symbol"]] = data["end"]

    run(test())


def test_orders_trade_with_a_moving_market_and_everything_still_adds_up() -> None:
    async def test() -> None:
        feed = SyntheticFeed(1, seed=6, rate=300.0)
        async with LocalMexc(feed, limit_factor=100) as venue, client_of(venue) as client:
            for number in range(20):
                side = (Side.BUY, Side.SELL)[number % 2]
                price = venue.exchange.markets[SYMBOL].best(side)
                await client.order_id(1 if side is Side.BUY else 3, 5, str(price))
                await asyncio.sleep(0.01)
            await soon(lambda: any(fill.maker for fill in venue.ledger.fills()))
            assert not problems(venue.exchange)

    run(test())


def test_a_paused_feed_stands_still() -> None:
    async def test() -> None:
        async with LocalMexc(SyntheticFeed(1, seed=1, rate=500.0)) as venue:
            assert venue.driver is not None
            venue.driver.paused = True
            await asyncio.sleep(0.05)
            version = venue.exchange.markets[SYMBOL].version
            await asyncio.sleep(0.1)
            assert venue.exchange.markets[SYMBOL].version == version

    run(test())


def test_it_listens_on_this_machine_only_and_frees_its_port() -> None:
    async def test() -> None:
        async with LocalMexc(SyntheticFeed(1)) as venue:
            assert venue.rest_url.startswith("http://127.0.0.1:")
            url = venue.rest_url
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"{url}/api/v1/contract/ping")

    run(test())


def test_the_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "adapters/loopback/serve.py"), "mexc", "--symbols", "2", "--port", "0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603  # our own script
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]

        async def ping() -> bool:
            async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v1/contract/ping") as answer:
                body = await answer.json()
                return bool(body["success"])

        assert run(ping())
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--fault", "NOPE=1"), "NOPE"), (("--symbols", "0"), "at least one"), (("--catalog", "nowhere"), "nowhere")],
)
def test_the_command_says_what_is_wrong(
    options: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["mexc", "--port", "0", *options])
    assert done.exit_code == 2
    assert said in done.stderr
