"""Settings of the MEXC clients. Credentials are never among them: those are read from the environment at start."""

from typing import Literal

from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveDataClientConfig,
    LiveExecClientConfig,
    PositiveFloat,
    PositiveInt,
)

from adapters.mexc import assumptions
from adapters.mexc.connection import check_url
from adapters.mexc.constants import REST_URL, SOCKET_URL, SPOT_REST_URL, SPOT_SOCKET_URL


class MexcDataClientConfig(LiveDataClientConfig, kw_only=True, frozen=True):
    """Market data of MEXC contracts.

    `base_url_http` and `base_url_ws` lead elsewhere for tests: plain ``http`` and ``ws`` are taken for this machine
    only, and TLS is always verified. `proxy_url` is an HTTP proxy for both.
    """

    base_url_http: str = REST_URL
    base_url_ws: str = SOCKET_URL
    proxy_url: str | None = None
    instrument_provider: InstrumentProviderConfig = InstrumentProviderConfig(load_all=True)
    update_instruments_interval_mins: float | None = 60.0
    """None: instruments are loaded once."""
    merged_depth: bool = True
    """Depth merged by the venue (about 200 ms). False: every change, up to 2,200 frames a second for BTC."""
    merged_trades: bool = True
    """Prints of one taker order as one row, the venue's default. False: every print."""
    depth_limit: int = 1000
    """Levels a side of a book's snapshot."""
    max_symbols_per_socket: int = assumptions.MAX_SYMBOLS_PER_SOCKET
    subscriptions_per_second: float = assumptions.SUBSCRIPTIONS_PER_SECOND
    ping_interval_seconds: float = 15.0
    idle_timeout_seconds: float = 40.0
    """A socket without any frame for this long, pongs included, is opened anew."""
    quiet_book_seconds: float = 60.0
    """A book without a frame for this long is subscribed and joined anew: its stream may have died unseen."""
    bar_grace_seconds: float = 3.0
    """A bar whose time is over is closed after this long even if no later one has come."""
    confirm_bars: bool = not assumptions.LAST_KLINE_PUSH_IS_WHOLE
    """Ask REST for each closed bar before it is published: exact, and a little later (150 bars take some 15 s)."""
    request_timeout_seconds: float = 10.0

    def __post_init__(self) -> None:
        check_url(self.base_url_http, "http")
        check_url(self.base_url_ws, "ws")


class MexcExecClientConfig(LiveExecClientConfig, kw_only=True, frozen=True):
    """Orders on MEXC contracts. The key and its secret come from ``MEXC_API_KEY`` and ``MEXC_API_SECRET``."""

    base_url_http: str = REST_URL
    base_url_ws: str = SOCKET_URL
    proxy_url: str | None = None
    instrument_provider: InstrumentProviderConfig = InstrumentProviderConfig(load_all=True)
    position_mode: Literal["hedge", "one_way"] = "hedge"
    """As the account has it: another one is an error at the start. New accounts are in hedge mode."""
    change_position_mode: bool = False
    """Set the account to `position_mode`, which the venue allows only without orders and positions."""
    margin_mode: Literal["isolated", "cross"] = "isolated"
    leverage: PositiveInt = 1
    """Set, together with the margin mode, before the first order of every contract."""
    leverages: dict[str, PositiveInt] | None = None
    """Other leverages, by the venue's symbol: ``{"BTC_USDT": 20}``."""
    refresh_interval_seconds: PositiveFloat = 10.0
    """How often everything open is asked for, to find what no push has told."""
    ping_interval_seconds: float = 15.0
    idle_timeout_seconds: float = 40.0
    request_timeout_seconds: float = 10.0

    def __post_init__(self) -> None:
        check_url(self.base_url_http, "http")
        check_url(self.base_url_ws, "ws")


class MexcSpotDataClientConfig(LiveDataClientConfig, kw_only=True, frozen=True):
    """Trades of MEXC's spot market, for spot flow. Addresses as in :class:`MexcDataClientConfig`."""

    base_url_http: str = SPOT_REST_URL
    base_url_ws: str = SPOT_SOCKET_URL
    proxy_url: str | None = None
    instrument_provider: InstrumentProviderConfig = InstrumentProviderConfig(load_all=True)
    update_interval_ms: int = 100
    """How often the venue sends trades: 10 or 100."""
    max_symbols_per_socket: int = 30
    """The venue's own limit."""
    max_socket_hours: float = 23.5
    """The venue ends a socket after 24 h: it is replaced before."""
    subscriptions_per_second: float = assumptions.SUBSCRIPTIONS_PER_SECOND
    ping_interval_seconds: float = 15.0
    idle_timeout_seconds: float = 40.0
    request_timeout_seconds: float = 10.0

    def __post_init__(self) -> None:
        check_url(self.base_url_http, "http")
        check_url(self.base_url_ws, "ws")
        if self.update_interval_ms not in (10, 100):
            raise ValueError(f"update_interval_ms {self.update_interval_ms}: the venue offers 10 and 100")
