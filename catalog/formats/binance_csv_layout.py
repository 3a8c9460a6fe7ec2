"""The columns of Binance-Data-Processor's CSV files, and what their rows are of."""

from enum import StrEnum
from typing import NamedTuple


class RowError(ValueError):
    """A row or a header that cannot be read."""


class RowKind(StrEnum):
    """What a row is of, by the names in the column StreamType of merged files."""

    TRADE = "TRADE_STREAM"
    DIFF = "DIFFERENCE_DEPTH_STREAM"
    SNAPSHOT = "DEPTH_SNAPSHOT"
    CARRIED = "FINAL_DEPTH_SNAPSHOT"  # the book of the day before


_NEEDED = {
    RowKind.TRADE: ("EventTime", "TransactionTime", "Symbol", "TradeId", "IsBuyerMarketMaker"),
    RowKind.DIFF: ("EventTime", "Symbol", "FirstUpdateId", "FinalUpdateId", "IsAsk"),
    RowKind.SNAPSHOT: ("TimestampOfRequest", "LastUpdateId", "IsAsk"),
}
_NEEDED_MERGED = (
    "TimestampOfReceive",
    "Market",
    "IsLast",
    *dict.fromkeys(n for names in _NEEDED.values() for n in names),
)
_RECEIVE, _RECEIVE_MERGED = "TimestampOfReceive", "TimestampOfReceiveUS"


class Layout(NamedTuple):
    """Positions of the columns; -1, the position of the empty field that `fields` appends, where there is none."""

    kind: RowKind | None  # None: each row tells its own
    width: int
    receive: int
    receive_ms: int
    request: int
    event: int
    output: int
    transaction: int
    symbol: int
    first: int
    final: int
    previous: int
    last_update_id: int
    trade_id: int
    is_ask: int
    is_buyer_maker: int
    price: int
    size: int
    trade_type: int
    stream_type: int
    market: int
    is_last: int

    def fields(self, line: bytes) -> list[str]:
        """The fields of a row and an empty one. Raises RowError for another number of them than in the header."""
        fields = line.decode("utf-8", "replace").split(",")
        if len(fields) != self.width:
            raise RowError(f"{len(fields)} fields where the header has {self.width}")
        fields.append("")
        return fields

    def message(self, fields: list[str]) -> list[str]:
        """What rows of one message have in common: all but the level, IsLast and the row number after it."""
        return fields[: self.is_ask] + fields[self.size + 1 : self.is_last]

    def kind_of(self, fields: list[str]) -> RowKind:
        """Raises RowError for an unknown StreamType."""
        if self.kind is not None:
            return self.kind
        try:
            return RowKind(fields[self.stream_type])
        except ValueError as e:
            raise RowError(f"StreamType {fields[self.stream_type]!r} is unknown") from e


def read_layout(header: bytes) -> Layout:
    """The layout that a header describes. Raises RowError if it is none of the four or lacks a column."""
    names = header.decode("utf-8", "replace").split(",")
    at = {name: i for i, name in enumerate(names)}
    kind: RowKind | None = None
    if "StreamType" not in at:
        telling = {RowKind.TRADE: "TradeId", RowKind.DIFF: "FirstUpdateId", RowKind.SNAPSHOT: "LastUpdateId"}
        kinds = [k for k, name in telling.items() if name in at]
        if len(kinds) != 1:
            raise RowError("the header is of no trade, depth, snapshot or merged file")
        kind = kinds[0]
    receive = _RECEIVE if kind else _RECEIVE_MERGED
    needed = _NEEDED[kind] if kind else _NEEDED_MERGED
    missing = [name for name in (receive, *needed, "Price", "Quantity") if name not in at]
    if missing:
        raise RowError(f"the header lacks {', '.join(missing)}")
    if "IsAsk" in at and not at["IsAsk"] + 2 == at["Price"] + 1 == at["Quantity"]:
        raise RowError("the columns IsAsk, Price and Quantity must follow each other")
    return Layout(
        kind=kind,
        width=len(names),
        receive=at[receive],
        receive_ms=-1 if kind else at[_RECEIVE],
        request=at.get("TimestampOfRequest", -1),
        event=at.get("EventTime", -1),
        output=at.get("MessageOutputTime", -1),
        transaction=at.get("TransactionTime", -1),
        symbol=at.get("Symbol", -1),
        first=at.get("FirstUpdateId", -1),
        final=at.get("FinalUpdateId", -1),
        previous=at.get("FinalUpdateIdInLastStream", -1),
        last_update_id=at.get("LastUpdateId", -1),
        trade_id=at.get("TradeId", -1),
        is_ask=at.get("IsAsk", -1),
        is_buyer_maker=at.get("IsBuyerMarketMaker", -1),
        price=at["Price"],
        size=at["Quantity"],
        trade_type=at.get("XUnknownParameter", -1),
        stream_type=at.get("StreamType", -1),
        market=at.get("Market", -1),
        is_last=at.get("IsLast", -1),
    )
