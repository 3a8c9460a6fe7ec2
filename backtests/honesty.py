"""What each part of an honest execution costs: the same decisions replayed in easier worlds, one part left out a time.

The same candidates are entered at the same times with the same size, stop and targets, on the snapshots of the honest
run. Were they decided again, an easier world would decide otherwise: without fees it would trade far more, without
latency it would be out a moment earlier and in again, and what is compared would be two strategies.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backtests.profile import Profile
from backtests.replay import Replay, disposing, run_replay
from backtests.simulated_venue import REPLAY_ENDED
from catalog.store import Catalog
from strategies.candidates import Candidate

PARTS = ("latency", "queue", "fees", "funding", "liquidation", "rules")
"""What can be left out, by its name in the profile's ``[simulation]``."""
HONEST = "honest"


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


def followed(replay: Replay) -> list[Candidate]:
    """What an honest run decided, without the entries that its end alone kept from arriving: a world without latency
    would enter them, only to leave at once."""
    chosen = replay.scalper.chosen if replay.scalper is not None else []
    return [candidate for candidate, trade in chosen if trade.entered or REPLAY_ENDED not in trade.reason]


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
    chosen: Sequence[Candidate],
    *,
    start_ns: int,
    end_ns: int,
    on_rows: Callable[[int, int], None] | None = None,
) -> dict[str, World]:
    """Replay what the honest run has `chosen`, on its `snapshots`: honestly, without each part that the profile
    simulates, and without all.

    The honest world is that of the run, unless a lockout ended trades of it: here nothing but their own exits does.
    """
    parts = [part for part in PARTS if getattr(profile.simulation, part)]
    worlds: dict[str, tuple[str, ...]] = {HONEST: ()}
    worlds |= {f"without {part}": (part,) for part in parts} | {"without any": tuple(parts)}
    found: dict[str, World] = {}
    for number, (name, left_out) in enumerate(worlds.items()):

        def told(done: int, total: int, number: int = number) -> None:
            if on_rows is not None:
                on_rows(number * total + done, len(worlds) * total)

        replay = run_replay(
            catalog,
            easier(profile, *left_out),
            start_ns=start_ns,
            end_ns=end_ns,
            decide_on=snapshots,
            follow=chosen,
            on_rows=told,
        )
        with disposing(replay):
            found[name] = world_of(replay)
    return found


def comparison(worlds: dict[str, World]) -> dict[str, dict[str, float | int]]:
    """Rows for a table: what the parts cost, which is what the easier world made more than the honest one."""
    honest = worlds[HONEST].net
    return {n: {"trades": w.trades, "net": w.net, "costs": w.net - honest} for n, w in worlds.items()}
