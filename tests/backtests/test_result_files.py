"""Files of a run: all columns whether something happened or not."""

from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq

from backtests.attribution import TradeCosts
from backtests.costs import Costs
from backtests.result_files import HALT_SCHEMA, write_halts, write_trades
from strategies.halt_notes import HaltNote
from strategies.trade_log import TRADE_SCHEMA
from tests.strategies.conftest import at
from tests.strategies.trade_rows import enter, leave, planned


def test_halts_in_order(tmp_path: Path) -> None:
    """Cause, action and end, a row each."""
    notes = [
        HaltNote(at(5), "tripped", "kill_file", "all", "the file is there", "closes 1 trade"),
        HaltNote(at(6), "flat", "kill_file", "all", "the file is there", "nothing is open or working"),
    ]
    write_halts(tmp_path / "halts.parquet", notes)
    assert pq.read_table(tmp_path / "halts.parquet").to_pylist() == [note.row for note in notes]


def test_without_a_halt_the_file_has_all_columns(tmp_path: Path) -> None:
    """It can be read like any other."""
    write_halts(tmp_path / "halts.parquet", [])
    table = pq.read_table(tmp_path / "halts.parquet")
    assert (table.num_rows, table.schema.names) == (0, HALT_SCHEMA.names)


def test_trades_have_their_costs_beside_them(tmp_path: Path) -> None:
    """Fees and funding are columns of the log already."""
    made = planned()
    enter(made, 100, at(6))
    leave(made, 101, at(9))
    costs = TradeCosts(Costs(latency=Decimal("0.5"), spread=Decimal(1), slippage=Decimal(2), fees=Decimal(3)), 0)
    write_trades(tmp_path / "trades.parquet", [made], [costs])
    table = pq.read_table(tmp_path / "trades.parquet")
    assert table.schema.names == [*TRADE_SCHEMA.names, "cost_latency", "cost_spread", "cost_slippage"]
    (row,) = table.to_pylist()
    assert (row["net"], row["cost_latency"], row["cost_spread"], row["cost_slippage"]) == (1.0, 0.5, 1.0, 2.0)
    write_trades(tmp_path / "none.parquet", [], [])
    assert pq.read_table(tmp_path / "none.parquet").schema.names == table.schema.names
