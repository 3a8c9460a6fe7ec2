"""Position mode, margin mode and leverage: set and checked before the first order, never assumed."""

from collections.abc import Mapping

import msgspec

from adapters.mexc import endpoints
from adapters.mexc.account_reader import AccountReader
from adapters.mexc.constants import MexcMarginMode, MexcPositionType
from adapters.mexc.errors import MexcError, MexcRefusedError, MexcUnavailableError, MexcUnknownOutcomeError
from adapters.mexc.orders import NotPossibleError, Setup
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.private_account import LeverageRow, PositionRow
from adapters.mexc.turns import Turns

TRIES = 3
SIDES = (MexcPositionType.LONG, MexcPositionType.SHORT)
SETUP_CODES = frozenset({2002, 2006, 2021, 2023, 2024, 2027})
"""Refusals of an order for its margin mode or its leverage."""


class AccountSetupError(MexcError):
    """The account is not set up as the configuration says, and could not be made so: nothing can be traded."""


class AccountSetup:
    """Holds the account to the configuration. `leverages` is by symbol; others have `leverage`."""

    def __init__(
        self, rest: RestClient, reader: AccountReader, setup: Setup, leverage: int, leverages: Mapping[str, int]
    ) -> None:
        self._rest = rest
        self._reader = reader
        self._setup = setup
        self._leverage = leverage
        self._leverages = dict(leverages)
        self._ready: set[str] = set()
        self._turns: Turns[str] = Turns()

    async def check_position_mode(self, *, may_change: bool) -> None:
        """AccountSetupError when the account's mode is another one and may not, or cannot, be changed;
        MexcUnavailableError when the venue has not answered for a change of it."""
        wanted = self._setup.position_mode
        actual = await self._reader.position_mode()
        if actual is wanted:
            return
        if not may_change:
            raise AccountSetupError(
                f"the account is in {actual.name} mode, the configuration says {wanted.name}: change one of them, or "
                "set change_position_mode"
            )
        lost: MexcUnknownOutcomeError | None = None
        for _ in range(TRIES):
            try:
                await self._rest.post(endpoints.CHANGE_POSITION_MODE, {"positionMode": int(wanted)}, msgspec.Raw)
                lost = None
            except MexcRefusedError as error:
                raise AccountSetupError(
                    f"the account stays in {actual.name} mode ({error}): it can be changed only without any order, "
                    "trigger order or position"
                ) from error
            except MexcUnknownOutcomeError as error:
                lost = error  # the next question tells, and to set it again does no harm
            if (actual := await self._reader.position_mode()) is wanted:
                return
        if lost is not None:
            raise MexcUnavailableError(f"the account is still in {actual.name} mode: {lost}") from lost
        raise AccountSetupError(f"the account is still in {actual.name} mode after it was set to {wanted.name}")

    def leverage_of(self, symbol: str) -> int:
        """The leverage that orders of a contract are sent with."""
        return self._leverages.get(symbol, self._leverage)

    def is_ready(self, symbol: str) -> bool:
        """Whether `prepare` has been through for this contract."""
        return symbol in self._ready

    async def prepare(self, symbol: str) -> int:
        """Make sure of margin mode and leverage of a contract, once; returns the leverage.

        NotPossibleError when they are other ones and cannot be changed now.
        """
        async with self._turns.of(symbol):
            if symbol not in self._ready:
                await self._set_leverage(symbol)
                self._ready.add(symbol)
        return self.leverage_of(symbol)

    def note_refusal(self, symbol: str, error: MexcRefusedError) -> None:
        """An order was refused. If it was for leverage or margin mode, somebody has changed them: they are checked
        again before the next order of the contract that opens something."""
        if error.code in SETUP_CODES:
            self._ready.discard(symbol)

    async def _set_leverage(self, symbol: str) -> None:
        for _ in range(TRIES):
            wrong = self._wrong_sides(symbol, await self._reader.leverage(symbol))
            if not wrong:
                return
            held = {row.position_type: row for row in await self._reader.positions() if row.symbol == symbol}
            for side in wrong:
                await self._change(symbol, side, held.get(side))
        if wrong := self._wrong_sides(symbol, await self._reader.leverage(symbol)):
            raise NotPossibleError(
                f"{symbol}: {' and '.join(side.name for side in wrong)} are still not at {self._wish(symbol)}"
            )

    def _wrong_sides(self, symbol: str, rows: list[LeverageRow]) -> list[MexcPositionType]:
        """Sides for which the venue does not show what is wished for."""
        right = {row.position_type for row in rows if self._fits(symbol, row)}
        return [side for side in SIDES if side not in right]

    def _fits(self, symbol: str, row: LeverageRow) -> bool:
        mode_fits = row.open_type in (None, self._setup.margin_mode)
        return mode_fits and row.leverage == self.leverage_of(symbol)

    async def _change(self, symbol: str, side: MexcPositionType, held: PositionRow | None) -> None:
        wish, mode = self.leverage_of(symbol), self._setup.margin_mode
        if held is not None and held.open_type is not mode:
            raise NotPossibleError(
                f"{symbol}: a {side.name} position is held as {held.open_type.name}, the configuration says "
                f"{mode.name}: close it first"
            )
        body = (
            {"positionId": int(held.position_id), "leverage": wish}
            if held is not None
            else {"symbol": symbol, "leverage": wish, "openType": int(mode), "positionType": int(side)}
        )
        try:
            await self._rest.post(endpoints.CHANGE_LEVERAGE, body, msgspec.Raw)
        except MexcRefusedError as error:
            raise NotPossibleError(f"{symbol}: {self._wish(symbol)} was refused for {side.name}: {error}") from error
        except MexcUnknownOutcomeError:
            pass  # what the venue shows afterwards tells, and to set it again does no harm

    def _wish(self, symbol: str) -> str:
        mode = MexcMarginMode(self._setup.margin_mode).name.lower()
        return f"{self.leverage_of(symbol)}x {mode}"
