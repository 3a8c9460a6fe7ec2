"""How fast the built-in market is made and written: simulation, exact decimals, Parquet, ledger, truth."""

import shutil
import time

from catalog.sample_market import write_sample_market


def test_making_and_writing(benchmark, figure, tmp_path):
    """Half an hour of five assets on three venues, from nothing to a catalog."""
    out, best, rows = tmp_path / "catalog", float("inf"), 0

    def once() -> None:
        nonlocal best, rows
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        begin = time.process_time()
        entry = write_sample_market(out, seed=7, hours=0.5, assets=5)
        best = min(best, time.process_time() - begin)
        rows = sum(series.rows for series in entry.series)

    benchmark.pedantic(once, rounds=3, warmup_rounds=1)
    figure("built-in market, made and written", f"{rows / best / 1e3:.0f} k rows/s", "500 or better")
