"""Levels straight from the bytes of a depth message."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.formats.csv_blocks import to_decimals
from catalog.formats.level_kernel import ROOM_LEVELS, LevelReader, LevelWords

READER = LevelReader()


def levels(words: LevelWords) -> list[list[Decimal]]:
    prices, sizes = (to_decimals(words[:, column]).to_pylist() for column in range(2))
    return [list(level) for level in zip(prices, sizes, strict=True)]


def message(bids: str, asks: str) -> bytes:
    return b'{"u":1,"b":%s,"a":%s}' % (bids.encode(), asks.encode())


def test_levels_are_exact_and_the_rest_is_handed_back() -> None:
    """Bids and asks in units of 1e-16, and the text around them."""
    cut = READER.cut(message('[["63943.90","0.100"],["5","0.000"]]', '[["123456789012345678","0.0000000000000001"]]'))
    assert cut is not None
    assert (cut.head, cut.tail) == (b'{"u":1', b"}")
    assert levels(cut.bids) == [[Decimal("63943.9"), Decimal("0.1")], [Decimal(5), Decimal(0)]]
    assert levels(cut.asks) == [[Decimal(123456789012345678), Decimal("0.0000000000000001")]]


@pytest.mark.parametrize(("bids", "asks"), [("[]", "[]"), ("[]", '[["1","2"]]'), ('[["1","2"]]', "[]")])
def test_empty_sides(bids: str, asks: str) -> None:
    """Either side may have no levels."""
    cut = READER.cut(message(bids, asks))
    assert cut is not None
    assert (len(cut.bids), len(cut.asks)) == (len(bids) > 2, len(asks) > 2)


@pytest.mark.parametrize(
    "number",
    ["", ".", ".5", "5.", "1.2.3", "-1", "+1", "1e3", "1E-2", "x", " 1", "1 ", "1_0", "1,5", '1\\"', "\\u0031", "nan",
     "1234567890123456789", "0.00000000000000001", "1.00000000000000000"],
)  # fmt: skip
def test_odd_numbers_are_left_to_the_parser(number: str) -> None:
    """Whatever needs an eye on it is not taken, on either place."""
    assert READER.cut(message(f'[["1","1"],["{number}","1"]]', "[]")) is None
    assert READER.cut(message("[]", f'[["1","{number}"]]')) is None


@pytest.mark.parametrize("price", ["0", "0.00"])
def test_price_of_zero_is_left_to_the_parser(price: str) -> None:
    """It is to be reported with its text; a size of zero is a deleted level."""
    assert READER.cut(message(f'[["{price}","1"]]', "[]")) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "}",
        '{"u":1,"b":[',
        '{"u":1,"b":[}',
        '{"u":1,"b":[["1","1"]]}',
        '{"u":1,"b":[["1","1"]],"a":[["1","1"]]',
        '{"u":1,"b":[["1","1"],],"a":[]}',
        '{"u":1,"b":[["1"]],"a":[]}',
        '{"u":1,"b":[["1","1","1"]],"a":[]}',
        '{"u":1,"b":[[1,"1"]],"a":[]}',
        '{"u":1,"b":[["1", "1"]],"a":[]}',
        '{"u":1,"b": [["1","1"]],"a":[]}',
        '{"u":1,"b":[["1","1"]], "a":[]}',
        '{"u":1,"b":[["1","1"]],"x":0,"a":[]}',
        '{"u":1,"a":[["1","1"]],"b":[]}',
        '{"u":1,"b":[["1","1"]],"a":null}',
        '{"u":1,"b":[[]],"a":[]}',
    ],
)
def test_other_forms_are_left_to_the_parser(text: str) -> None:
    """Only the two arrays side by side without a space are taken; a message may end anywhere."""
    assert READER.cut(text.encode()) is None


def test_rooms_are_not_written_twice() -> None:
    """Levels that were handed out stay as they are, also when the room is full or too small for one message."""
    reader = LevelReader()
    first = reader.cut(message('[["7","1"]]', "[]"))
    many = ",".join(['["1","1"]'] * (ROOM_LEVELS + 1))
    second = reader.cut(message(f"[{many}]", "[]"))
    third = reader.cut(message('[["8","1"]]', "[]"))
    assert first is not None
    assert second is not None
    assert third is not None
    assert levels(first.bids) == [[Decimal(7), Decimal(1)]]
    assert len(second.bids) == ROOM_LEVELS + 1
    assert levels(third.bids) == [[Decimal(8), Decimal(1)]]


NUMBERS = st.from_regex(r"[0-9]{1,10}(\.[0-9]{1,8})?", fullmatch=True)
SIDES = st.lists(st.tuples(NUMBERS.filter(lambda text: Decimal(text) > 0), NUMBERS), max_size=5)


@given(SIDES, SIDES)
def test_agrees_with_a_json_parser(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
    """Every usual message is taken, and holds what JSON and decimal arithmetic make of it."""
    text = orjson.dumps({"u": 1, "b": bids, "a": asks})
    cut = READER.cut(text)
    assert cut is not None
    assert levels(cut.bids) == [[Decimal(number) for number in level] for level in bids]
    assert levels(cut.asks) == [[Decimal(number) for number in level] for level in asks]
