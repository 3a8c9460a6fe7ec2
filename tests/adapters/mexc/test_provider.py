"""The instrument provider against a scripted venue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from nautilus_trader.config import InstrumentProviderConfig
from nautilus_trader.model.identifiers import InstrumentId

from adapters.mexc.credentials import Credentials
from adapters.mexc.http_transport import HttpTransport
from adapters.mexc.provider import MexcInstrumentProvider
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.public_rest import ContractDetail
from tests.adapters.mexc.local_venue import refused, run, serving, success
from tests.adapters.mexc.small_contracts import detail, wire

BTC, ETH, SOL = (InstrumentId.from_str(f"{base}USDT-PERP.MEXC") for base in ("BTC", "ETH", "SOL"))


@dataclass
class Contracts:
    """A venue that lists these."""

    listed: dict[str, ContractDetail] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        symbol = request.query.get("symbol")
        if request.path.endswith("ping"):
            return success("1761875313209")
        if request.path.endswith("tiered_fee_rate/v2"):
            return success(f'{{"symbol":"{symbol}","realMakerFee":0.0001,"realTakerFee":3E-4}}')
        if symbol is None:
            return success("[" + ",".join(wire(c).decode() for c in self.listed.values()) + "]")
        return success(wire(self.listed[symbol]).decode()) if symbol in self.listed else refused(1001)


@asynccontextmanager
async def provider(venue: Contracts, **config: Any) -> AsyncIterator[MexcInstrumentProvider]:
    async with serving(venue.handle) as address:
        rest = RestClient(HttpTransport(f"http://{address}"))
        rest.sign_with(Credentials("k", "s"))
        await rest.start()
        try:
            yield MexcInstrumentProvider(rest, InstrumentProviderConfig(**config))
        finally:
            await rest.stop()


def market(*contracts: ContractDetail) -> Contracts:
    return Contracts({contract.symbol: contract for contract in contracts})


def test_load_all_takes_what_can_be_traded() -> None:
    """The rest has its reason."""

    async def story() -> None:
        async with provider(market(detail("BTC_USDT"), detail("ETH_USDT", state=4)), load_all=True) as made:
            await made.initialize()
            assert list(made.get_all()) == [BTC]
            assert made.exclusions == {"ETH_USDT": "state 4: not enabled"}
            assert made.find_symbol("BTC_USDT").id == BTC
            assert made.find_symbol("ETH_USDT") is None

    run(story())


def test_filter_by_settlement() -> None:
    """Only contracts that settle in one of these."""

    async def story() -> None:
        venue = market(detail("BTC_USDT"), detail("BTC_USDC"), detail("ETH_USD", settle_coin="ETH"))
        async with provider(venue, load_all=True, filters={"settle": ["USDT", "ETH"]}) as made:
            await made.initialize()
            assert sorted(i.raw_symbol.value for i in made.get_all().values()) == ["BTC_USDT", "ETH_USD"]

    run(story())


def test_named_ones_are_loaded_even_if_excluded() -> None:
    """For what is held in them; a name that is not listed is told and left out."""

    async def story() -> None:
        venue = market(detail("BTC_USDT"), detail("ETH_USDT", api_allowed=False))
        async with provider(venue, load_ids=frozenset({BTC, ETH, SOL})) as made:
            await made.initialize()
            assert set(made.get_all()) == {BTC, ETH}
            assert made.find(ETH).info["excluded"] == "apiAllowed is false: web and app only"

    run(story())


def test_one_is_loaded_later() -> None:
    """``load_async`` adds to what is there."""

    async def story() -> None:
        async with provider(market(detail("BTC_USDT"), detail("ETH_USDT")), load_ids=frozenset({BTC})) as made:
            await made.initialize()
            await made.load_async(ETH)
            assert set(made.get_all()) == {BTC, ETH}

    run(story())


def test_refresh_tells_new_changed_and_gone() -> None:
    """New ones only when everything is loaded."""

    async def story() -> None:
        venue = market(detail("BTC_USDT"), detail("ETH_USDT"))
        async with provider(venue, load_all=True) as made:
            await made.initialize()
            del venue.listed["ETH_USDT"]
            venue.listed["SOL_USDT"] = detail("SOL_USDT")
            change = await made.refresh()
            assert [i.id for i in change.added] == [SOL]
            assert change.gone == {"ETH_USDT": "not listed any more"}
            assert made.find(ETH).info["excluded"] == "not listed any more"
        venue = market(detail("BTC_USDT"), detail("ETH_USDT"))
        async with provider(venue, load_ids=frozenset({BTC})) as made:
            await made.initialize()
            venue.listed = {"SOL_USDT": detail("SOL_USDT")}
            change = await made.refresh()
            assert (change.added, change.gone) == ([], {"BTC_USDT": "not listed any more"})

    run(story())


def test_pushed_changes_and_a_contract_that_is_not_known_any_more() -> None:
    """Both mark the instrument."""

    async def story() -> None:
        async with provider(market(detail("BTC_USDT")), load_all=True) as made:
            await made.initialize()
            assert made.on_contract_push(detail("BTC_USDT", api_allowed=None)).changed == []
            assert made.on_contract_gone("BTC_USDT", "code 1001").gone == {"BTC_USDT": "code 1001"}
            assert made.find(BTC).info["excluded"] == "code 1001"

    run(story())


def test_fees_of_the_account() -> None:
    """They are asked for one contract at a time."""

    async def story() -> None:
        async with provider(market(detail("BTC_USDT")), load_all=True) as made:
            await made.initialize()
            assert str(made.find(BTC).taker_fee) == "0.0008"
            loaded = await made.load_fees("BTC_USDT")
            assert loaded is made.find(BTC)
            assert (str(loaded.maker_fee), str(loaded.taker_fee)) == ("0.0001", "0.0003")
            assert await made.load_fees("ETH_USDT") is None

    run(story())
