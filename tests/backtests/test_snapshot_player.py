"""Snapshots of a file in a real engine: the same ones at the same times as from the actor that they came from."""

import tomllib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nautilus_trader.common.actor import Actor
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.instruments import Instrument

from backtests.snapshot_file import Origin, SnapshotFileError, SnapshotWriter
from backtests.snapshot_player import SnapshotPlayer, SnapshotPlayerConfig
from catalog.data_types import FlowSnapshotData, ScanData
from catalog.instruments import Definition
from catalog.markets import Market, MarketKind
from strategies.features import FlowSnapshot
from strategies.flow_actor import SCANS, SNAPSHOTS, FlowActor, FlowActorConfig
from tests.backtests.conftest import LIVELY
from tests.strategies.conftest import Stage, at, book_frame, listed, print_of, snapshot_of

TENTH, THOUSANDTH = Decimal("0.1"), Decimal("0.001")
BTC, ETH = (
    listed(Market("BINANCE", MarketKind.PERP, f"{base}USDT"), Definition(base, "USDT", TENTH, THOUSANDTH))
    for base in ("BTC", "ETH")
)
FLOW = tomllib.loads(LIVELY)["flow"] | {"scan_seconds": 2}

OVER = "scan over"

type Heard = list[tuple[int, str, int, bytes]]  # when, of which asset, stamped when, and the values


