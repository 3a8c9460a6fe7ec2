"""What our actor and strategy add to the bare engine, and what a replay needs of memory."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from backtests.profile import load_profile
from backtests.replay import disposing, run_replay
from catalog.sample_market import write_sample_market
from catalog.store import Catalog

ROOT = Path(__file__).parents[2]
ROUNDS = 7
PEAK = """
import json, sys
from pathlib import Path
from backtests.profile import load_profile
from backtests.replay import run_replay
from catalog.store import Catalog
replay = run_replay(Catalog(Path(sys.argv[1])), load_profile(), start_ns=0, end_ns=2**63 - 1)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps([replay.rows, int(status["VmHWM"].split()[0]) // 1024]))
"""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour of five assets on three venues."""
    root = tmp_path_factory.mktemp("market") / "catalog"
    write_sample_market(root, seed=7, hours=0.5, assets=5)
    return root


def test_replay_beside_the_bare_engine(benchmark, market, figure):
    """The same catalog with and without us, turn by turn, because machines are noisy: each turn is a ratio."""
    catalog, profile = Catalog(market), load_profile()
    cpu: dict[bool, list[float]] = {True: [], False: []}
    rows = 0

    def once() -> None:
        nonlocal rows
        for bare in (True, False):
            with disposing(run_replay(catalog, profile, start_ns=0, end_ns=2**63 - 1, bare=bare)) as replay:
                cpu[bare].append(replay.cpu_seconds)
                rows = replay.rows

    benchmark.pedantic(once, rounds=ROUNDS)
    ratios = [full / bare for bare, full in zip(cpu[True], cpu[False], strict=True)]
    figure("replay, bare engine", f"{rows / min(cpu[True]) / 1e3:.0f} k rows/s", "")
    figure("replay, with flow and scalper", f"{rows / min(cpu[False]) / 1e3:.0f} k rows/s", "")
    figure("replay, ours over bare, median of the turns", f"{median(ratios):.2f} times", "1.35 or less")
    figure("replay, ours over bare, of the best runs", f"{min(cpu[False]) / min(cpu[True]):.2f} times", "")


def test_memory_stays_flat(benchmark, tmp_path_factory, figure):
    """Peak memory of a replay of six hours of one asset and of a day of it, each in a process of its own.

    Six hours, because a reader holds a row group of every series, and shorter files do not fill one. Read from the
    process's own address space: `ru_maxrss` of a child begins at what its parent once needed.
    """
    shorter, longer = (tmp_path_factory.mktemp("market") / "catalog" for _ in range(2))
    for root, hours in ((shorter, 6.0), (longer, 24.0)):
        write_sample_market(root, seed=7, hours=hours, assets=1)

    def peak(root: Path) -> tuple[int, int]:
        command = [sys.executable, "-c", PEAK, str(root)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # our own code
        rows, megabytes = json.loads(done.stdout.splitlines()[-1])
        return rows, megabytes

    results = benchmark.pedantic(lambda: (peak(shorter), peak(longer)), rounds=1)
    for label, (rows, megabytes) in zip(("1x", "4x"), results, strict=True):
        figure(f"replay memory, {label}: {rows / 1e6:.1f} M rows", f"{megabytes} MB peak", "flat")
