"""Every honesty costs something: the same decisions do no better the harder the world is, on average over markets."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from backtests.honesty import HONEST, PARTS, World, comparison, easier, easier_worlds, followed, world_of
from backtests.market_data import EVERYTHING
from backtests.profile import Profile, load_profile
from backtests.replay import disposing, run_replay
from backtests.simulation import add_venues
from catalog.markets import Market, MarketKind
from catalog.sample_market import write_sample_market
from catalog.store import Catalog
from catalog.tables import BUYER, Kind
from strategies.candidates import Candidate
from tests.backtests.conftest import T0
from tests.backtests.scripted import Trader, play

BTC = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
SEEDS = range(20)
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Seeded:
    """A market of a seed, and which way its takers went just before each decision."""

    catalog: Catalog
    decisions: list[tuple[int, int]]  # UNIX ns, +1 or -1


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two minutes of one asset on one venue for each seed; a decision every two seconds."""
    made = []
    for seed in SEEDS:
        root = tmp_path_factory.mktemp("seeded") / str(seed)
        write_sample_market(root, seed=seed, hours=1 / 30, assets=1, venues=("BINANCE",))
        made.append(root)
    return made


def _decisions(catalog: Catalog) -> list[tuple[int, int]]:
    """Every two seconds the side of the print that came last: who follows it is in a hurry, and pays for being late."""
    (series,) = (s for s in catalog.ledger.series() if (s.instrument_id, s.kind) == (BTC.instrument_id, Kind.TRADES))
    table = pq.read_table(catalog.root / series.path, columns=["ts_init", "aggressor_side"])
    ts, side = (table.column(name).to_numpy().astype(np.int64) for name in ("ts_init", "aggressor_side"))
    times = np.arange(ts[0] + 5 * SECOND_NS, ts[-1] - 5 * SECOND_NS, 2 * SECOND_NS)
    # right after a print: what it will move has not moved yet
    after = ts[np.searchsorted(ts, times)] + 1
    sides = np.where(side[np.searchsorted(ts, after) - 1] == BUYER, 1, -1)
    return list(zip(after.tolist(), sides.tolist(), strict=True))


def _world(profile: Profile, *left_out: str) -> Profile:
    """The profile's Binance alone, with a large account so that no rule interferes."""
    venue = profile.venues["BINANCE"].model_copy(update={"starting_balance": Decimal(10_000_000)})
    return easier(profile.model_copy(update={"venues": {"BINANCE": venue}}), *left_out)


