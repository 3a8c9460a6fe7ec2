"""The private socket: logged in, read, and handed on as typed rows. Nothing is replayed after a reconnect."""

from collections.abc import Callable
from typing import Protocol

from adapters.mexc.constants import Channel
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.frame import Frame
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow
from adapters.mexc.schemas.private_account import AssetRow, LiquidateRisk, PositionModePush, PositionRow
from adapters.mexc.wire_numbers import millis


class PrivateListener(Protocol):
    """Who is told what is pushed about the account. `ts_ms` is the time of the push (UNIX ms)."""

    def on_order(self, row: OrderRow) -> None: ...
    def on_deal(self, row: DealRow) -> None: ...
    def on_plan(self, row: PlanOrderRow) -> None: ...
    def on_position(self, row: PositionRow) -> None: ...
    def on_asset(self, row: AssetRow, ts_ms: int) -> None: ...
    def on_liquidation_risk(self, row: LiquidateRisk) -> None: ...
    def on_position_mode(self, row: PositionModePush) -> None: ...

    def on_stream_up(self) -> None:
        """Connected and logged in: what happened before was missed."""

    def on_stream_down(self, reason: str) -> None:
        """Nothing is heard until it is up again, which it will be by itself."""

    def on_stream_trouble(self, text: str, *, news_lost: bool) -> None:
        """Something for a person to read. `news_lost`: a frame could not be read."""


class PrivateStream:
    """Listens to a socket session and routes its frames by channel. Channels that nobody needs are passed over."""

    def __init__(self, listener: PrivateListener) -> None:
        self._listener = listener
        self._routes: dict[str, Callable[[bytes, Frame], None]] = {
            Channel.ORDER: lambda data, _: listener.on_order(decode(data, OrderRow, Channel.ORDER)),
            Channel.ORDER_DEAL: lambda data, _: listener.on_deal(decode(data, DealRow, Channel.ORDER_DEAL)),
            Channel.PLAN_ORDER: lambda data, _: listener.on_plan(decode(data, PlanOrderRow, Channel.PLAN_ORDER)),
            Channel.POSITION: lambda data, _: listener.on_position(decode(data, PositionRow, Channel.POSITION)),
            Channel.ASSET: self._on_asset,
            Channel.LIQUIDATE_RISK: lambda data, _: listener.on_liquidation_risk(
                decode(data, LiquidateRisk, Channel.LIQUIDATE_RISK)
            ),
            Channel.POSITION_MODE: lambda data, _: listener.on_position_mode(
                decode(data, PositionModePush, Channel.POSITION_MODE)
            ),
            Channel.ERROR: self._on_error,
        }

    def on_connected(self) -> None:
        self._listener.on_stream_up()

    def on_disconnected(self, reason: str) -> None:
        self._listener.on_stream_down(reason)

    def on_frame(self, frame: bytes, received_ns: int) -> None:
        """Route one frame. One that cannot be read is reported, and what it told must be asked for."""
        try:
            head = decode(frame, Frame, "private socket")
            route = self._routes.get(head.channel)
            if route is not None:
                route(bytes(head.data), head)
        except MexcPayloadError as error:
            self._listener.on_stream_trouble(str(error), news_lost=True)

    def on_trouble(self, text: str) -> None:
        self._listener.on_stream_trouble(text, news_lost=False)

    def _on_asset(self, data: bytes, frame: Frame) -> None:
        if frame.ts is None:
            raise MexcPayloadError(Channel.ASSET, "ts", "required field is missing")
        ts_ms = millis(frame.ts, Channel.ASSET, "ts")
        self._listener.on_asset(decode(data, AssetRow, Channel.ASSET), ts_ms)

    def _on_error(self, data: bytes, frame: Frame) -> None:
        self._listener.on_stream_trouble(f"the venue says: {data.decode(errors='replace')!r:.200}", news_lost=False)
