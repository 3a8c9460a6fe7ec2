"""Fuzz every parser of the adapter: ``python -m tests.adapters.mexc.fuzz --inputs 1000000 --seed 1``

An input is a damaged frame or reply, given to the parser that reads it in the running adapter. Data, nothing, or a
:class:`MexcError` that names channel and field are clean; any other exception is a finding, and is printed with its
input. Exit code 1 when there was one.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from nautilus_trader.core.data import Data
from nautilus_trader.model.data import BarType

from adapters.mexc.bars import bar, kline_rows
from adapters.mexc.book_feed import BookFeed
from adapters.mexc.envelope import judge
from adapters.mexc.errors import MexcError
from adapters.mexc.http_transport import HttpTransport
from adapters.mexc.listing import Listing
from adapters.mexc.market_feed import FeedSettings, MarketFeed
from adapters.mexc.private_stream import PrivateStream
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas import private, private_account, public_rest, public_socket
from adapters.mexc.schemas.decoding import decode, decode_any
from adapters.mexc.schemas.frame import Frame
from adapters.mexc.schemas.spot import ExchangeInfo
from adapters.mexc.socket_settings import SocketSettings
from adapters.mexc.spot import SpotFeed, SpotParser
from adapters.mexc.spot_instruments import spot_instrument
from tests.adapters.mexc.fuzz_corpus import PROTOBUF, damaged, damaged_bytes, texts
from tests.adapters.mexc.small_contracts import NOW, levels, parser, snapshot
from tests.adapters.mexc.spot_symbols import spot_symbol

BTC = "BTC_USDT"
MINUTE = BarType.from_str("BTCUSDT-PERP.MEXC-1-MINUTE-LAST-EXTERNAL")
ROWS: tuple[Any, ...] = (
    private.OrderRow, private.DealRow, private.PlanOrderRow, private.StopOrderRow, private.StopOrderPush,
    private.CreateReply, private.CancelResult, private_account.PositionRow, private_account.AssetRow,
    private_account.LeverageRow, private_account.RiskLimitPush, private_account.FeeRates, private_account.LiquidateRisk,
    private_account.PositionModePush, public_rest.ContractDetail, public_rest.Ticker, public_rest.FundingRate,
    public_rest.DepthCommit, public_socket.FullDepth, public_socket.SteppedDepth, public_rest.IndexPrice,
)  # fmt: skip


class Sink:
    """Everybody who listens: takes all, counts data, troubles and news."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def on_market_data(self, data: Data) -> None:
        self.counts["data"] += 1

    def on_spot_trade(self, tick: Data) -> None:
        self.counts["data"] += 1

    def on_feed_trouble(self, text: str) -> None:
        self.counts["trouble"] += 1

    def on_stream_trouble(self, text: str, *, news_lost: bool) -> None:
        self.counts["trouble"] += 1

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.counts.update([name])


@dataclass
class Findings:
    """What came of the inputs."""

    inputs: int = 0
    clean_errors: int = 0
    dirty: list[tuple[str, bytes, BaseException]] = field(default_factory=list)


