"""Features in bulk over more than twenty million rows, beside the engine's replay and beside hftbacktest."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from backtests.asset_player import AssetPlayer
from backtests.book_samples import BookFile
from backtests.bulk import Plan, write_features
from backtests.market_data import EVERYTHING
from backtests.profile import load_profile
from backtests.replay import disposing, run_replay
from catalog.sample_market import write_sample_market
from catalog.store import Catalog
from catalog.tables import Kind
from tests.benchmarks.hftbacktest_peer import PeerUnavailable, expected_checksum, peer_python, run_peer, to_events

ROOT = Path(__file__).parents[2]
HOURS = 24.0
HOUR_NS = 3_600_000_000_000
ROUNDS = 3
PEAK = """
import json, sys
from pathlib import Path
from backtests.bulk import write_features
from backtests.profile import load_profile
from catalog.store import Catalog
catalog, end_ns = Catalog(Path(sys.argv[1])), int(sys.argv[2])
run = write_features(catalog, load_profile(), Path(sys.argv[3]), end_ns=end_ns)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps([run.rows, int(status["VmHWM"].split()[0]) // 1024]))
"""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """A day of five assets on three venues, quiet hours and busy ones."""
    root = tmp_path_factory.mktemp("market") / "catalog"
    write_sample_market(root, seed=7, hours=HOURS, assets=5)
    return Catalog(root)


class _Timed(AssetPlayer):
    """Tells reading and decoding from computing, in seconds of CPU."""

    decoding = computing = 0.0

    def snapshots(self):
        fill, play = self._fill, self._play

        def timed_fill() -> int:
            begin = time.process_time()
            horizon = fill()
            self.decoding += time.process_time() - begin
            return horizon

        def timed_play(*arguments) -> int:
            begin = time.process_time()
            stop = play(*arguments)
            self.computing += time.process_time() - begin
            return stop

        self._fill, self._play = timed_fill, timed_play
        return super().snapshots()


def test_bulk_beside_the_engine(benchmark, market, figure, tmp_path):
    """One core each; the engine over the first half hour of the same catalog."""
    profile = load_profile()
    plan = Plan.of(market, profile, *EVERYTHING)
    rows = sum(task.rows() for task in plan.tasks)
    assert rows > 20_000_000
    start = plan.tasks[0].span[0]
    decoding, computing, whole, engine = [], [], [], []

    def once() -> None:
        decoded = computed = 0.0
        for task in plan.tasks:
            player = _Timed(task)
            assert sum(len(ts) for ts, _ in player.snapshots()) > 16_000
            decoded, computed = decoded + player.decoding, computed + player.computing
        decoding.append(decoded)
        computing.append(computed)
        begin = time.process_time()
        write_features(market, profile, tmp_path / "features.parquet")
        whole.append(time.process_time() - begin)
        replay = run_replay(market, profile, start_ns=start, end_ns=start + HOUR_NS // 2)
        with disposing(replay):
            engine.append(replay.rows / replay.cpu_seconds)

    benchmark.pedantic(once, rounds=ROUNDS)
    figure(f"bulk: computing {rows / 1e6:.1f} M rows, decoded", f"{rows / min(computing) / 1e6:.1f} M rows/s", "10 M")
    figure("bulk: decoding Parquet", f"{rows / min(decoding) / 1e6:.1f} M rows/s", "")
    figure("bulk: Parquet to snapshots, all included", f"{rows / min(whole) / 1e6:.1f} M rows/s", "3 M")
    figure("the engine with our actor, the same catalog", f"{max(engine) / 1e6:.2f} M rows/s", "")


@pytest.mark.parametrize("exchange", [False, True], ids=["its book alone", "with its exchange"])
def test_hftbacktest_on_the_same_events(benchmark, market, figure, tmp_path, exchange):
    """A five-level imbalance each 100 ms on the lead perps, where ours computes everything on all markets."""
    try:
        python = peer_python(ROOT / ".pytest_cache" / "peers")
    except PeerUnavailable as error:
        pytest.skip(f"hftbacktest cannot be installed here: {error}")

    def once() -> tuple[int, float]:
        events, seconds = 0, 0.0
        for task in Plan.of(market, load_profile(), *EVERYTHING).tasks:
            book, trades = (_table(task, kind) for kind in (Kind.BOOK, Kind.TRADES))
            places = task.markets[0].price_places, task.markets[0].size_places
            steps = 10.0 ** -places[0], 10.0 ** -places[1]
            result = run_peer(python, to_events(book, trades, *places, exchange=exchange), *steps, tmp_path)
            if not events:
                assert (result["steps"], pytest.approx(result["checksum"], rel=1e-9)) == expected_checksum(
                    book, trades, *places
                )
            events, seconds = events + result["events"], seconds + result["seconds"]
        return events, seconds

    events, seconds = benchmark.pedantic(once, rounds=1)
    label = "with its exchange side" if exchange else "its book alone"
    figure(f"hftbacktest, 5-level imbalance each 100 ms, {label}", f"{events / seconds / 1e6:.1f} M events/s", "")


def _table(task, kind: Kind) -> pa.Table:
    paths = next(series.paths for series in task.series if series.market == 0 and series.kind is kind)
    columns = {
        Kind.BOOK: ["action", "side", "price", "size", "flags", "ts_event", "ts_init"],
        Kind.TRADES: ["price", "size", "aggressor_side", "ts_event", "ts_init"],
    }
    return pa.concat_tables(BookFile(path).file.read(columns[kind]) for path in paths)


def test_memory_stays_flat(benchmark, market, figure, tmp_path):
    """Peak memory over a quarter of the span and over all of it, each in a process of its own."""
    start = Plan.of(market, load_profile(), *EVERYTHING).tasks[0].span[0]

    def peak(end_ns: int) -> tuple[int, int]:
        command = [sys.executable, "-c", PEAK, str(market.root), str(end_ns), str(tmp_path / "features.parquet")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # our own code
        rows, megabytes = json.loads(done.stdout.splitlines()[-1])
        return rows, megabytes

    ends = (start + round(HOURS / 4 * HOUR_NS), EVERYTHING[1])
    results = benchmark.pedantic(lambda: [peak(end) for end in ends], rounds=1)
    for label, (rows, megabytes) in zip(("1x", "4x"), results, strict=True):
        figure(f"bulk memory, {label}: {rows / 1e6:.1f} M rows", f"{megabytes} MB peak", "under 1 GB")
