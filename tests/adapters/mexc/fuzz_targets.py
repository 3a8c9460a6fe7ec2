"""Every parser of the adapter as it stands in the running adapter, each as a function of the bytes of a payload."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.core.data import Data
from nautilus_trader.model.data import BarType
from nautilus_trader.model.identifiers import AccountId, ClientOrderId

from adapters.mexc.balances import AssetBook
from adapters.mexc.bars import bar, kline_rows
from adapters.mexc.book_feed import BookFeed
from adapters.mexc.constants import MexcPositionMode
from adapters.mexc.contracts import SCHEDULE_FEES, contract_instrument
from adapters.mexc.credentials import Credentials
from adapters.mexc.envelope import judge, retry_after
from adapters.mexc.errors import MexcError
from adapters.mexc.external_oid import ExternalOids
from adapters.mexc.http_transport import HttpTransport
from adapters.mexc.listing import Listing
from adapters.mexc.market_feed import FeedSettings, MarketFeed
from adapters.mexc.private_stream import PrivateStream
from adapters.mexc.reports import Reports, VenueOrder
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas import private, private_account, public_rest, public_socket
from adapters.mexc.schemas.decoding import decode, decode_any
from adapters.mexc.schemas.frame import Frame
from adapters.mexc.schemas.private_replies import decode_new_id, decode_rows
from adapters.mexc.schemas.spot import ExchangeInfo
from adapters.mexc.socket_login import MexcLogin
from adapters.mexc.socket_settings import SocketSettings
from adapters.mexc.spot import SpotFeed, SpotParser
from adapters.mexc.spot_instruments import spot_instrument
from adapters.mexc.wire_numbers import exact, id_text, millis, optional_id, places, plain_text
from tests.adapters.mexc.small_contracts import NOW, instrument, levels, parser, snapshot
from tests.adapters.mexc.spot_symbols import spot_symbol

type Call = Callable[[bytes], Any]

BTC = "BTC_USDT"
MINUTE = BarType.from_str("BTCUSDT-PERP.MEXC-1-MINUTE-LAST-EXTERNAL")
NOWHERE = "ws://127.0.0.1:9"
OBJECTS: tuple[Any, ...] = (
    private.OrderRow, private.DealRow, private.StopOrderPush, private_account.PositionRow, private_account.AssetRow,
    private_account.RiskLimitPush, private_account.FeeRates, private_account.LiquidateRisk, public_rest.FairPrice,
    private_account.PositionModePush, public_rest.Ticker, public_rest.FundingRate, public_rest.IndexPrice,
    public_socket.FullDepth, public_socket.SteppedDepth, list[public_rest.DepthCommit], list[private_account.AssetRow],
    list[private_account.LeverageRow], dict[str, list[private_account.LeverageRow]], int,
)  # fmt: skip
"""What is read straight out of ``data``."""
ROWS: tuple[Any, ...] = (
    private.OrderRow, private.DealRow, private.PlanOrderRow, private.StopOrderRow, private.CancelResult,
    private_account.PositionRow,
)  # fmt: skip
"""Rows that come as a list or as a page."""


@dataclass
class Sink:
    """Everybody who listens: takes all, counts data and news, keeps the words of troubles."""

    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def on_market_data(self, data: Data) -> None:
        self.counts["data"] += 1

    def on_spot_trade(self, tick: Data) -> None:
        self.counts["data"] += 1

    def on_feed_trouble(self, text: str) -> None:
        self.troubles.append(text)

    def on_stream_trouble(self, text: str, *, news_lost: bool) -> None:
        self.troubles.append(text)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.counts.update([name])


class Targets:
    """The parsers. Needs a running event loop."""

    def __init__(self) -> None:
        self.sink = Sink()
        rest = RestClient(HttpTransport("http://127.0.0.1:9"))
        settings = FeedSettings(
            socket=SocketSettings(NOWHERE), max_symbols_per_socket=1, merged_depth=True, merged_trades=True,
            depth_limit=5, quiet_book_seconds=1e9, bar_grace_seconds=1e9, confirm_bars=False,
        )  # fmt: skip
        self.feed = MarketFeed(rest, settings, self.sink, lambda: NOW)
        self.feed.define(parser())
        self.feed.want_book(BTC, deltas=True, quotes=True)
        self.feed.want_bars(BTC, MINUTE)
        self.book = BookFeed(parser())
        self.book.want_quotes(wanted=True)
        self.listing = Listing()
        self.private = PrivateStream(self.sink)
        self.spot = SpotFeed(SocketSettings(NOWHERE), 1, 100, self.sink, lambda: NOW)
        self.spot.define(SpotParser(spot_instrument(spot_symbol(), NOW)))
        self.parser = parser()
        self.login = MexcLogin(Credentials("key", "secret"), lambda: NOW)
        self.oids = ExternalOids()
        self.instrument = instrument()
        self.reports = Reports(AccountId("MEXC-master"), MexcPositionMode.HEDGE, self._client_order_id, lambda: NOW)

    async def stop(self) -> None:
        await self.feed.stop()

    def all(self) -> dict[str, Call]:
        """By name."""
        read = {f"object.{_name(kind)}": _reader(kind) for kind in OBJECTS}
        read |= {f"rows.{_name(kind)}": _row_reader(kind) for kind in ROWS}
        return read | {
            "public socket": lambda raw: self.feed.on_frame(raw, NOW),
            "private socket": lambda raw: self.private.on_frame(raw, NOW),
            "spot socket": lambda raw: self.spot.on_frame(raw, NOW),
            "login": self.login.answer,
            "live book": self._book,
            "snapshot": self._snapshot,
            "klines": self._klines,
            "deals": lambda raw: self.parser.past_trades(decode(_data(raw), list[public_rest.Deal], "deals"), NOW),
            "funding": lambda raw: self.parser.funding_now(decode(_data(raw), public_rest.FundingRate, "f"), NOW),
            "history": self._history,
            "listing": lambda raw: self.listing.take_all(_data(raw), NOW),
            "contract push": self._contract_push,
            "one contract": lambda raw: self.listing.take_one(_data(raw), NOW),
            "new id": lambda raw: decode_new_id(_data(raw), "order/create"),
            "spot symbols": self._spot_symbols,
            "reports": self._reports,
            "money": self._money,
            "envelope": lambda raw: judge("order/create", 200, raw),
            "broken envelope": lambda raw: judge("order/create", 502, raw, retry_after(raw[:40].decode("latin-1"))),
            "client id": lambda raw: self.oids.decode(raw[:40].decode(errors="replace")),
            "numbers": _numbers,
        }

    def _client_order_id(self, order: VenueOrder) -> ClientOrderId | None:
        name = self.oids.decode(order.row.external_oid) if order.row is not None else None
        return None if name is None else ClientOrderId(name)

    def _book(self, raw: bytes) -> None:
        if self.book.wants_snapshot:
            self.book.on_snapshot(snapshot(8752807940, bids=levels(("1", 1)), asks=levels(("99999", 1))), NOW)
        head = decode(raw, Frame, "frame")
        try:
            self.book.on_update(decode(head.data, public_socket.DepthUpdate, "push.depth"), head.ts, NOW)
        except MexcError:
            self.book.lost(NOW)
            raise

    def _snapshot(self, raw: bytes) -> None:
        book = decode(_data(raw), public_rest.DepthSnapshot, "depth")
        self.parser.book(book, NOW)
        self.book.lost(NOW)
        self.book.on_snapshot(book, NOW)

    def _klines(self, raw: bytes) -> None:
        for row in kline_rows(decode(_data(raw), public_rest.Klines, "kline")):
            bar(row, MINUTE, 60, self.parser, NOW)

    def _history(self, raw: bytes) -> None:
        for row in decode(_data(raw), public_rest.FundingHistory, "history").result_list:
            self.parser.settled_funding(row, NOW)

    def _reports(self, raw: bytes) -> None:
        """Orders, fills and positions as Nautilus is told of them."""
        head = decode(raw, Frame, "frame")
        if head.channel == "push.personal.order":
            row = decode(head.data, private.OrderRow, head.channel)
            self.reports.order(VenueOrder(row), self.instrument)
        elif head.channel == "push.personal.order.deal":
            deal = decode(head.data, private.DealRow, head.channel)
            self.reports.fill(deal, deal.order_id, None, self.instrument)
        elif head.channel == "push.personal.plan.order":
            self.reports.order(VenueOrder(None, decode(head.data, private.PlanOrderRow, head.channel)), self.instrument)
        elif head.channel == "push.personal.position":
            self.reports.position(decode(head.data, private_account.PositionRow, head.channel), self.instrument)

    def _money(self, raw: bytes) -> None:
        book = AssetBook()
        for row in decode(_data(raw), list[private_account.AssetRow], "assets"):
            book.take(row, 1)
        book.balances()

    def _contract_push(self, raw: bytes) -> None:
        detail = decode(_data(raw), public_rest.ContractDetail, "push.contract")
        contract_instrument(detail, SCHEDULE_FEES, NOW)
        self.listing.take_push(detail, NOW)

    def _spot_symbols(self, raw: bytes) -> None:
        for row in decode(raw, ExchangeInfo, "exchangeInfo").symbols:
            spot_instrument(row, NOW)


def _name(kind: Any) -> str:
    return str(kind) if hasattr(kind, "__args__") else str(kind.__name__)


def _reader(kind: Any) -> Call:
    return lambda raw: decode_any(_data(raw), kind, "object")


def _row_reader(kind: Any) -> Call:
    return lambda raw: decode_rows(_data(raw), kind, "rows")


def _numbers(raw: bytes) -> None:
    """A JSON value as a decimal, an id and a time. The last complaint is raised, so that all of them are tried."""
    complaint = None
    for kind in (Decimal, str | int, int | str | None):
        for read in (_decimal_text, _both_ids, millis):
            try:
                value = decode_any(raw, kind, "number")
                if value is not None and isinstance(value, Decimal) is (read is _decimal_text):
                    read(value, "number", "value")
            except MexcError as error:
                complaint = error
    if complaint is not None:
        raise complaint


def _decimal_text(value: Decimal, channel: str, name: str) -> str:
    places(exact(value, channel, name))
    return plain_text(value)


def _both_ids(value: str | int, channel: str, name: str) -> str:
    optional_id(value, channel, name)
    return id_text(value, channel, name)


class _Outer(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()


def _data(raw: bytes) -> bytes:
    """What is inside ``data``, of a reply or a frame; the whole when there is none."""
    try:
        return bytes(msgspec.json.decode(raw, type=_Outer).data) or raw
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw
