from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backtests.snapshot_file import SCHEMA, Origin, SnapshotFileError, SnapshotWriter, read_batches, read_snapshots
from indicators.kernel import Floats
from strategies.flow.groups import FEATURES
from tests.strategies.conftest import at

ORIGIN = Origin(
    schema_id="of the profile",
    catalog="of the market",
    # not in order of names: numbers of assets are
    assets={"ETH": ("ETHUSDT-PERP.BINANCE",), "BTC": ("BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE_SPOT")},
    without_book=("BTCUSDT.BINANCE_SPOT",),
    start_ns=at(0),
    end_ns=at(60),
)
WIDTH = len(FEATURES)


def odd_values(rows: int) -> Floats:
    """Doubles that a careless copy changes: NaN with bits of its own, -0.0, infinities, the smallest, sums."""
    odd = [np.nan, -0.0, 0.0, np.inf, -np.inf, 5e-324, 0.1 + 0.2, 1 / 3, -1e308]
    values = np.array([odd[k % len(odd)] for k in range(rows * WIDTH)]).reshape(rows, WIDTH)
    values.view(np.int64)[0, 0] = 0x7FF8_0000_0000_0123
    return values


def write(path: Path, values: Floats, origin: Origin = ORIGIN) -> Path:
    """A file of one snapshot a second, of BTC and ETH in turn, in three uneven parts."""
    with SnapshotWriter(path, origin) as writer:
        ts = np.array([at(k) for k in range(len(values))])
        numbers = writer.numbers([("BTC", "ETH")[k % 2] for k in range(len(values))])
        for first, end in ((0, 1), (1, 1), (1, len(values))):
            writer.write(ts[first:end], numbers[first:end], values[first:end])
        assert writer.rows == len(values)
    return path


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_what_is_read_is_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Times, assets and every bit of every double, NaN included, in whatever batches they are read."""
    monkeypatch.setattr("backtests.snapshot_file.BATCH_ROWS", batch)
    values = odd_values(7)
    found = list(read_snapshots(write(tmp_path / "a.parquet", values)))
    assert [s.ts for s in found] == [at(k) for k in range(7)]
    assert [s.asset for s in found] == ["BTC", "ETH", "BTC", "ETH", "BTC", "ETH", "BTC"]
    assert np.array([s.values for s in found]).tobytes() == values.tobytes()
    assert {s.schema_id for s in found} == {"of the profile"}
    assert not any(s.values.flags.writeable for s in found)


def test_batches_number_assets_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BTC is 0 and ETH 1, whatever the order in the origin; no batch is longer than asked."""
    monkeypatch.setattr("backtests.snapshot_file.BATCH_ROWS", 2)
    parts = list(read_batches(write(tmp_path / "a.parquet", odd_values(5))))
    assert [numbers.tolist() for _, numbers, _ in parts] == [[0, 1], [0, 1], [0]]
    assert [values.shape for _, _, values in parts] == [(2, WIDTH), (2, WIDTH), (1, WIDTH)]


@pytest.mark.parametrize("origin", [ORIGIN, replace(ORIGIN, days_apart=True, without_book=())])
def test_the_origin_comes_back(tmp_path: Path, origin: Origin) -> None:
    """Every field of it, in the types it had; also of a file without a snapshot."""
    assert Origin.read(write(tmp_path / "a.parquet", odd_values(2), origin)) == origin
    with SnapshotWriter(tmp_path / "deep" / "none.parquet", origin):
        pass
    assert Origin.read(tmp_path / "deep" / "none.parquet") == origin
    assert list(read_snapshots(tmp_path / "deep" / "none.parquet")) == []
    assert pq.read_schema(tmp_path / "deep" / "none.parquet").names == ["ts", "asset", *(f.name for f in FEATURES)]


