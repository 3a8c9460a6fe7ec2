"""The columns between readers and the catalog."""

from decimal import Decimal

import pyarrow as pa
import pytest

from catalog.encoding import STORED
from catalog.tables import DECIMAL, SCHEMAS, Chunk, Kind, decimals
from tests.catalog.hand_made import trades


def test_decimals_keep_every_digit_of_the_venue() -> None:
    """Sixteen places and signs survive; exponents are read as the numbers they are."""
    texts = ["63943.90", "-0.0000000000000001", "1e-7", "0"]
    assert decimals(texts).to_pylist() == [Decimal(text) for text in texts]
    assert decimals(texts).type == DECIMAL


@pytest.mark.parametrize("text", ["", "abc", "1,5", "nan", "0.00000000000000001"])
def test_what_is_no_exact_decimal_raises(text: str) -> None:
    """Words, empty texts and a seventeenth place are errors, never a rounded number or a null."""
    with pytest.raises(pa.ArrowInvalid):
        decimals(["1", text])


def test_a_chunk_has_exactly_the_columns_of_its_kind() -> None:
    """Another kind's table, and a column of another type, are refused with the columns that are wanted."""
    table = trades([1]).table
    with pytest.raises(TypeError, match=r"quote_tick must have the columns \['bid_price'"):
        Chunk(Kind.QUOTES, table, "a.csv")
    floats = table.set_column(0, pa.field("price", pa.float64(), nullable=False), pa.array([100.5]))
    with pytest.raises(TypeError, match="trade_tick must have the columns"):
        Chunk(Kind.TRADES, floats, "a.csv")


def test_every_kind_has_times_and_lines_without_nulls() -> None:
    """All schemas end in ts_event, ts_init and line, and no column can be null."""
    assert SCHEMAS.keys() == set(Kind) >= STORED.keys()
    for schema in SCHEMAS.values():
        assert schema.names[-3:] == ["ts_event", "ts_init", "line"]
        assert not any(field.nullable for field in schema)
