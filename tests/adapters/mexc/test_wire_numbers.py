"""Numbers and ids of the wire: exact in any notation, ids of either type, no float in between."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.wire_numbers import WireId, exact, id_text, millis, optional_id, places, plain_text
from tests.adapters.mexc.recorded_payloads import frames, needs_fixtures


@needs_fixtures
def test_exponent_forms_of_the_fixture() -> None:
    """A price and a turnover in exponent form are the same numbers as written out."""

    class Data(msgspec.Struct):
        bids: list[list[Decimal]] = []
        amount: list[Decimal] = []

    class Outer(msgspec.Struct):
        data: Data

    depth, klines = (msgspec.json.decode(text, type=Outer).data for text in frames("wire_number_forms"))
    assert depth.bids == [[Decimal(75480), Decimal(0), Decimal(0)]]
    assert klines.amount == [Decimal("61062435.67181")]


@pytest.mark.parametrize("value", ["101716841474621953", 101716841474621953])
def test_ids_of_either_type_beyond_doubles(value: WireId) -> None:
    """An id above 2^53 keeps its last digit, as text or as number."""
    text = msgspec.json.encode(value)
    assert id_text(msgspec.json.decode(text, type=WireId), "order", "orderId") == "101716841474621953"


@given(st.integers(0, 2**64 - 1))
def test_any_64_bit_id(number: int) -> None:
    """Whatever the id: number and text give the same."""
    decoded = [msgspec.json.decode(text, type=WireId) for text in (b"%d" % number, b'"%d"' % number)]
    assert [id_text(value, "c", "f") for value in decoded] == [str(number)] * 2


@pytest.mark.parametrize("text", [b"1.01716841474621953E17", b"1.0", b"true", b"null", b"[1]"])
def test_ids_never_come_from_floats(text: bytes) -> None:
    """A number with a point or an exponent is no id: its last digits may be lost."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=WireId)


@pytest.mark.parametrize("value", ["", -5, "-5", "x" * 37, "a\nb", "идент"])
def test_bad_ids_are_errors_with_their_place(value: WireId) -> None:
    """Empty, negative, overlong or unprintable."""
    with pytest.raises(MexcPayloadError, match=r"push\.x: orderId: .* is not an id"):
        id_text(value, "push.x", "orderId")


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), (0, None), ("0", None), ("", None), (7, "7"), ("7", "7")]
)
def test_zero_stands_for_no_id(value: WireId | None, expected: str | None) -> None:
    """``positionId`` 0 is no position."""
    assert optional_id(value, "c", "f") == expected


@pytest.mark.parametrize("value", [1587442022003, "1587442022003"])
def test_times_of_either_type(value: int | str) -> None:
    """The login's acknowledgement has its time as text."""
    assert millis(value, "rs.login", "ts") == 1587442022003


@pytest.mark.parametrize("value", [0, -1, "", "12a", "1.5", 10**18, 176_187_779_567_135, "9" * 20, "٣"])
def test_bad_times(value: int | str) -> None:
    """Nothing that is not a time in milliseconds; digits of other scripts are none."""
    with pytest.raises(MexcPayloadError, match="is not a time in milliseconds"):
        millis(value, "c", "ts")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1E+999999999", "1E-999999", "1E+13", "sNaN"])
def test_numbers_that_cannot_be_meant(text: str) -> None:
    """Not finite, or of a size that would take all memory to write out."""
    with pytest.raises(MexcPayloadError, match="no number that can be meant"):
        exact(Decimal(text), "c", "f")


@pytest.mark.parametrize(
    ("text", "count", "plain"),
    [
        ("0.080100", 4, "0.0801"),
        ("7.548E+4", 0, "75480"),
        ("39144", 0, "39144"),
        ("1E-5", 5, "0.00001"),
        ("0", 0, "0"),
        ("0.000", 0, "0"),
        ("-0.50", 1, "-0.5"),
        ("100", 0, "100"),
    ],
)
def test_places_and_plain_text(text: str, count: int, plain: str) -> None:
    """How many decimal places a number needs, and how it is written."""
    assert (places(Decimal(text)), plain_text(Decimal(text))) == (count, plain)
    assert exact(Decimal(text), "c", "f") == Decimal(plain)