# -- whether snapshots may be used -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [
        ORIGIN,
        replace(ORIGIN, end_ns=at(59)),
        replace(ORIGIN, assets={"BTC": ORIGIN.assets["BTC"]}),
        # a market of an asset that is not wanted may have lost its book
        replace(ORIGIN, assets={"ETH": ORIGIN.assets["ETH"]}, without_book=()),
    ],
    ids=["same", "shorter", "fewer assets", "other books of an asset not wanted"],
)
def test_more_than_is_wanted_will_do(wanted: Origin) -> None:
    """Snapshots that go on for longer, or of more assets, are those that are wanted and some more."""
    ORIGIN.require(wanted, Path("a.parquet"))


REASONS: dict[str, tuple[dict[str, object], dict[str, object], str]] = {
    "schema": ({}, {"schema_id": "another"}, "its features have schema of the profile, the profile's another"),
    "catalog": ({}, {"catalog": "another"}, "it was made from catalog of the market, this one is another"),
    "days": ({"days_apart": True}, {}, "its days were computed apart, each beginning cold, which a replay does not"),
    "asset": ({}, {"assets": ORIGIN.assets | {"SOL": ("SOLUSDT-PERP.BINANCE",)}}, "it has no SOL"),
    "markets": (
        {},
        {"assets": ORIGIN.assets | {"BTC": ("BTCUSDT.BINANCE_SPOT", "BTCUSDT-PERP.BINANCE")}},
        f"its BTC is made of {', '.join(ORIGIN.assets['BTC'])}, here it is {', '.join(reversed(ORIGIN.assets['BTC']))}",
    ),
    "fewer books": ({}, {"without_book": (*ORIGIN.without_book, "ETHUSDT-PERP.BINANCE")}, "it read other books"),
    "more books": ({}, {"without_book": ()}, "it read other books"),
    "later start": (
        {},
        {"start_ns": at(1)},
        "it begins at 2023-11-14T22:13:20.000000000Z, the replay at 2023-11-14T22:13:21.000000000Z",
    ),
    "earlier start": (
        {},
        {"start_ns": at(-1)},
        "it begins at 2023-11-14T22:13:20.000000000Z, the replay at 2023-11-14T22:13:19.000000000Z",
    ),
    "end": (
        {},
        {"end_ns": at(61)},
        "it ends at 2023-11-14T22:14:20.000000000Z, the replay at 2023-11-14T22:14:21.000000000Z",
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_each_difference_alone_is_refused(name: str) -> None:
    """The message names the file, this one difference and no other, and what to do."""
    of_file, wanted, reason = REASONS[name]
    with pytest.raises(SnapshotFileError) as caught:
        replace(ORIGIN, **of_file).require(replace(ORIGIN, **wanted), Path("made/a.parquet"))
    assert str(caught.value) == (
        f"made/a.parquet cannot be used: {reason}. Make it anew with backtests/features.py "
        "from the same catalog, profile, --start and --end"
    )


def test_all_differences_are_named_at_once() -> None:
    """Nobody has to make a file seven times."""
    together = ("schema", "catalog", "days", "asset", "fewer books", "later start", "end")
    of_file: dict[str, object] = {}
    wanted: dict[str, object] = {}
    for name in together:
        of_file |= REASONS[name][0]
        wanted |= REASONS[name][1]
    with pytest.raises(SnapshotFileError) as caught:
        replace(ORIGIN, **of_file).require(replace(ORIGIN, **wanted), Path("a.parquet"))
    for name in together:
        assert REASONS[name][2] in str(caught.value)
    assert str(caught.value).count(";") == len(together) - 1


# -- nothing half-written ----------------------------------------------------------------------------------------------


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_until_it_is_closed_the_old_file_stays(tmp_path: Path) -> None:
    """What was there before can be read until the new file takes its place in one step."""
    path = write(tmp_path / "a.parquet", odd_values(3))
    writer = SnapshotWriter(path, replace(ORIGIN, catalog="another"))
    assert Origin.read(path) == ORIGIN
    writer.close()
    assert Origin.read(path).catalog == "another"
    assert names(tmp_path) == {"a.parquet"}


@pytest.mark.parametrize("before", [False, True], ids=["nothing before", "a file before"])
def test_an_error_leaves_nothing_behind(tmp_path: Path, before: bool) -> None:
    """Neither a part of the new file nor a change of the old one."""
    path = tmp_path / "a.parquet"
    old = write(path, odd_values(3)).read_bytes() if before else None

    def fail() -> None:
        with SnapshotWriter(path, ORIGIN) as writer:
            writer.write(np.array([at(0)]), writer.numbers(["BTC"]), odd_values(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(tmp_path) == ({"a.parquet"} if before else set())
    assert (path.read_bytes() if before else None) == old


def test_discarding_leaves_nothing_behind(tmp_path: Path) -> None:
    """As if it had never been begun."""
    writer = SnapshotWriter(tmp_path / "a.parquet", ORIGIN)
    writer.write(np.array([at(0)]), writer.numbers(["ETH"]), odd_values(1))
    writer.discard()
    assert names(tmp_path) == set()


def test_a_place_that_cannot_be_taken_leaves_no_part(tmp_path: Path) -> None:
    """A directory bears the file's name: the error says so, and the part is gone."""
    (tmp_path / "a.parquet").mkdir()
    with pytest.raises(OSError, match=r"a\.parquet"), SnapshotWriter(tmp_path / "a.parquet", ORIGIN):
        pass
    assert names(tmp_path) == {"a.parquet"}


def test_what_a_crash_left_is_replaced(tmp_path: Path) -> None:
    """A part of a file that was never closed stands in nobody's way."""
    (tmp_path / "a.parquet.partial").write_text("half of a file")
    path = write(tmp_path / "a.parquet", odd_values(3))
    assert len(list(read_snapshots(path))) == 3
    assert names(tmp_path) == {"a.parquet"}


# -- files of others ---------------------------------------------------------------------------------------------------


def foreign(path: Path) -> None:
    pq.write_table(pa.table({"ts": [1], "asset": ["BTC"]}), path)


def with_metadata(metadata: bytes) -> Callable[[Path], None]:
    return lambda path: pq.write_table(pa.table({"ts": [1]}).replace_schema_metadata({"crossflow": metadata}), path)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        Path.mkdir,
        lambda path: path.write_text("ts,asset,price"),
        lambda path: path.write_bytes(write(path, odd_values(3)).read_bytes()[:-9]),
        foreign,
        with_metadata(b"not json"),
        with_metadata(b"[]"),
        with_metadata(b"{}"),
        with_metadata(b'{"assets": [], "without_book": []}'),
        with_metadata(b'{"assets": {}, "without_book": []}'),
        with_metadata(b"\xff"),
    ],
    ids=[
        "missing", "directory", "text", "truncated", "foreign", "no json", "list", "no assets", "assets listed",
        "fields missing", "no text",
    ],
)  # fmt: skip
def test_what_was_not_written_here_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """The error names the file and what makes one, from whichever side it is read."""
    path = tmp_path / "theirs.parquet"
    make(path)
    for read in (Origin.read, lambda p: list(read_snapshots(p)), lambda p: list(read_batches(p))):
        with pytest.raises(
            SnapshotFileError, match=r"theirs\.parquet is no file of snapshots .*backtests/features\.py"
        ):
            read(path)


@pytest.mark.parametrize(
    "columns",
    [SCHEMA.names[:-1], [*SCHEMA.names, "more"], [SCHEMA.names[1], SCHEMA.names[0], *SCHEMA.names[2:]]],
    ids=["one less", "one more", "other order"],
)
def test_other_columns_are_refused(tmp_path: Path, columns: list[str]) -> None:
    """A file of another release: its numbers would be taken for those of other features."""
    table = pa.table({name: pa.array(["BTC"] if name == "asset" else [1]) for name in columns})
    pq.write_table(table.replace_schema_metadata(ORIGIN.to_metadata()), tmp_path / "old.parquet")
    with pytest.raises(SnapshotFileError, match=r"old\.parquet has other columns than this release writes"):
        list(read_snapshots(tmp_path / "old.parquet"))
