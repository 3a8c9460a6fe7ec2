"""The files of a run beside its summary, report and snapshots: trades, halts, and what the venues did."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from backtests.attribution import TradeCosts
from backtests.costs import Costs
from backtests.simulation import FUNDING_SCHEMA, TRANSIT_SCHEMA, SimulatedVenue, funding_rows, transit_rows
from strategies.halt_notes import HaltNote
from strategies.trade_log import TRADE_SCHEMA, Trade

COST_FIELDS = [pa.field(f"cost_{f.name}", pa.float64()) for f in fields(Costs) if f.name not in ("fees", "funding")]
HALT_SCHEMA = pa.schema(
    [("ts", pa.int64()), *((name, pa.string()) for name in ("what", "guard", "scope", "reason", "action"))]
)
"""A line for each thing that a guard did, see :class:`strategies.halt_notes.HaltNote`; ``ts`` is UNIX ns."""


def write_trades(path: Path, trades: Sequence[Trade], costs: Sequence[TradeCosts]) -> None:
    """The trade log as Parquet, with all columns even where nothing was traded; costs beside fees and funding."""
    schema = pa.schema([*TRADE_SCHEMA, *COST_FIELDS])
    rows = [
        t.to_row() | {f"cost_{name}": value for name, value in c.costs.as_floats().items()}
        for t, c in zip(trades, costs, strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")


def write_halts(path: Path, halts: Sequence[HaltNote]) -> None:
    """What the guards did as Parquet, in order of time, with all columns even where nothing happened."""
    pq.write_table(pa.Table.from_pylist([note.row for note in halts], schema=HALT_SCHEMA), path, compression="zstd")


def write_executions(folder: Path, venues: Mapping[str, SimulatedVenue]) -> None:
    """What the venues did: ``latencies.parquet`` has every command, ``funding.parquet`` every settlement."""
    pq.write_table(pa.Table.from_pylist(transit_rows(venues), schema=TRANSIT_SCHEMA), folder / "latencies.parquet")
    pq.write_table(pa.Table.from_pylist(funding_rows(venues), schema=FUNDING_SCHEMA), folder / "funding.parquet")