def _microsecond(ns: int) -> int:
    return -(-(ns - T0) // 1_000)


def taking(one: Seeded) -> list[tuple[int, Callable[[Trader], None]]]:
    """Follow the last print with a market order, and be out by another a second and a half later."""
    script: list[tuple[int, Callable[[Trader], None]]] = []
    for number, (ts, side) in enumerate(one.decisions):
        into, out = ("buy", "sell") if side > 0 else ("sell", "buy")
        script.append((_microsecond(ts), lambda t, n=number, s=into: t.order(f"in {n}", BTC, s, "0.5", ioc=True)))
        later = _microsecond(ts + 3 * SECOND_NS // 2)
        script.append((later, lambda t, n=number, s=out: t.order(f"out {n}", BTC, s, "0.5", ioc=True)))
    return sorted(script, key=lambda step: step[0])


def resting(one: Seeded) -> list[tuple[int, Callable[[Trader], None]]]:
    """Join the best bid or ask for a second, then give up; what was filled is closed at market half a second later."""
    script: list[tuple[int, Callable[[Trader], None]]] = []
    for number, (ts, side) in enumerate(one.decisions):
        script.append((_microsecond(ts), lambda t, n=number, s=side: _join(t, n, s)))
        script.append((_microsecond(ts + SECOND_NS), lambda t, n=number: _give_up(t, n)))
        script.append((_microsecond(ts + 3 * SECOND_NS // 2), lambda t, n=number, s=side: _flatten(t, n, s)))
    return sorted(script, key=lambda step: step[0])


def _join(trader: Trader, number: int, side: int) -> None:
    quote = trader.quote(BTC)
    price = quote.bid if side > 0 else quote.ask
    trader.order(f"in {number}", BTC, "buy" if side > 0 else "sell", "0.5", price=str(price))


def _give_up(trader: Trader, number: int) -> None:
    order = trader.sent[f"in {number}"]
    if order.is_open:
        trader.cancel_order(order)


def _flatten(trader: Trader, number: int, side: int) -> None:
    filled = trader.sent[f"in {number}"].filled_qty.as_decimal()
    if filled:
        trader.order(f"out {number}", BTC, "sell" if side > 0 else "buy", str(filled), ioc=True)


@functools.cache
def made(catalog: Path, script: Callable[[Seeded], Any], *left_out: str) -> tuple[float, int]:
    """What the account made in a world without some parts, and in how many fills."""
    one = Seeded(Catalog(catalog), _decisions(Catalog(catalog)))
    played = play(one.catalog, _world(load_profile(), *left_out), *script(one))
    venue = played.venues["BINANCE"]
    net = venue.ledger.balance + venue.open_profit() - venue.ledger.start
    fills = venue.ledger.fills
    played.engine.dispose()
    return float(net), fills


@pytest.mark.parametrize(
    ("part", "script", "without"),
    [("latency", taking, ()), ("fees", taking, ()), ("queue", resting, ("fees",))],
    ids=["latency", "fees", "queue"],
)
def test_each_honesty_costs_something(
    seeded: list[Path], part: str, script: Callable[[Seeded], Any], without: tuple[str, ...]
) -> None:
    """Over 20 seeds the easier world makes more on average, by more than its standard error."""
    costs = []
    for catalog in seeded:
        (net, fills), (net_easy, _) = made(catalog, script, *without), made(catalog, script, part, *without)
        assert fills > 10
        costs.append(net_easy - net)
    mean, error = float(np.mean(costs)), float(np.std(costs, ddof=1) / np.sqrt(len(costs)))
    print(f"\n{part}: {mean:.2f} USDT a market, standard error {error:.2f}")
    assert mean > error > 0


# -- the decisions of the scalper -------------------------------------------------------------------------------------


def _busy(lively: Path) -> Profile:
    """The lively profile, taking every signal for ten seconds at most: many trades in little time."""
    body = load_profile(lively).model_dump(mode="json")
    body["scalper"]["candidates"] |= {
        "objective": "every signal",
        "min_probability": "0.5",
        "horizon_seconds": 10,
        "max_notional": "5000",
    }
    body["scalper"]["cooldown_seconds"] = 1
    body["guards"]["daily_drawdown"]["enabled"] = False
    return Profile.model_validate(body)


def _costs(root: Path, profile: Profile, snapshots: Path, parts: Sequence[str]) -> tuple[int, list[float]]:
    """How many trades an honest run made, and what the same ones make more without each part."""
    whole = {"start_ns": 0, "end_ns": EVERYTHING[1]}
    honest = run_replay(Catalog(root), profile, snapshots=snapshots, **whole)
    with disposing(honest):
        world, chosen = world_of(honest), followed(honest)
    costs = []
    for part in parts:
        replay = run_replay(Catalog(root), easier(profile, part), decide_on=snapshots, follow=chosen, **whole)
        with disposing(replay):
            costs.append(world_of(replay).net - world.net)
    return world.trades, costs


def test_what_the_scalper_decides_is_no_better_in_a_harder_world(
    seeded: list[Path], lively: Path, tmp_path: Path
) -> None:
    """Over 20 seeds fees cost more than their standard error; latency and queue are no gain beyond three of theirs.

    A scan is not timed by the flow, so that twenty milliseconds cost it next to nothing on average; see `taking` for
    who is in a hurry.
    """
    parts = ("latency", "queue", "fees")
    found = [_costs(root, _busy(lively), tmp_path / "snapshots.parquet", parts) for root in seeded]
    assert sum(trades for trades, _ in found) > 100
    costs = np.array([row for _, row in found])
    mean, error = costs.mean(axis=0), costs.std(axis=0, ddof=1) / np.sqrt(len(costs))
    print("\n" + ", ".join(f"{p}: {m:.2f} +- {e:.2f} USDT" for p, m, e in zip(parts, mean, error, strict=True)))
    assert (mean > -3 * error - 1e-6).all()
    assert mean[2] > error[2] > 0


# -- the comparison of a run -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Honest:
    """An honest run of the sample: what it made and decided, its snapshots and its fees."""

    world: World
    chosen: list[Candidate]
    snapshots: Path
    fees: float


@pytest.fixture(scope="module")
def honest(sample: Path, lively: Path, tmp_path_factory: pytest.TempPathFactory) -> Honest:
    path = tmp_path_factory.mktemp("honest") / "snapshots.parquet"
    profile = load_profile(lively)
    replay = run_replay(Catalog(sample), profile, start_ns=0, end_ns=EVERYTHING[1], snapshots=path)
    with disposing(replay):
        fees = float(sum(v.ledger.fees for v in replay.venues.values()))
        return Honest(world_of(replay), followed(replay), path, fees)


def test_a_run_is_compared_with_easier_ones(sample: Path, lively: Path, honest: Honest) -> None:
    """The same trades in all; followed honestly they are the run itself; without fees they make just these more."""
    seen: list[tuple[int, int]] = []
    worlds = easier_worlds(
        Catalog(sample), load_profile(lively), honest.snapshots, honest.chosen, start_ns=0, end_ns=EVERYTHING[1],
        on_rows=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert list(worlds) == [HONEST, *(f"without {part}" for part in PARTS), "without any"]
    assert worlds[HONEST] == honest.world
    assert {world.trades for world in worlds.values()} == {honest.world.trades}
    assert honest.world.trades > 3
    assert worlds["without fees"].net == pytest.approx(honest.world.net + honest.fees, abs=1e-6)
    assert worlds["without funding"] == worlds["without liquidation"] == honest.world  # none fell into the sample
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_the_table_says_what_a_part_costs() -> None:
    """10 made honestly and 13 without fees: fees cost 3."""
    rows = comparison({HONEST: World(4, 10.0), "without fees": World(4, 13.0)})
    assert rows == {
        HONEST: {"trades": 4, "net": 10.0, "costs": 0.0},
        "without fees": {"trades": 4, "net": 13.0, "costs": 3.0},
    }


def test_a_part_that_there_is_not_is_named() -> None:
    """With those that there are."""
    with pytest.raises(ValueError, match=r"no part gravity: choose among latency, .*rules"):
        easier(load_profile(), "gravity")


def test_without_latency_it_is_the_engines_own_result(sample: Path, lively: Path) -> None:
    """Fill by fill: what our client hands on at once is what Nautilus's own client would have handed on."""
    profile = easier(load_profile(lively), *PARTS)
    profile = profile.model_copy(
        update={"simulation": profile.simulation.model_copy(update={"queue": True, "fees": True})}
    )
    ours = run_replay(Catalog(sample), profile, start_ns=0, end_ns=EVERYTHING[1])
    with disposing(ours):
        mine = _fills(ours.engine)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("backtests.replay.add_venues", _bare_venues)
        plain = run_replay(Catalog(sample), profile, start_ns=0, end_ns=EVERYTHING[1])
    with disposing(plain):
        theirs = _fills(plain.engine)
    assert len(mine) > 10
    assert mine == theirs


def _bare_venues(*arguments: Any, bare: bool) -> dict[str, Any]:
    """Venues with the engine's own client, whatever is asked."""
    assert not bare
    return add_venues(*arguments, bare=True)


def _fills(engine: Any) -> list[tuple[Any, ...]]:
    """All fills in order of time: what was filled when, at what price and for which fee."""
    events = [e for o in engine.cache.orders() for e in o.events if type(e).__name__ == "OrderFilled"]
    rows = [
        (e.ts_event, str(e.instrument_id), str(e.order_side), str(e.last_qty), str(e.last_px), str(e.commission))
        for e in events
    ]
    return sorted(rows)
