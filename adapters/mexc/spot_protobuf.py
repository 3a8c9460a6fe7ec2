"""A reader for the one protobuf message of MEXC's spot socket that is needed: aggregated trades.

Wire format: a message is a row of fields, each a tag (number × 8 + wire type, as a varint) and a value: a varint (type
0), 8 bytes (1), a length and so many bytes (2), or 4 bytes (5). Source: protobuf's encoding page, and MEXC's
websocket-proto (``PushDataV3ApiWrapper``, ``PublicAggreDealsV3Api``) with the ``tradeId`` that was added later.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from adapters.mexc.errors import MexcPayloadError

CHANNEL = "spot.aggre.deals"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WRAPPER_CHANNEL, _WRAPPER_SYMBOL, _WRAPPER_SEND_TIME, _WRAPPER_DEALS = 1, 3, 6, 314
_DEALS_ITEM = 1
_ITEM_PRICE, _ITEM_QUANTITY, _ITEM_SIDE, _ITEM_TIME, _ITEM_TRADE_ID = 1, 2, 3, 4, 5
_MAX_VARINT_BYTES = 10


@dataclass(frozen=True)
class SpotDeal:
    """A trade. `quantity` is in base units, `taker_side` 1 buy or 2 sell, `time_ms` UNIX milliseconds."""

    price: Decimal
    quantity: Decimal
    taker_side: int
    time_ms: int
    trade_id: str | None


@dataclass(frozen=True)
class SpotDeals:
    """A frame of trades of one symbol."""

    channel: str
    symbol: str
    send_time_ms: int
    deals: tuple[SpotDeal, ...]


def read_deals(frame: bytes) -> SpotDeals | None:
    """The trades of a frame; None for a frame of another kind. MexcPayloadError for one that is damaged."""
    channel, symbol, send_time = "", "", 0
    body: bytes | None = None
    for number, value in _fields(frame, "wrapper"):
        if number == _WRAPPER_CHANNEL:
            channel = _text(value, "channel")
        elif number == _WRAPPER_SYMBOL:
            symbol = _text(value, "symbol")
        elif number == _WRAPPER_SEND_TIME:
            send_time = _number(value, "sendTime")
        elif number == _WRAPPER_DEALS:
            body = _bytes(value, "publicAggreDeals")
    if body is None:
        return None
    items = [_bytes(value, "deals") for number, value in _fields(body, "publicAggreDeals") if number == _DEALS_ITEM]
    return SpotDeals(channel, symbol or channel.rpartition("@")[2], send_time, tuple(_deal(item) for item in items))


def _deal(item: bytes) -> SpotDeal:
    found: dict[int, int | bytes] = dict(_fields(item, "deals"))
    for number, name in ((_ITEM_PRICE, "price"), (_ITEM_QUANTITY, "quantity"), (_ITEM_SIDE, "tradeType")):
        if number not in found:
            raise MexcPayloadError(CHANNEL, f"deals.{name}", "required field is missing")
    if _ITEM_TIME not in found:
        raise MexcPayloadError(CHANNEL, "deals.time", "required field is missing")
    trade_id = found.get(_ITEM_TRADE_ID)
    return SpotDeal(
        price=_decimal(found[_ITEM_PRICE], "deals.price"),
        quantity=_decimal(found[_ITEM_QUANTITY], "deals.quantity"),
        taker_side=_number(found[_ITEM_SIDE], "deals.tradeType"),
        time_ms=_number(found[_ITEM_TIME], "deals.time"),
        trade_id=None if trade_id is None else _text(trade_id, "deals.tradeId"),
    )


def _fields(data: bytes, where: str) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field, in the order of the bytes; of a repeated number the caller sees every one."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at, where)
        number, wire_type = tag >> 3, tag & 7
        if not number:
            raise MexcPayloadError(CHANNEL, where, f"field number 0 at byte {at}")
        if wire_type == _VARINT:
            value, at = _varint(data, at, where)
            yield number, value
            continue
        if wire_type == _BYTES:
            size, at = _varint(data, at, where)
        elif wire_type in (_FIXED64, _FIXED32):
            size = 8 if wire_type == _FIXED64 else 4
        else:
            raise MexcPayloadError(CHANNEL, where, f"wire type {wire_type} at byte {at}")
        if at + size > len(data):
            raise MexcPayloadError(CHANNEL, where, f"cut off at byte {len(data)}: {size} bytes announced at {at}")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int, where: str) -> tuple[int, int]:
    """A number of 7 bits a byte, lowest first, and where it ends."""
    value = 0
    for shift in range(_MAX_VARINT_BYTES):
        if at >= len(data):
            raise MexcPayloadError(CHANNEL, where, f"cut off in a number at byte {at}")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, at
    raise MexcPayloadError(CHANNEL, where, f"number longer than {_MAX_VARINT_BYTES} bytes at {at}")


def _bytes(value: int | bytes, field: str) -> bytes:
    if isinstance(value, int):
        raise MexcPayloadError(CHANNEL, field, f"a number ({value}) instead of bytes")
    return value


def _number(value: int | bytes, field: str) -> int:
    if not isinstance(value, int):
        raise MexcPayloadError(CHANNEL, field, "bytes instead of a number")
    return value


def _text(value: int | bytes, field: str) -> str:
    try:
        return _bytes(value, field).decode()
    except UnicodeDecodeError as error:
        raise MexcPayloadError(CHANNEL, field, "no UTF-8 text") from error


def _decimal(value: int | bytes, field: str) -> Decimal:
    text = _text(value, field)
    if not text.isascii() or len(text) > 64:
        raise MexcPayloadError(CHANNEL, field, f"{text!r:.60} is no number")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise MexcPayloadError(CHANNEL, field, f"{text!r} is no number") from error
