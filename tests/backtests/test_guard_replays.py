"""Every guard trips in a replay of a market built for it: the log has its cause, what was done, and its end."""

from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.backtest.engine import BacktestEngine

from backtests.market_data import EVERYTHING
from backtests.profile import Profile, load_profile
from backtests.replay import Replay, disposing, run_replay
from backtests.simulation import add_venues
from strategies.halt_notes import HaltNote
from strategies.trade_log import Trade
from tests.backtests.conftest import ns
from tests.backtests.guarded import BTC, PricePath, falling, guarded, plunging, sawtooth, steady, write_path
from tests.backtests.scripted import Act, Trader

SECOND_NS = 1_000_000_000


class Ran:
    """What a replay left: its halts and trades, when entries were sent, and whether it ended flat."""

    def __init__(self, replay: Replay) -> None:
        assert replay.scalper is not None
        cache = replay.engine.cache
        self.halts: list[HaltNote] = replay.scalper.halts
        self.trades: list[Trade] = replay.scalper.trades
        self.passed = dict(replay.scalper.passed)
        orders = [o for o in cache.orders() if o.strategy_id == replay.scalper.id]
        self.entries = [_second(o.ts_init) for o in orders if not o.is_reduce_only]
        self.left = [*cache.orders_open(), *cache.orders_inflight(), *cache.positions_open()]

    def steps(self, guard: str) -> list[tuple[float, str]]:
        """When what happened to the halts of a guard, in seconds of the market."""
        return [(_second(note.ts), note.what) for note in self.halts if note.guard == guard]

    def note(self, guard: str, what: str) -> HaltNote:
        return next(note for note in self.halts if (note.guard, note.what) == (guard, what))


def _second(ts: int) -> float:
    return (ts - ns(0)) / SECOND_NS


def ran(root: Path, path: PricePath, profile: Profile, **options: Any) -> Ran:
    replay = run_replay(write_path(root, path), profile, start_ns=0, end_ns=EVERYTHING[1], **options)
    with disposing(replay):
        return Ran(replay)


def beside(monkeypatch: pytest.MonkeyPatch, *script: tuple[int, Act]) -> None:
    """Let somebody else act on the same accounts, at microseconds of the market."""

    def with_another(engine: BacktestEngine, *arguments: Any, **options: Any) -> Any:
        another = Trader(script)
        another.change_order_id_tag("666")
        engine.add_strategy(another)
        return add_venues(engine, *arguments, **options)

    monkeypatch.setattr("backtests.replay.add_venues", with_another)


@pytest.fixture
def profile(lively: Path) -> Profile:
    return load_profile(lively)


def test_a_settlement_within_the_horizon_is_forecast(tmp_path: Path, profile: Profile) -> None:
    """The first long would pay a basis point of what it is worth; one whose settlement is an hour off pays nothing."""
    later = ran(tmp_path / "later", PricePath(steady), guarded(profile)).trades[0]
    soon = PricePath(steady, settled_second=round(_second(later.decided_ns)) + 10)
    due = ran(tmp_path / "due", soon, guarded(profile)).trades[0]
    assert due.decided_ns == later.decided_ns
    assert later.forecast["funding"] == 0
    # weighted by the two ends of the trip, both of which pay it
    assert due.forecast["funding"] == pytest.approx(1e-4 * float(due.planned_size * due.mid), rel=1e-9)


def test_the_daily_drawdown_locks_out_for_good(tmp_path: Path, profile: Profile) -> None:
    """A long of a falling price: at three thousandths lost it is closed at market, and nothing is entered again."""
    limit = {"max_fraction": "0.003"}
    one = ran(tmp_path, PricePath(falling), guarded(profile, daily_drawdown=limit))
    (tripped, what), (flat, end) = one.steps("daily_drawdown")
    assert (what, end) == ("tripped", "flat")
    assert 60 < tripped < flat <= tripped + 10
    assert "closes 1 trade at market" in one.note("daily_drawdown", "tripped").action
    assert max(one.entries) < tripped
    assert one.trades[-1].reason.startswith("daily_drawdown: ")
    assert one.trades[-1].open_size == 0
    assert not one.left
    assert one.passed["halted"] > 5


