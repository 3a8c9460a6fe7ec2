"""Numbers and ids as the wire carries them: exact decimals in any notation, ids as text or number, never a float.

Prices and amounts come with any count of trailing zeros and sometimes as ``7.548E+4``; ids beyond 2^53 come as string
in most places and as bare number in others. msgspec decodes a JSON number into a Decimal or an int from its text, so
nothing here has ever been a double.
"""

from decimal import Decimal

from adapters.mexc.errors import MexcPayloadError

type WireId = str | int
"""An id in a struct: the venue sends the same field as either."""
type WireMillis = int | str
"""A time in a struct: UNIX milliseconds, now and then as text."""

RAW_SCALE = 16
"""Decimal places of Nautilus's fixed-point numbers (128-bit builds)."""
MAX_EXPONENT = 12
"""Numbers below 10^13 are within what Nautilus's prices (1.7e13) and quantities (3.4e13) hold."""
_MAX_ID_DIGITS = 34
"""Nautilus's trade ids hold 36 characters, and a maker's fill has two more than the venue's id."""
_MAX_NAME_CHARACTERS = 64
MAX_SECONDS = 16_725_225_600  # the year 2500; 64 bits of nanoseconds end in 2554


def id_text(value: WireId, channel: str, field: str) -> str:
    """An id as text, whichever type it came as. MexcPayloadError for an empty, negative or overlong one."""
    text = value if isinstance(value, str) else str(value)
    readable = text.isascii() and text.isprintable() and text == text.strip()
    if not text or len(text) > _MAX_ID_DIGITS or text[0] == "-" or not readable:
        raise MexcPayloadError(channel, field, f"{value!r:.60} is not an id")
    return text


def optional_id(value: WireId | None, channel: str, field: str) -> str | None:
    """As `id_text`; None for a missing id and for 0, which stands for "none" on the wire (``positionId``)."""
    return None if value is None or value in (0, "0", "") else id_text(value, channel, field)


def name_text(value: str, channel: str, field: str, *, any_script: bool = True) -> str:
    """The name of a contract, a currency or an order, as it is. MexcPayloadError for one that cannot be a name.

    What Nautilus's core cannot hold (a zero byte in front; in an order's name a letter beyond ASCII, which `any_script`
    False refuses) ends the whole process there, where Python cannot catch it.
    """
    printable = value.isprintable() and (any_script or value.isascii())
    if not value or len(value) > _MAX_NAME_CHARACTERS or not printable or value != value.strip():
        raise MexcPayloadError(channel, field, f"{value!a:.60} is not a name")
    return value


def millis(value: WireMillis, channel: str, field: str) -> int:
    """A time in UNIX milliseconds, from number or text."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= 15):
            raise MexcPayloadError(channel, field, f"{value!r:.60} is not a time in milliseconds")
        value = int(value)
    if not 0 < value <= MAX_SECONDS * 1000:
        raise MexcPayloadError(channel, field, f"{value!r:.60} is not a time in milliseconds")
    return value


def exact(value: Decimal, channel: str, field: str) -> Decimal:
    """The number itself, when it is finite and of a size that prices and quantities can have.

    MexcPayloadError otherwise: "NaN" and ``1E+999999999`` are decimals too, and the latter would take all memory to
    write out.
    """
    if not value.is_finite() or (value and not -MAX_EXPONENT * 3 <= value.adjusted() <= MAX_EXPONENT):
        raise MexcPayloadError(channel, field, f"{value!s:.40} is no number that can be meant")
    return value


def places(value: Decimal) -> int:
    """Decimal places that the number needs: 0.0100 has two, 7.548E+4 has none."""
    if not value:
        return 0
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def plain_text(value: Decimal) -> str:
    """Digits without exponent and without trailing zeros: what a person would write."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
