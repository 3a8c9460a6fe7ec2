"""Prices that nobody trades at, and what goes with them: mark, index, funding, open interest. No I/O."""

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import CustomData, DataType

from adapters.mexc.constants import Channel
from adapters.mexc.parsing import ContractParser
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.frame import Frame
from adapters.mexc.schemas.public_rest import Ticker
from adapters.mexc.schemas.public_socket import FundingPush, PricePush
from catalog.data_types import OpenInterest


class ReferenceFeed:
    """Pushes in, data out. The interval of funding is known from REST alone: see `set_cycle`."""

    def __init__(self) -> None:
        self._cycle_hours: dict[str, int] = {}

    def set_cycle(self, symbol: str, hours: int | None) -> None:
        """Hours between two settlements of a contract."""
        if hours is not None:
            self._cycle_hours[symbol] = hours

    def read(self, frame: Frame, parser: ContractParser, received_ns: int) -> list[Data]:
        """A frame of one of the four channels. MexcPayloadError when it cannot be read."""
        if frame.channel == Channel.FAIR_PRICE:
            price = decode(frame.data, PricePush, frame.channel).price
            return [parser.mark_price(price, frame.ts, received_ns)]
        if frame.channel == Channel.INDEX_PRICE:
            price = decode(frame.data, PricePush, frame.channel).price
            return [parser.index_price(price, frame.ts, received_ns)]
        if frame.channel == Channel.FUNDING_RATE:
            push = decode(frame.data, FundingPush, frame.channel)
            return [parser.funding(push, self._cycle_hours.get(parser.symbol), frame.ts, received_ns)]
        hold_vol = decode(frame.data, Ticker, frame.channel).hold_vol
        if hold_vol is None:
            return []
        return [open_interest_data(parser.open_interest(hold_vol, frame.ts, received_ns))]


def open_interest_data(value: OpenInterest) -> CustomData:
    """Wrapped as Nautilus's bus wants it: the type carries the instrument, as subscribers ask for it."""
    return CustomData(DataType(OpenInterest, metadata={"instrument_id": value.instrument_id.value}), value)
