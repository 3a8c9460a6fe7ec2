"""What can be wanted of a contract, and the channel of the socket that carries it."""

from enum import StrEnum

from adapters.mexc.constants import KlineInterval
from adapters.mexc.socket_frames import subscribe_frame, unsubscribe_frame


class Stream(StrEnum):
    """The value is the channel's name in ``sub.<channel>``."""

    TRADES = "deal"
    BOOK = "depth"
    TICKER = "ticker"
    MARK_PRICE = "fair.price"
    INDEX_PRICE = "index.price"
    FUNDING_RATE = "funding.rate"
    KLINE = "kline"
    CONTRACT = "contract"


class StreamFrames:
    """The frames that start and end a stream. `merged_depth` and `merged_trades` are the venue's defaults."""

    def __init__(self, *, merged_depth: bool, merged_trades: bool) -> None:
        self._unmerged = {Stream.BOOK: not merged_depth, Stream.TRADES: not merged_trades}

    def subscribe(self, stream: Stream, symbol: str, interval: KlineInterval | None = None) -> bytes:
        """The frame that asks for a stream."""
        parameters = _parameters(stream, symbol, interval)
        if self._unmerged.get(stream, False):
            parameters["compress"] = False
        return subscribe_frame(stream, **parameters)

    def unsubscribe(self, stream: Stream, symbol: str, interval: KlineInterval | None = None) -> bytes:
        """The frame that ends it."""
        return unsubscribe_frame(stream, **_parameters(stream, symbol, interval))


def _parameters(stream: Stream, symbol: str, interval: KlineInterval | None) -> dict[str, str | bool | int]:
    if stream is Stream.CONTRACT:
        return {}
    parameters: dict[str, str | bool | int] = {"symbol": symbol}
    if interval is not None:
        parameters["interval"] = interval.value
    return parameters
