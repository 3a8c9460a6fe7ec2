"""Public REST replies of the contract API: what is inside ``data``.

Volumes are counts of contracts, times UNIX milliseconds except the klines' (seconds), rates fractions.
"""

from decimal import Decimal

import msgspec

from adapters.mexc.constants import MexcFutureType
from adapters.mexc.wire_numbers import WireMillis


class PublicPayload(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A JSON object of the venue. Fields that are not declared are ignored; declared ones without default must come.

    Nothing is checked beyond types here, because these come by the thousand: numbers are checked where they are used.
    """


class Level(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """``[price, contracts, orders]``: what rests at a price now, absolute; 0 contracts remove the level.

    The documentation swaps the last two columns; rebuilt books have shown that the wire has them like this.
    """

    price: Decimal
    volume: Decimal
    orders: int = 0


class RiskTier(PublicPayload, frozen=True):
    """One step of ``riskLimitCustom``: up to `max_vol` contracts these margins hold."""

    level: int
    max_vol: Decimal
    mmr: Decimal
    imr: Decimal
    max_leverage: Decimal


class ContractDetail(PublicPayload, frozen=True):
    """``contract/detail``, and ``push.contract``, which has no `api_allowed`."""

    symbol: str
    base_coin: str
    quote_coin: str
    settle_coin: str
    contract_size: Decimal
    """Base units per contract (linear), quote units per contract (inverse)."""
    price_unit: Decimal
    """The tick; `price_scale` is not always its decimal places."""
    vol_unit: Decimal
    min_vol: Decimal
    max_vol: Decimal
    state: int
    """``MexcContractState``; any number but 0 is not tradable."""
    price_scale: int = 0
    vol_scale: int = 0
    amount_scale: int = 0
    api_allowed: bool | None = None
    future_type: int = MexcFutureType.PERPETUAL
    display_name: str = ""
    display_name_en: str = ""
    base_coin_name: str | None = None
    quote_coin_name: str | None = None
    position_open_type: int | None = None
    min_leverage: Decimal | None = None
    max_leverage: Decimal | None = None
    country_config_contract_max_leverage: Decimal | None = None
    limit_max_vol: Decimal | None = None
    bid_limit_price_rate: Decimal | None = None
    ask_limit_price_rate: Decimal | None = None
    taker_fee_rate: Decimal | None = None
    maker_fee_rate: Decimal | None = None
    maintenance_margin_rate: Decimal | None = None
    initial_margin_rate: Decimal | None = None
    risk_base_vol: Decimal | None = None
    risk_incr_vol: Decimal | None = None
    risk_incr_mmr: Decimal | None = None
    risk_incr_imr: Decimal | None = None
    risk_long_short_switch: int | None = None
    risk_level_limit: int | None = None
    risk_limit_type: str | None = None
    risk_limit_mode: str | None = None
    risk_limit_custom: list[RiskTier] | None = None
    price_coefficient_variation: Decimal | None = None
    index_origin: list[str] | None = None
    is_new: bool | None = None
    is_hot: bool | None = None
    is_hidden: bool | None = None
    is_zero_fee_rate: bool | None = None
    is_zero_fee_symbol: bool | None = None
    concept_plate: list[str] | None = None
    concept_plate_id: list[int] | None = None
    max_num_orders: list[int] | None = None
    """Most open orders: in hedge mode, in one-way mode."""
    market_order_max_level: int | None = None
    market_order_price_limit_rate1: Decimal | None = None
    market_order_price_limit_rate2: Decimal | None = None
    trigger_protect: Decimal | None = None
    depth_step_list: list[str] | None = None
    liquidation_fee_rate: Decimal | None = None
    fee_rate_mode: str | None = None
    type: int | None = None
    id: int | str | None = None
    create_time: WireMillis | None = None
    opening_time: WireMillis | None = None

    def __post_init__(self) -> None:
        """ValueError, which becomes an error of the payload, for a number that is none."""
        for name, wire in zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True):
            value = getattr(self, name)
            if isinstance(value, Decimal) and not value.is_finite():
                raise ValueError(f"{wire}: {value} is no number")

    @property
    def is_inverse(self) -> bool:
        """Settled in the base coin, counted in quote units."""
        return self.settle_coin == self.base_coin and self.settle_coin != self.quote_coin

    @property
    def is_perpetual(self) -> bool:
        return self.future_type == MexcFutureType.PERPETUAL


class DepthSnapshot(PublicPayload, frozen=True):
    """``contract/depth/{symbol}``. `cts`, the matching engine's time, is null or missing on REST so far."""

    asks: list[Level]
    bids: list[Level]
    version: int
    timestamp: WireMillis | None = None
    cts: WireMillis | None = None


class DepthCommit(PublicPayload, frozen=True):
    """One change of ``contract/depth_commits``; the list comes newest first."""

    asks: list[Level]
    bids: list[Level]
    version: int
    cts: WireMillis | None = None


class IndexPrice(PublicPayload, frozen=True):
    symbol: str
    index_price: Decimal
    timestamp: WireMillis


class FairPrice(PublicPayload, frozen=True):
    symbol: str
    fair_price: Decimal
    timestamp: WireMillis


class FundingRate(PublicPayload, frozen=True):
    """``contract/funding_rate``: the estimate for the coming settlement, and since 2026-04 index and fair price."""

    symbol: str
    funding_rate: Decimal
    next_settle_time: WireMillis
    timestamp: WireMillis | None = None
    collect_cycle: int | None = None
    """Hours between settlements: 1, 2, 4, 8 and 24 are in use."""
    max_funding_rate: Decimal | None = None
    min_funding_rate: Decimal | None = None
    idx_price: Decimal | None = None
    fair_price: Decimal | None = None


class SettledFunding(PublicPayload, frozen=True):
    """A row of ``contract/funding_rate/history``."""

    symbol: str
    funding_rate: Decimal
    settle_time: WireMillis
    collect_cycle: int | None = None


class FundingHistory(PublicPayload, frozen=True):
    """A page of it, newest first."""

    result_list: list[SettledFunding]
    page_size: int | None = None
    total_count: int | None = None
    total_page: int | None = None
    current_page: int | None = None


class Klines(PublicPayload, frozen=True):
    """``contract/kline/{symbol}``: a list each. `open` is the close before, the ``real`` columns are of trades."""

    time: list[int]
    """Start of each bar, UNIX seconds."""
    open: list[Decimal]
    close: list[Decimal]
    high: list[Decimal]
    low: list[Decimal]
    vol: list[Decimal]
    amount: list[Decimal]
    real_open: list[Decimal] | None = None
    real_close: list[Decimal] | None = None
    real_high: list[Decimal] | None = None
    real_low: list[Decimal] | None = None


class Deal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trade, on REST and on the socket. The id came in late 2025 on the socket; REST rows have none."""

    price: Decimal = msgspec.field(name="p")
    volume: Decimal = msgspec.field(name="v")
    taker_side: int = msgspec.field(name="T")
    """:class:`MexcTakerSide`."""
    time: WireMillis = msgspec.field(name="t")
    position_effect: int | None = msgspec.field(name="O", default=None)
    self_trade: int | None = msgspec.field(name="M", default=None)
    trade_id: int | str | None = msgspec.field(name="i", default=None)
    cts: WireMillis | None = None


class Ticker(PublicPayload, frozen=True):
    """``contract/ticker``, ``push.ticker``, and ``push.tickers``, which lacks best prices and open interest."""

    symbol: str
    last_price: Decimal
    timestamp: WireMillis
    """Time of the last trade."""
    fair_price: Decimal | None = None
    index_price: Decimal | None = None
    bid1: Decimal | None = None
    ask1: Decimal | None = None
    hold_vol: Decimal | None = None
    """Open interest in contracts; whether one side or both is not stated."""
    funding_rate: Decimal | None = None
    volume24: Decimal | None = None
    amount24: Decimal | None = None
    rise_fall_rate: Decimal | None = None
    rise_fall_value: Decimal | None = None
    max_bid_price: Decimal | None = None
    min_ask_price: Decimal | None = None
    lower24_price: Decimal | None = None
    high24_price: Decimal | None = None
    contract_id: int | str | None = None
    zone: str | None = None
    rise_fall_rates: list[Decimal] | dict[str, msgspec.Raw] | None = None
    """A list on the socket, an object on REST."""
    rise_fall_rates_of_timezone: list[Decimal] | None = None
