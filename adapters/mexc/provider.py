"""MEXC's contracts as Nautilus instruments: loaded, refreshed, and missed when they are delisted."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import InstrumentProviderConfig
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CryptoPerpetual

from adapters.mexc import endpoints
from adapters.mexc.contracts import ContractFees
from adapters.mexc.error_codes import UNKNOWN_CONTRACT
from adapters.mexc.errors import MexcPayloadError, MexcRefusedError
from adapters.mexc.listing import Listing, ListingChange, split_rows
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.private_account import FeeRates
from adapters.mexc.schemas.public_rest import ContractDetail


class MexcInstrumentProvider(InstrumentProvider):
    """One for all MEXC clients of a process.

    ``load_all`` takes every tradable contract (perpetual, enabled, open to the API); the reasons for the others are in
    `exclusions`. A contract that is named in ``load_ids`` is loaded even if it cannot be traded: its
    ``info["excluded"]`` says so. Fees are the API schedule's until `load_fees` has asked for the account's.
    """

    def __init__(
        self,
        rest: RestClient,
        config: InstrumentProviderConfig | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__(config=config)
        self._rest = rest
        self._now_ns = now_ns
        self._listing = Listing()

    @property
    def exclusions(self) -> dict[str, str]:
        """Symbol: why it is not there, or must not be traded."""
        return dict(self._listing.exclusions)

    def find_symbol(self, symbol: str) -> CryptoPerpetual | None:
        """The instrument of the venue's symbol ("BTC_USDT"), if it is loaded."""
        instrument = self._listing.instruments.get(symbol)
        return instrument if instrument is not None and instrument.id in self._instruments else None

    async def load_all_async(self, filters: dict[str, Any] | None = None) -> None:
        """Ask for all contracts. Raises a MexcError when the venue does not answer."""
        await self._read_all()
        self.add_bulk([i for i in self._listing.instruments.values() if _passes(i, filters)])
        self._log_exclusions()

    async def load_ids_async(self, instrument_ids: list[InstrumentId], filters: dict[str, Any] | None = None) -> None:
        """Ask for all contracts and keep these; one that is listed but excluded is asked for by name."""
        await self._read_all()
        symbols = {contract.id: symbol for symbol, contract in self._listing.instruments.items()}
        for instrument_id in instrument_ids:
            symbol = symbols.get(instrument_id) or await self._load_excluded(instrument_id)
            if symbol is None:
                self._log.error(f"{instrument_id} is no contract of MEXC: not loaded")
            else:
                self.add(self._listing.instruments[symbol])

    async def load_async(self, instrument_id: InstrumentId, filters: dict[str, Any] | None = None) -> None:
        """Ask for one contract."""
        await self.load_ids_async([instrument_id], filters)

    async def refresh(self) -> ListingChange:
        """Ask again. The change names loaded instruments only, and new ones when everything is loaded."""
        return self._publish(await self._read_all())

    async def load_fees(self, symbol: str) -> CryptoPerpetual | None:
        """Ask what the account pays for a contract, and put it into its instrument; None when it is not loaded."""
        rates = await self._rest.get(endpoints.FEE_RATE, FeeRates, parameters={"symbol": symbol})
        if rates is None:
            raise MexcPayloadError(endpoints.FEE_RATE.name, "data", f"no fee rates for {symbol}")
        fees = ContractFees(rates.real_maker_fee, rates.real_taker_fee, "account")
        instrument = self._listing.set_fees(symbol, fees, self._now_ns())
        if instrument is None or instrument.id not in self._instruments:
            return None
        self.add(instrument)
        return instrument

    def on_contract_push(self, detail: ContractDetail) -> ListingChange:
        """The venue has changed a contract."""
        return self._publish(self._listing.take_push(detail, self._now_ns()))

    def on_contract_gone(self, symbol: str, reason: str) -> ListingChange:
        """The venue does not know the contract any more."""
        return self._publish(self._listing.lose(symbol, reason, self._now_ns()))

    async def _read_all(self) -> ListingChange:
        rows = await self._rest.get(endpoints.CONTRACT_DETAIL, msgspec.Raw)
        if rows is None:
            raise MexcPayloadError(endpoints.CONTRACT_DETAIL.name, "data", "no contracts at all")
        return self._listing.take_all(bytes(rows), self._now_ns())

    async def _load_excluded(self, instrument_id: InstrumentId) -> str | None:
        """The symbol of a listed contract that is not tradable, after it was loaded; None when there is none."""
        for symbol in self._listing.exclusions:
            if f"{symbol.replace('_', '')}-PERP" != instrument_id.symbol.value:
                continue
            try:
                row = await self._rest.get(endpoints.CONTRACT_DETAIL, msgspec.Raw, parameters={"symbol": symbol})
            except MexcRefusedError as error:
                if error.code != UNKNOWN_CONTRACT:
                    raise
                return None
            if row is not None:
                self._listing.take_one(split_rows(bytes(row))[0], self._now_ns())
            return symbol if symbol in self._listing.instruments else None
        return None

    def _publish(self, change: ListingChange) -> ListingChange:
        """Take what concerns the loaded instruments over."""
        new = [i for i in change.added if self._load_all_on_start and _passes(i, self._filters)]
        known = [i for i in change.changed if i.id in self._instruments]
        self.add_bulk([*new, *known])
        mine = {instrument.raw_symbol.value for instrument in known}
        gone = {symbol: reason for symbol, reason in change.gone.items() if symbol in mine}
        for symbol, reason in gone.items():
            self._log.warning(f"{symbol} cannot be traded any more: {reason}")
        return ListingChange(new, known, gone)

    def _log_exclusions(self) -> None:
        count = len(self._listing.exclusions)
        if count:
            self._log.info(f"{count} contracts are not loaded; each has its reason in `exclusions`")


def _passes(instrument: CryptoPerpetual, filters: dict[str, Any] | None) -> bool:
    """Filters: ``{"settle": ["USDT"]}`` keeps contracts that settle in these; excluded ones never pass."""
    settle = (filters or {}).get("settle")
    if instrument.info["excluded"] is not None:
        return False
    return settle is None or instrument.settlement_currency.code in settle
