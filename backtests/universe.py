"""What of a catalog is replayed: which markets make up which asset, and on which it is traded."""

from dataclasses import dataclass

from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.instruments import CryptoPerpetual, Instrument

from backtests.profile import Profile
from catalog.ledger import CatalogError
from catalog.store import Catalog
from catalog.tables import Kind
from strategies.features import FlowMarket
from strategies.flow_actor import flow_market

SPOT_QUOTES = ("USDT", "USDC", "FDUSD", "BUSD")  # quotes whose flow counts as flow of the asset


@dataclass(frozen=True)
class Universe:
    """The markets of a replay. `assets` maps an asset to its instruments, the lead first, `tradable` one to the perps
    that it may be traded on, in the order of the profile's venues; `left_out` says why not.

    `without_book` names instruments that have no book, or one that was ingested without a snapshot and is known in part
    only.
    """

    assets: dict[str, tuple[Instrument, ...]]
    tradable: dict[str, tuple[Instrument, ...]]
    left_out: dict[str, str]
    without_book: tuple[str, ...]

    @property
    def instruments(self) -> list[Instrument]:
        return [i for markets in self.assets.values() for i in markets]

    @property
    def ids(self) -> dict[str, tuple[str, ...]]:
        """The ids of the instruments of each asset, the lead first."""
        return {asset: tuple(i.id.value for i in markets) for asset, markets in self.assets.items()}

    def flow_markets(self, asset: str) -> tuple[FlowMarket, ...]:
        """The markets of an asset as the flow needs them, the lead first."""
        return tuple(flow_market(i, has_book=i.id.value not in self.without_book) for i in self.assets[asset])


def universe(catalog: Catalog, profile: Profile) -> Universe:
    """The catalog's markets by asset. Raises CatalogError where none can be replayed."""
    kinds: dict[str, set[str]] = {}
    for s in catalog.ledger.series():
        kinds.setdefault(s.instrument_id, set()).add(s.kind)
    left_out: dict[str, str] = {}
    groups: dict[str, list[Instrument]] = {}
    for instrument in catalog.instruments():
        name = instrument.id.value
        asset = (instrument.info or {}).get("asset") or instrument.base_currency.code
        if profile.replay.assets and asset not in profile.replay.assets:
            left_out[name] = f"asset {asset} is not in replay.assets"
        elif instrument.is_inverse:
            left_out[name] = "inverse: counts in quote currency, only linear markets are replayed"
        elif instrument.quote_currency.code not in SPOT_QUOTES:
            left_out[name] = f"quoted in {instrument.quote_currency.code}, not in {', '.join(SPOT_QUOTES)}"
        elif not kinds.get(name, set()) & {Kind.TRADES, Kind.BOOK}:
            left_out[name] = "has neither trades nor a book"
        else:
            groups.setdefault(asset, []).append(instrument)
    missing = set(profile.replay.assets) - set(groups)
    if missing or not groups:
        known = ", ".join(sorted(groups)) or "none"
        raise CatalogError(
            f"{catalog.root}: nothing to replay for {', '.join(sorted(missing)) or 'any asset'} "
            f"(assets that can be: {known}); left out: "
            + ("; ".join(f"{k}: {v}" for k, v in left_out.items()) or "nothing")
        )

    def rank(instrument: Instrument) -> tuple[bool, bool, int, str]:
        venues = profile.replay.lead_venues
        venue = instrument.id.venue.value
        place = venues.index(venue) if venue in venues else len(venues)
        has_book = Kind.BOOK in kinds[instrument.id.value]
        return (not isinstance(instrument, CryptoPerpetual), not has_book, place, instrument.id.value)

    assets = {asset: tuple(sorted(markets, key=rank)) for asset, markets in sorted(groups.items())}
    perps = {a: tuple(i for i in m if _tradable(i, kinds[i.id.value], profile)) for a, m in assets.items()}
    tradable = {asset: markets for asset, markets in perps.items() if markets}
    return Universe(assets, tradable, left_out, _without_book(catalog, [name for m in assets.values() for name in m]))


def _tradable(instrument: Instrument, kinds: set[str], profile: Profile) -> bool:
    return (
        isinstance(instrument, CryptoPerpetual)
        and instrument.settlement_currency == USDT
        and Kind.BOOK in kinds
        and instrument.id.venue.value in profile.venues
        and instrument.id.venue.value in profile.replay.lead_venues
    )


def _without_book(catalog: Catalog, instruments: list[Instrument]) -> tuple[str, ...]:
    booked = {s.instrument_id for s in catalog.ledger.series() if s.kind == Kind.BOOK}
    partial = {name for ingest in catalog.ledger.ingests for name in ingest.unseeded_books}
    return tuple(i.id.value for i in instruments if i.id.value not in booked - partial)