def test_losses_in_a_row_pause_the_entries(tmp_path: Path, profile: Profile) -> None:
    """Two stops of a sawtooth: no entry for half a minute, then they go on."""
    limit = {"max_losses": 2, "halt_seconds": 30}
    one = ran(tmp_path, PricePath(sawtooth), guarded(profile, consecutive_losses=limit))
    (tripped, _), (ended, what), *_ = one.steps("consecutive_losses")
    assert what == "expired"
    assert ended == pytest.approx(tripped + 30, abs=5)
    assert [t.net < 0 for t in one.trades[:2]] == [True, True]
    assert not [at for at in one.entries if tripped <= at < ended]
    assert [at for at in one.entries if at >= ended]
    assert not one.left


def test_the_kill_file_stops_everything_at_the_next_scan(
    tmp_path: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It appears after 62 seconds: what is open is closed at 65, nothing is entered until the end."""
    kill = tmp_path / "stop"
    settings = guarded(profile)
    scalper = settings.scalper.model_copy(update={"kill_file": str(kill)})
    settings = settings.model_copy(update={"scalper": scalper})

    beside(monkeypatch, (62_000_000, lambda _: kill.touch()))
    one = ran(tmp_path / "market", PricePath(steady), settings)
    (tripped, what), (_, end) = one.steps("kill_file")
    assert (tripped, what, end) == (65, "tripped", "flat")
    assert max(one.entries) < tripped
    assert one.trades[-1].reason.startswith("kill_file: ")
    assert not one.left


def test_a_silent_book_halts_its_asset_until_it_speaks(tmp_path: Path, profile: Profile) -> None:
    """Half a minute without a book: the halt begins once it is ten seconds old and ends with its next frame."""
    path = PricePath(steady, silent=lambda second: 60 <= second < 90)
    one = ran(tmp_path, path, guarded(profile, stale_data={"stale_seconds": 10}))
    (tripped, _), (ended, what) = one.steps("stale_data")[-2:]
    assert what == "expired"
    assert 70 <= tripped <= 75
    assert 90 <= ended <= 95
    assert one.note("stale_data", "tripped").scope == "asset:BTC"
    assert not [at for at in one.entries if tripped <= at < ended]


def test_a_blown_out_spread_halts_its_asset_until_it_narrows(tmp_path: Path, profile: Profile) -> None:
    """40 bps for twenty seconds, where 20 are allowed."""
    path = PricePath(steady, half_spread=lambda second: 200 if 60 <= second < 80 else 1)
    one = ran(tmp_path, path, guarded(profile, spread={"max_bps": 20, "median_multiple": 1000, "min_samples": 2}))
    (tripped, _), (ended, what) = one.steps("spread_blowout")
    assert (what, 60 <= tripped <= 65, 80 <= ended <= 85) == ("expired", True, True)
    assert "the limit is 20 bps" in one.note("spread_blowout", "tripped").reason
    assert not [at for at in one.entries if tripped <= at < ended]


def test_a_storm_of_rejects_halts_the_venue_for_a_time(tmp_path: Path, profile: Profile) -> None:
    """Post-only buys in a price that has fallen through them when they arrive: after two there is no entry for long."""
    settings = guarded(profile, reject_storm={"max_rejects": 2, "within_seconds": 30, "halt_seconds": 60})
    body = settings.model_dump(mode="json")
    body["scalper"]["entry"]["style"] = "post_only"
    body["scalper"]["candidates"]["min_probability"] = "0.5"
    body["venues"]["BINANCE"]["latency"] |= {"median_ms": 400, "floor_ms": 400}
    one = ran(tmp_path, PricePath(plunging), Profile.model_validate(body))
    (tripped, _), (ended, what), *_ = one.steps("reject_storm")
    assert (what, ended) == ("expired", pytest.approx(tripped + 60, abs=5))
    assert one.note("reject_storm", "tripped").scope == "venue:BINANCE"
    assert len([at for at in one.entries if 60 < at < tripped]) >= 2
    assert not [at for at in one.entries if tripped <= at < ended]


def test_a_position_that_nobody_here_opened_halts_all_entries(
    tmp_path: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody buys on the same account for half a minute: what the venue holds is not what the trades hold."""

    beside(
        monkeypatch,
        (60_000_000, lambda t: t.order("in", BTC, "buy", "0.1", ioc=True)),
        (90_000_000, lambda t: t.order("out", BTC, "sell", "0.1", ioc=True)),
    )
    one = ran(tmp_path, PricePath(steady), guarded(profile))
    (tripped, what), (ended, end) = one.steps("reconciliation")
    assert (what, end) == ("tripped", "expired")
    assert 60 <= tripped <= 65
    assert 90 <= ended <= 95
    assert not [at for at in one.entries if tripped <= at < ended]
