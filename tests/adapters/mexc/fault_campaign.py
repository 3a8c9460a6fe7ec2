"""Many random stories of ``fault_schedule``. The test suite runs a few. Thousands::

    python -m tests.adapters.mexc.fault_campaign --schedules 2000 --parallel 8 [--stalls]

Times are a fraction of the real ones: the signature's window is 1.5 s (10 s), on both sides.
"""

import asyncio
import random
import time
from collections import Counter

import pytest
import typer

from tests.adapters.mexc.fault_schedule import Outcome, Schedule
from tests.adapters.mexc.quick_windows import shorten


async def campaign(seeds: range, parallel: int, *, loud: bool) -> list[Outcome]:
    """Run these schedules, so many at a time."""
    places, outcomes = asyncio.Semaphore(parallel), []

    async def one(seed: int) -> None:
        async with places:
            outcome = await Schedule(seed).run()
        outcomes.append(outcome)
        if outcome.problems and loud:
            print(f"seed {seed}:", *outcome.problems, sep="\n    ", flush=True)
        if loud and len(outcomes) % 50 == 0:
            bad = sum(bool(o.problems) for o in outcomes)
            print(f"{len(outcomes)} schedules, {bad} with problems", flush=True)

    await asyncio.gather(*(one(seed) for seed in seeds))
    return outcomes


async def stall(seed: int) -> None:
    """Stop everything for a moment now and then, as on a machine that has other work: up to 0.4 s."""
    rng = random.Random(seed)  # a simulation
    while True:
        await asyncio.sleep(rng.uniform(0.0, 0.5))
        time.sleep(rng.choice([0.0, 0.0, rng.uniform(0.0, 0.4)]))  # that is the point


async def _campaign(seeds: range, parallel: int, *, stalls: bool) -> list[Outcome]:
    stalling = asyncio.create_task(stall(seeds.start)) if stalls else None
    try:
        return await campaign(seeds, parallel, loud=True)
    finally:
        if stalling is not None:
            stalling.cancel()


def main(schedules: int = 1000, first: int = 0, parallel: int = 8, *, stalls: bool = False) -> None:
    """Run the campaign and print what it came to. Exit code 1 when a schedule had problems."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        outcomes = asyncio.run(_campaign(range(first, first + schedules), parallel, stalls=stalls))
    faults = sum((outcome.faults for outcome in outcomes), Counter())
    bad = [outcome.seed for outcome in outcomes if outcome.problems]
    print(
        f"{len(outcomes)} schedules, {sum(o.orders for o in outcomes)} orders, {sum(o.fills for o in outcomes)} fills"
    )
    print("faults:", ", ".join(f"{name} {count}" for name, count in faults.most_common()))
    print(f"longest that a book was wrong: {max(o.wrong_book_seconds for o in outcomes):.1f} s")
    print(f"with problems: {bad or 'none'}")
    raise typer.Exit(bool(bad))


if __name__ == "__main__":
    typer.run(main)
