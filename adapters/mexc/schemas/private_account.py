"""Private payloads of the account: positions, assets, leverage, position mode and fees. Rules as in ``private``."""

from decimal import Decimal

from adapters.mexc.constants import MexcMarginMode, MexcPositionMode, MexcPositionState, MexcPositionType
from adapters.mexc.schemas.payload import Id, Millis, Payload


class PositionRow(Payload, frozen=True):
    """A position: a row of the position queries, and ``push.personal.position``.

    `fee` has the sign of profit in pushes and the sign of a cost in old rows: costs are taken from fills. `hold_fee` is
    funding, positive when received.
    """

    ids = ("position_id",)
    times = ("create_time", "update_time")
    names = ("symbol",)
    not_below_zero = ("hold_vol", "hold_avg_price")

    position_id: Id
    symbol: str
    position_type: MexcPositionType
    open_type: MexcMarginMode
    state: MexcPositionState
    hold_vol: Decimal
    hold_avg_price: Decimal
    update_time: Millis
    create_time: Millis | None = None
    frozen_vol: Decimal | None = None
    close_vol: Decimal | None = None
    open_avg_price: Decimal | None = None
    close_avg_price: Decimal | None = None
    liquidate_price: Decimal | None = None
    oim: Decimal | None = None
    im: Decimal | None = None
    hold_fee: Decimal | None = None
    realised: Decimal | None = None
    fee: Decimal | None = None
    close_profit_loss: Decimal | None = None
    pnl: Decimal | None = None
    leverage: Decimal | None = None
    margin_ratio: Decimal | None = None
    auto_add_im: bool | None = None
    version: int | None = None


class AssetRow(Payload, frozen=True):
    """Money in one currency: a row of ``account/assets``, and ``push.personal.asset`` (fewer fields)."""

    names = ("currency",)

    currency: str
    available_balance: Decimal
    frozen_balance: Decimal
    """Held for resting orders."""
    position_margin: Decimal
    cash_balance: Decimal | None = None
    equity: Decimal | None = None
    unrealized: Decimal | None = None
    bonus: Decimal | None = None
    available_cash: Decimal | None = None
    available_open: Decimal | None = None


class LeverageRow(Payload, frozen=True):
    """Leverage of one side of a contract: a row of ``position/leverage`` and of ``account/risk_limit``."""

    position_type: MexcPositionType
    leverage: Decimal
    open_type: MexcMarginMode | None = None
    symbol: str | None = None
    level: int | None = None
    max_vol: Decimal | None = None
    mmr: Decimal | None = None
    imr: Decimal | None = None
    max_leverage: Decimal | None = None
    max_leverage_view: Decimal | None = None
    limit_by_sys: bool | None = None
    current_mmr: Decimal | None = None


class RiskLimitPush(LeverageRow, frozen=True, kw_only=True):
    """``push.personal.risk.limit``."""

    risk_source: int | None = None
    max_vol_view: Decimal | None = None


class FeeRates(Payload, frozen=True):
    """``account/tiered_fee_rate/v2``: what the account really pays, as fractions of the notional value."""

    symbol: str
    real_maker_fee: Decimal
    real_taker_fee: Decimal
    original_maker_fee: Decimal | None = None
    original_taker_fee: Decimal | None = None
    fee_rate_mode: str | None = None
    level: int | None = None


class LiquidateRisk(Payload, frozen=True):
    """``push.personal.liquidate.risk``: a position comes near its liquidation."""

    ids = ("position_id",)

    position_id: Id
    symbol: str
    liquidate_price: Decimal | None = None
    margin_ratio: Decimal | None = None
    adl_level: int | None = None


class PositionModePush(Payload, frozen=True):
    """``push.personal.position.mode``."""

    position_mode: MexcPositionMode


class LeverageModePush(Payload, frozen=True):
    """``push.personal.leverage.mode``: 1 plain, 2 advanced."""

    lm: int


class ReversedPosition(Payload, frozen=True):
    """``push.personal.reverse.position``."""

    ids = ("position_id",)

    position_id: Id
    state: int
    contract_id: int | None = None
    error_code: int | None = None
