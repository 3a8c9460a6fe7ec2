"""Trades of MEXC's spot market, for spot flow: frames of protobuf in, Nautilus trades out, over several sockets."""

import hashlib
from collections.abc import Callable
from typing import Protocol

import msgspec
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.instruments import CurrencyPair

from adapters.mexc.constants import MexcTakerSide
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.fixed_point import FixedPoint
from adapters.mexc.parsing import MS_NS
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.socket_pool import SocketPool
from adapters.mexc.socket_session import SocketSession
from adapters.mexc.socket_settings import SocketSettings
from adapters.mexc.spot_protobuf import CHANNEL, SpotDeal, read_deals
from adapters.mexc.wire_numbers import id_text, millis

PING_FRAME = b'{"method":"PING"}'
_AGGRESSORS = {MexcTakerSide.BUY.value: AggressorSide.BUYER, MexcTakerSide.SELL.value: AggressorSide.SELLER}


class SpotUser(Protocol):
    """Who uses the feed. Nothing here may raise."""

    def on_spot_trade(self, tick: TradeTick) -> None:
        """Publish it."""

    def on_feed_trouble(self, text: str) -> None:
        """Tell a person."""


class SpotParser:
    """Trades of one spot market."""

    def __init__(self, instrument: CurrencyPair) -> None:
        self.instrument_id = instrument.id
        self.symbol: str = instrument.raw_symbol.value
        self._price = FixedPoint("price", instrument.price_precision, zero_allowed=False)
        self._size = FixedPoint("quantity", instrument.size_precision, zero_allowed=False)

    def trade(self, deal: SpotDeal, ts_init: int) -> TradeTick:
        """A trade; sizes are base units. MexcPayloadError when a number cannot be one of this market."""
        side = _AGGRESSORS.get(deal.taker_side)
        if side is None:
            raise MexcPayloadError(CHANNEL, "deals.tradeType", f"{deal.taker_side} is no side of a taker")
        return TradeTick.from_raw(
            self.instrument_id, self._price.raw(deal.price, CHANNEL), self._price.precision,
            self._size.raw(deal.quantity, CHANNEL), self._size.precision, side, TradeId(self._trade_id(deal)),
            millis(deal.time_ms, CHANNEL, "deals.time") * MS_NS, ts_init,
        )  # fmt: skip

    def _trade_id(self, deal: SpotDeal) -> str:
        """The venue's id, which older frames lack: then a digest of all that the trade says."""
        if deal.trade_id is not None:
            return id_text(deal.trade_id, CHANNEL, "deals.tradeId")
        text = f"{self.symbol}|{deal.time_ms}|{deal.price}|{deal.quantity}|{deal.taker_side}"
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


class _Control(msgspec.Struct, frozen=True):
    code: int = 0
    msg: str = ""


class SpotFeed:
    """The trades of the symbols that are wanted. Use from one event loop."""

    def __init__(
        self,
        settings: SocketSettings,
        max_symbols: int,
        update_interval_ms: int,
        user: SpotUser,
        now_ns: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._update_interval_ms = update_interval_ms
        self._user = user
        self._now_ns = now_ns
        self._pool = SocketPool(max_symbols, self._make_session)
        self._parsers: dict[str, SpotParser] = {}

    @property
    def sessions(self) -> tuple[SocketSession, ...]:
        """The open sockets, for metrics."""
        return self._pool.sessions

    def define(self, parser: SpotParser) -> None:
        """Know a market; trades of others are passed over."""
        self._parsers[parser.symbol] = parser

    def want(self, symbol: str) -> None:
        """Start the trades of a market."""
        self._pool.subscribe(symbol, "deals", self._frame("SUBSCRIPTION", symbol))

    async def unwant(self, symbol: str) -> None:
        """End them."""
        await self._pool.unsubscribe(symbol, "deals", self._frame("UNSUBSCRIPTION", symbol))

    async def stop(self) -> None:
        await self._pool.stop()

    def on_frame(self, frame: bytes, received_ns: int) -> None:
        """Trades are binary, control frames are JSON, which no protobuf of this socket begins like."""
        try:
            if frame.startswith(b"{"):
                self._on_control(decode(frame, _Control, "spot control"))
                return
            deals = read_deals(frame)
            parser = None if deals is None else self._parsers.get(deals.symbol)
            if deals is not None and parser is not None:
                ticks = [parser.trade(deal, received_ns) for deal in deals.deals]
                for tick in sorted(ticks, key=_event_time):
                    self._user.on_spot_trade(tick)
        except MexcPayloadError as error:
            self._user.on_feed_trouble(f"spot: {error}")

    def on_connected(self) -> None:
        """Trades go on by themselves."""

    def on_disconnected(self, reason: str) -> None:
        """Trades are missing from now until the socket is back."""
        self._user.on_feed_trouble(f"spot socket lost: {reason}")

    def on_trouble(self, text: str) -> None:
        """A socket has something to say."""
        self._user.on_feed_trouble(text)

    def _on_control(self, control: _Control) -> None:
        if control.code or control.msg.startswith("Not Subscribed"):
            self._user.on_feed_trouble(f"the venue refuses a subscription: {control.code} {control.msg}")

    def _frame(self, method: str, symbol: str) -> bytes:
        topic = f"spot@public.aggre.deals.v3.api.pb@{self._update_interval_ms}ms@{symbol}"
        return msgspec.json.encode({"method": method, "params": [topic]})

    def _make_session(self, shard: int) -> SocketSession:
        return SocketSession(f"spot-{shard}", self._settings, self, now_ns=self._now_ns)


def _event_time(tick: TradeTick) -> int:
    ts_event: int = tick.ts_event
    return ts_event
