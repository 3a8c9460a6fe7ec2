"""What each part of an honest execution costs: the same decisions replayed in easier worlds, one part left out a time.

The snapshots are taken from the honest run, so that an easier world pays for the engine alone. What is decided on them
is decided again: without latency, say, other positions are open at the next scan.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backtests.profile import Profile
from backtests.replay import Replay, disposing, run_replay
from catalog.store import Catalog

PARTS = ("latency", "queue", "fees", "funding", "liquidation", "rules")
"""What can be left out, by its name in the profile's ``[simulation]``."""


@dataclass(frozen=True)
class World:
    """A run: `net` is what all accounts made, with what is open at its marks (account currency)."""

    trades: int
    net: float


def world_of(replay: Replay) -> World:
    """What came of a finished run."""
    trades = replay.scalper.trades if replay.scalper is not None else []
    made = [v.ledger.balance + v.open_profit() - v.ledger.start for v in replay.venues.values()]
    return World(len(trades), float(sum(made)))


def easier(profile: Profile, *parts: str) -> Profile:
    """The profile without some parts of the simulation. Raises ValueError for one that is not among PARTS."""
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise ValueError(f"no part {', '.join(unknown)}: choose among {', '.join(PARTS)}")
    simulation = profile.simulation.model_copy(update=dict.fromkeys(parts, False))
    return profile.model_copy(update={"simulation": simulation})


def easier_worlds(
    catalog: Catalog,
    profile: Profile,
    snapshots: Path,
    *,
    start_ns: int,
    end_ns: int,
    on_rows: Callable[[int, int], None] | None = None,
) -> dict[str, World]:
    """Replay the span on the honest run's `snapshots`, without each part that the profile simulates and without all."""
    parts = [part for part in PARTS if getattr(profile.simulation, part)]
    worlds = {f"without {part}": (part,) for part in parts} | {"without any": tuple(parts)}
    found: dict[str, World] = {}
    for number, (name, left_out) in enumerate(worlds.items()):

        def told(done: int, total: int, number: int = number) -> None:
            if on_rows is not None:
                on_rows(number * total + done, len(worlds) * total)

        replay = run_replay(
            catalog, easier(profile, *left_out), start_ns=start_ns, end_ns=end_ns, decide_on=snapshots, on_rows=told
        )
        with disposing(replay):
            found[name] = world_of(replay)
    return found


def comparison(honest: World, worlds: dict[str, World]) -> dict[str, dict[str, float | int]]:
    """Rows for a table: what the parts cost, which is what the easier world made more."""
    rows: dict[str, dict[str, float | int]] = {"honest": {"trades": honest.trades, "net": honest.net, "costs": 0.0}}
    for name, world in worlds.items():
        rows[name] = {"trades": world.trades, "net": world.net, "costs": world.net - honest.net}
    return rows
