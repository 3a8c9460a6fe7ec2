"""The money of the account, from queries and pushes that may overtake each other."""

from decimal import Decimal

from nautilus_trader.model.objects import AccountBalance, Money

from adapters.mexc.constants import Channel
from adapters.mexc.schemas.private_account import AssetRow
from adapters.mexc.symbols import currency
from adapters.mexc.wire_numbers import exact


class AssetBook:
    """The newest row of every currency that was ever held."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, AssetRow]] = {}
        self.pushes = 0
        """How many were taken: a question notes it, see `take_answer`."""

    def take(self, row: AssetRow, ts_ms: int) -> bool:
        """A pushed row of this time (venue, UNIX ms); False when a newer one is known already."""
        newest, _ = self._rows.get(row.currency, (0, None))
        if ts_ms < newest:
            return False
        self._rows[row.currency] = ts_ms, row
        self.pushes += 1
        return True

    def take_answer(self, row: AssetRow, ts_ms: int, pushes: int) -> None:
        """A row of a query that was asked at `ts_ms`, when so many `pushes` had been taken.

        Where none has come since, the answer is the newest, whatever the times say: the venue's clock may have been set
        back.
        """
        newest, _ = self._rows.get(row.currency, (0, None))
        if pushes == self.pushes or ts_ms >= newest:
            self._rows[row.currency] = ts_ms, row

    @property
    def ts_ms(self) -> int:
        """Time of the newest row."""
        return max((ts_ms for ts_ms, _ in self._rows.values()), default=0)

    def balances(self) -> list[AccountBalance]:
        """Totals, and what of them is locked by orders and positions. Currencies without money are left out.

        The total is what is available, frozen and held as margin, because pushes carry neither cash nor equity.
        """
        return [_balance(row) for _, row in self._rows.values() if _has_money(row)]


def _has_money(row: AssetRow) -> bool:
    return any((row.available_balance, row.frozen_balance, row.position_margin))


def _balance(row: AssetRow) -> AccountBalance:
    """Rounded to the currency's places once, from exact decimals: free and locked must add up to the total."""
    free = _money(row.available_balance, row.currency)
    locked = _money(row.frozen_balance + row.position_margin, row.currency)
    return AccountBalance(total=_money(free.as_decimal() + locked.as_decimal(), row.currency), locked=locked, free=free)


def _money(amount: Decimal, code: str) -> Money:
    """MexcPayloadError for a sum that Nautilus cannot hold."""
    return Money.from_decimal(exact(amount, Channel.ASSET, code), currency(code))
