"""What the venue lists, and what has changed since it was last asked. Pure but for the instruments that it makes."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CryptoPerpetual

from adapters.mexc.contracts import CHANNEL, SCHEDULE_FEES, ContractFees, contract_instrument, exclusion
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.public_rest import ContractDetail


@dataclass
class ListingChange:
    """What a reading has changed: new instruments, new definitions of known ones, and who has gone (with a reason)."""

    added: list[CryptoPerpetual] = field(default_factory=list)
    changed: list[CryptoPerpetual] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)


class Listing:
    """All contracts of the venue: instruments for those that can be traded, a reason for every other one.

    A contract that was tradable and no longer is keeps its instrument, because orders and positions may still refer to
    it; its ``info["excluded"]`` says why.
    """

    def __init__(self) -> None:
        self.exclusions: dict[str, str] = {}
        """Symbol: why there is no instrument, or why it must not be traded."""
        self.instruments: dict[str, CryptoPerpetual] = {}
        """By symbol."""
        self._details: dict[str, ContractDetail] = {}
        self._fees: dict[str, ContractFees] = {}
        self._symbol_of: dict[InstrumentId, str] = {}

    def set_fees(self, symbol: str, fees: ContractFees, ts_ns: int) -> CryptoPerpetual | None:
        """What the account pays for this contract; returns the instrument with them, if it is known."""
        self._fees[symbol] = fees
        detail = self._details.get(symbol)
        if detail is None or symbol not in self.instruments:
            return None
        self.instruments[symbol] = contract_instrument(detail, fees, ts_ns)
        return self.instruments[symbol]

    def take_all(self, rows: bytes, ts_ns: int) -> ListingChange:
        """A whole ``contract/detail`` reply. Contracts that are not in it are gone; unreadable ones are excluded."""
        change = ListingChange()
        seen = set()
        for row in split_rows(rows):
            symbol = self._take(row, ts_ns, change, keep_excluded=False)
            seen.add(symbol)
        for symbol in [known for known in self.instruments if known not in seen]:
            self._lose(symbol, "not listed any more", ts_ns, change)
        return change

    def take_one(self, row: bytes, ts_ns: int) -> ListingChange:
        """The ``contract/detail`` of one symbol, asked for by name: it gets an instrument even if excluded."""
        change = ListingChange()
        self._take(row, ts_ns, change, keep_excluded=True)
        return change

    def take_push(self, detail: ContractDetail, ts_ns: int) -> ListingChange:
        """A ``push.contract``. What it does not say (whether the API may trade, for one) stays as it was known."""
        change = ListingChange()
        known = self._details.get(detail.symbol)
        if known is not None:
            detail = msgspec.structs.replace(known, **{k: v for k, v in _fields(detail).items() if v is not None})
        self._keep(detail, ts_ns, change, keep_excluded=False)
        return change

    def lose(self, symbol: str, reason: str, ts_ns: int) -> ListingChange:
        """The venue does not know this contract any more (code 1001)."""
        change = ListingChange()
        self._lose(symbol, reason, ts_ns, change)
        return change

    def _take(self, row: bytes, ts_ns: int, change: ListingChange, *, keep_excluded: bool) -> str:
        symbol = ""
        try:
            symbol = decode(row, _Named, CHANNEL).symbol
            self._keep(decode(row, ContractDetail, CHANNEL), ts_ns, change, keep_excluded=keep_excluded)
        except MexcPayloadError as error:
            self.exclusions[symbol or "unnamed"] = f"cannot be read: {error}"
        return symbol

    def _keep(self, detail: ContractDetail, ts_ns: int, change: ListingChange, *, keep_excluded: bool) -> None:
        symbol = detail.symbol
        reason = exclusion(detail)
        known = self.instruments.get(symbol)
        if reason is not None:
            self.exclusions[symbol] = reason
        else:
            self.exclusions.pop(symbol, None)
        if detail == self._details.get(symbol) and (known is not None or not keep_excluded):
            return
        self._details[symbol] = detail
        if reason is not None and known is None and not (keep_excluded and detail.is_perpetual):
            return
        instrument = contract_instrument(detail, self._fees.get(symbol, SCHEDULE_FEES), ts_ns)
        twin = self._symbol_of.setdefault(instrument.id, symbol)
        if twin != symbol:  # BTC_USDT and a BT_CUSDT would be one
            self.exclusions[symbol] = f"its id {instrument.id} is that of {twin}"
            return
        self.instruments[symbol] = instrument
        (change.added if known is None else change.changed).append(instrument)
        if known is not None and reason is not None and known.info["excluded"] is None:
            change.gone[symbol] = reason

    def _lose(self, symbol: str, reason: str, ts_ns: int, change: ListingChange) -> None:
        instrument = self.instruments.get(symbol)
        self.exclusions[symbol] = reason
        if instrument is None or instrument.info["excluded"] == reason:
            return
        values = CryptoPerpetual.to_dict(instrument)
        values["info"] = {**instrument.info, "excluded": reason}
        values["ts_event"] = values["ts_init"] = ts_ns
        self.instruments[symbol] = CryptoPerpetual.from_dict(values)
        self._details.pop(symbol, None)
        change.changed.append(self.instruments[symbol])
        change.gone[symbol] = reason


class _Named(msgspec.Struct, frozen=True):
    symbol: str


def _fields(detail: ContractDetail) -> dict[str, Any]:
    return {name: getattr(detail, name) for name in detail.__struct_fields__}


def split_rows(data: bytes) -> list[bytes]:
    """The rows of a reply that is a list, or the one object of a reply for one symbol, each as JSON text."""
    if not data.lstrip().startswith(b"["):
        return [data]
    return [bytes(row) for row in decode(data, list[msgspec.Raw], CHANNEL)]