class Targets:
    """The parsers, as they stand in the running adapter. Needs a running event loop."""

    def __init__(self) -> None:
        self.sink = Sink()
        rest = RestClient(HttpTransport("http://127.0.0.1:9"))
        settings = FeedSettings(
            socket=SocketSettings("ws://127.0.0.1:9"), max_symbols_per_socket=1, merged_depth=True, merged_trades=True,
            depth_limit=5, quiet_book_seconds=1e9, bar_grace_seconds=1e9, confirm_bars=False,
        )  # fmt: skip
        self.feed = MarketFeed(rest, settings, self.sink, lambda: NOW)
        self.feed.define(parser())
        self.feed.want_book(BTC, deltas=True, quotes=True)
        self.feed.want_bars(BTC, MINUTE)
        self.book = BookFeed(parser())
        self.listing = Listing()
        self.private = PrivateStream(self.sink)
        self.spot = SpotFeed(SocketSettings("ws://127.0.0.1:9"), 1, 100, self.sink, lambda: NOW)
        self.spot.define(SpotParser(spot_instrument(spot_symbol(), NOW)))
        self.parser = parser()

    async def stop(self) -> None:
        await self.feed.stop()

    def all(self) -> dict[str, Callable[[bytes], Any]]:
        """By name."""
        rows = {f"row.{kind.__name__}": lambda raw, kind=kind: decode_any(_data(raw), kind, "row") for kind in ROWS}
        return rows | {
            "public socket": lambda raw: self.feed.on_frame(raw, NOW),
            "private socket": lambda raw: self.private.on_frame(raw, NOW),
            "spot socket": lambda raw: self.spot.on_frame(raw, NOW),
            "live book": self._book,
            "snapshot": self._snapshot,
            "klines": self._klines,
            "deals": lambda raw: self.parser.past_trades(decode(_data(raw), list[public_rest.Deal], "deals"), NOW),
            "funding": lambda raw: self.parser.funding_now(decode(_data(raw), public_rest.FundingRate, "f"), NOW),
            "history": self._history,
            "listing": lambda raw: self.listing.take_all(_data(raw), NOW),
            "spot symbols": self._spot_symbols,
            "envelope": lambda raw: judge("order/create", 200, raw),
        }

    def _book(self, raw: bytes) -> None:
        if self.book.wants_snapshot:
            self.book.on_snapshot(snapshot(8752807940, bids=levels(("1", 1)), asks=levels(("99999", 1))), NOW)
        head = decode(raw, Frame, "frame")
        try:
            self.book.on_update(decode(head.data, public_socket.DepthUpdate, "push.depth"), head.ts, NOW)
        except MexcError:
            self.book.lost(NOW)
            raise

    def _snapshot(self, raw: bytes) -> None:
        self.parser.book(decode(_data(raw), public_rest.DepthSnapshot, "depth"), NOW)

    def _klines(self, raw: bytes) -> None:
        for row in kline_rows(decode(_data(raw), public_rest.Klines, "kline")):
            bar(row, MINUTE, 60, self.parser, NOW)

    def _history(self, raw: bytes) -> None:
        for row in decode(_data(raw), public_rest.FundingHistory, "history").result_list:
            self.parser.settled_funding(row, NOW)

    def _spot_symbols(self, raw: bytes) -> None:
        for row in decode(raw, ExchangeInfo, "exchangeInfo").symbols:
            spot_instrument(row, NOW)


def _data(raw: bytes) -> bytes:
    """What is inside ``data``, of a reply or a frame; the whole when there is none."""

    class Outer(msgspec.Struct):
        data: msgspec.Raw = msgspec.Raw()

    try:
        return bytes(msgspec.json.decode(raw, type=Outer).data) or raw
    except (msgspec.DecodeError, UnicodeDecodeError):
        return raw


async def run(inputs: int, seed: int) -> Findings:
    """Feed so many inputs, each to one target."""
    rng = random.Random(seed)
    targets = Targets()
    calls = list(targets.all().items())
    corpus = texts()
    findings = Findings()
    while findings.inputs < inputs:
        name, call = calls[findings.inputs % len(calls)]
        if name == "spot socket" and rng.random() < 0.8:
            raw = damaged_bytes(rng.choice(PROTOBUF), rng)
        else:
            raw = damaged(rng.choice(corpus), rng)
        findings.inputs += 1
        try:
            call(raw)
        except MexcError:
            findings.clean_errors += 1
        except Exception as error:  # noqa: BLE001  # anything else is what is looked for
            findings.dirty.append((name, raw, error))
        if findings.inputs % 1_000 == 0:
            await asyncio.sleep(0)
    await targets.stop()
    findings.clean_errors += targets.sink.counts["trouble"]
    return findings


def main() -> int:
    """The command."""
    arguments = argparse.ArgumentParser(description="Fuzz the parsers of the MEXC adapter.")
    arguments.add_argument("--inputs", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    begun = time.monotonic()
    findings = asyncio.run(run(chosen.inputs, chosen.seed))
    seconds = time.monotonic() - begun
    for name, raw, error in findings.dirty[:20]:
        print(f"{name}: {error!r}\n  {raw[:500]!r}")
    print(
        f"{findings.inputs} inputs in {seconds:.0f} s: {findings.clean_errors} clean errors, "
        f"{len(findings.dirty)} other exceptions"
    )
    return 1 if findings.dirty else 0


if __name__ == "__main__":
    sys.exit(main())
