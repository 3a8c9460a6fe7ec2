"""Decimals of the wire as Nautilus's fixed-point integers: exact, or an error."""

from decimal import Context, Decimal

from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.wire_numbers import RAW_SCALE, exact, places, plain_text

_WIDE = Context(prec=64)
_KEPT = 50_000


class FixedPoint:
    """Numbers of one kind and contract, as integers of 10^-16, each worked out once.

    Prices of a book come again and again, so most look-ups are a dictionary's. `precision` is how many decimal places
    the contract allows; more of them mean that its tick or step has changed, and are an error rather than rounded.
    """

    def __init__(self, field: str, precision: int, *, zero_allowed: bool) -> None:
        if not 0 <= precision <= RAW_SCALE:
            raise ValueError(f"{field} with {precision} decimal places: Nautilus holds 0 to {RAW_SCALE}")
        self.field = field
        self.precision = precision
        self._zero_allowed = zero_allowed
        self._raw: dict[Decimal, int] = {}

    def raw(self, value: Decimal, channel: str) -> int:
        """The integer. MexcPayloadError for a number that is negative, zero (where that is not
        allowed), or has too many places."""
        try:
            raw = self._raw.get(value)
        except TypeError:  # a signalling NaN has no hash
            raw = None
        if raw is None:
            raw = self._work_out(value, channel)
            if len(self._raw) >= _KEPT:
                self._raw.clear()
            self._raw[value] = raw
        return raw

    def _work_out(self, value: Decimal, channel: str) -> int:
        exact(value, channel, self.field)
        if value < 0 or not (value or self._zero_allowed):
            raise MexcPayloadError(channel, self.field, f"{plain_text(value)} must be above 0")
        if places(value) > self.precision:
            raise MexcPayloadError(
                channel,
                self.field,
                f"{plain_text(value)} has more than the contract's {self.precision} decimal places: "
                "its definition has changed",
            )
        return int(_WIDE.scaleb(value, RAW_SCALE))