class Listener(Actor):
    """Notes when each snapshot came and each scan was over, and between which prints."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        super().__init__()
        self._instruments = instruments
        self.heard: Heard = []

    def on_start(self) -> None:
        self.subscribe_data(SNAPSHOTS)
        self.subscribe_data(SCANS)
        for instrument in self._instruments:
            self.subscribe_trade_ticks(instrument.id)

    def on_trade_tick(self, tick: TradeTick) -> None:
        self.heard.append((self.clock.timestamp_ns(), "print", tick.ts_init, b""))

    def on_data(self, data: Any) -> None:
        if isinstance(data, FlowSnapshotData):
            one = data.snapshot
            self.heard.append((self.clock.timestamp_ns(), one.asset, one.ts, one.values.tobytes()))
        elif isinstance(data, ScanData):
            self.heard.append((self.clock.timestamp_ns(), OVER, data.ts_event, b""))

    @property
    def snapshots(self) -> list[tuple[int, str, int]]:
        """When, of which asset, stamped when."""
        return [(when, name, ts) for when, name, ts, _ in self.heard if name not in ("print", OVER)]


@pytest.fixture
def stage() -> Iterator[Stage]:
    """One engine with both markets, disposed of at the end."""
    one = Stage((BTC, ETH))
    yield one
    one.engine.dispose()


@pytest.fixture
def other_stage() -> Iterator[Stage]:
    """Another of them: an engine runs once."""
    one = Stage((BTC, ETH))
    yield one
    one.engine.dispose()


def market(first: float = 0.0, last: float = 12.0) -> list[Any]:
    """Books that change twice a second, and a print a second, also right before and after the seconds of scans."""
    data: list[Any] = []
    for one, price in ((BTC, "1000.1"), (ETH, "50.1")):
        bid = str(Decimal(price) - TENTH)
        count = round((last - first) * 2)
        data += [book_frame(one, first + 0.3 + k / 2, [(bid, str(k + 1))], [(price, "1")]) for k in range(count)]
        for k in range(count):
            near = (1e-6, 0.5 - 1e-6)[k % 2]
            data.append(print_of(one, first + k / 2 + near, price, f"0.{k + 1:03d}", AggressorSide.BUYER))
    return data


def kept(path: Path, snapshots: Sequence[FlowSnapshot]) -> Path:
    """A file of snapshots in their order."""
    origin = Origin("by hand", "by hand", {"BTC": (), "ETH": ()}, (), at(0), at(60))
    with SnapshotWriter(path, origin) as writer:
        if snapshots:
            ts = np.array([s.ts for s in snapshots])
            writer.write(ts, writer.numbers([s.asset for s in snapshots]), np.array([s.values for s in snapshots]))
    return path


def player(path: Path, assets: Sequence[str] = ("BTC", "ETH"), tradable: Sequence[Instrument] = ()) -> SnapshotPlayer:
    names = tuple(i.id.value for i in tradable)
    return SnapshotPlayer(SnapshotPlayerConfig(path=str(path), assets=tuple(assets), tradable=names, flow=FLOW))


def test_it_publishes_what_the_actor_does_when_the_actor_does(stage: Stage, other_stage: Stage, tmp_path: Path) -> None:
    """The same snapshots in the same order, at the same time of the clock, between the same prints."""
    assets = {"BTC": (BTC.id.value,), "ETH": (ETH.id.value,)}
    first, second = Listener((BTC, ETH)), Listener((BTC, ETH))
    script = stage.play(market(), FlowActor(FlowActorConfig(assets=assets, flow=FLOW)), first, since=0.0, until=11.0)
    assert [(s.ts, s.asset) for s in script.seen] == [(at(k), a) for k in (2, 4, 6, 8, 10) for a in ("BTC", "ETH")]
    path = kept(tmp_path / "a.parquet", script.seen)
    other_stage.play(market(), player(path), second, since=0.0, until=11.0)
    assert second.heard == first.heard
    assert {when == ts for when, name, ts, _ in second.heard if name != "print"} == {True}
    assert sum(name == "print" for _, name, _, _ in second.heard) > 40


def test_only_the_assets_that_are_wanted_are_published(stage: Stage, tmp_path: Path) -> None:
    """A file may have more of them; those that are wanted lose none for it."""
    snapshots = [snapshot_of({"price": k}, asset=asset, seconds=k) for k in range(1, 6) for asset in ("BTC", "ETH")]
    listener = Listener(())
    stage.play(market(), player(kept(tmp_path / "a.parquet", snapshots), ["ETH"]), listener, until=11.0)
    assert [(when, asset) for when, asset, _ in listener.snapshots] == [(at(k), "ETH") for k in range(1, 6)]


def test_snapshots_after_the_end_are_not_published(stage: Stage, tmp_path: Path) -> None:
    """A file may go on for longer than the replay; and the last of it is not waited for."""
    snapshots = [snapshot_of({}, seconds=k) for k in (2, 4, 6, 8)]
    listener = Listener(())
    stage.play(market(0, 5), player(kept(tmp_path / "a.parquet", snapshots)), listener, until=5.0)
    assert [ts for *_, ts in listener.snapshots] == [at(2), at(4)]


def test_a_file_without_snapshots_is_played_too(stage: Stage, tmp_path: Path) -> None:
    """Nothing is published but that scans are over, and nothing fails."""
    listener = Listener(())
    stage.play(market(0, 5), player(kept(tmp_path / "a.parquet", [])), listener, until=5.0)
    assert listener.heard == [(at(k), OVER, at(k), b"") for k in (2, 4)]


def test_the_books_of_what_is_traded_are_kept(stage: Stage, tmp_path: Path) -> None:
    """The strategy reads its entry price off them; nobody asked for the others."""
    path = kept(tmp_path / "a.parquet", [])
    stage.play(market(), player(path, tradable=(BTC,)), until=11.0)
    book = stage.engine.kernel.cache.order_book(BTC.id)
    assert (str(book.best_bid_price()), str(book.best_ask_price())) == ("1000.0", "1000.1")
    assert stage.engine.kernel.cache.order_book(ETH.id) is None


def test_a_file_that_cannot_be_read_stops_the_run(stage: Stage, tmp_path: Path) -> None:
    """Nothing is decided on nothing: the error comes before the first event."""
    with pytest.raises(SnapshotFileError, match=r"gone\.parquet is no file of snapshots"):
        stage.play(market(), player(tmp_path / "gone.parquet"), until=11.0)
