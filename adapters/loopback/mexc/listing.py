"""What `contract/detail` says of a contract: the engine's contract in MEXC's words, and what only the venue knows."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters.loopback.matching.contract import Contract
from adapters.loopback.mexc.wire import plain

ENABLED, OFFLINE, PAUSED = 0, 3, 4
RISK_STEPS = ((Decimal(1), Decimal(1)), (Decimal(4), Decimal(2)), (Decimal(20), Decimal(5)))
"""Of a risk ladder: (volume, margin rates) as multiples of the first level's."""


@dataclass(frozen=True)
class Listing:
    """A contract as it is listed. The web's fees are not those that API orders pay, as on the venue."""

    contract: Contract
    id: int
    state: int = ENABLED
    api_allowed: bool = True
    created_ms: int = 1_591_242_684_000
    web_maker_fee: Decimal = Decimal(0)
    web_taker_fee: Decimal = Decimal("0.0002")

    @property
    def tradable(self) -> bool:
        return self.state == ENABLED and self.api_allowed


def places(step: Decimal) -> int:
    """Decimal places of a step."""
    return max(0, -int(step.normalize().as_tuple().exponent))


def risk_levels(contract: Contract) -> list[dict[str, Any]]:
    """The ladder of margin rates by volume, narrowest first."""
    imr = Decimal(1) / contract.max_leverage
    base = contract.limit_max_vol / 20
    return [
        {
            "level": level,
            "maxVol": plain(base * volumes),
            "mmr": plain(contract.maintenance_margin * rates),
            "imr": plain(imr * rates),
            "maxLeverage": max(1, int(contract.max_leverage / rates)),
        }
        for level, (volumes, rates) in enumerate(RISK_STEPS, start=1)
    ]


def detail(listing: Listing) -> dict[str, Any]:
    """The row of `contract/detail`."""
    contract = listing.contract
    levels = risk_levels(contract)
    return {
        "symbol": contract.symbol,
        "displayName": f"{contract.symbol}永续",
        "displayNameEn": f"{contract.symbol} PERPETUAL",
        "positionOpenType": 3,
        "baseCoin": contract.base,
        "quoteCoin": contract.quote,
        "baseCoinName": contract.base,
        "quoteCoinName": contract.quote,
        "futureType": 1,
        "settleCoin": contract.settle,
        "contractSize": plain(contract.size),
        "minLeverage": 1,
        "maxLeverage": contract.max_leverage,
        "countryConfigContractMaxLeverage": contract.max_leverage,
        "priceScale": places(contract.tick),
        "volScale": places(contract.step),
        "amountScale": 4,
        "priceUnit": plain(contract.tick),
        "volUnit": plain(contract.step),
        "minVol": plain(contract.min_vol),
        "maxVol": plain(contract.max_vol),
        "bidLimitPriceRate": plain(contract.price_band),
        "askLimitPriceRate": plain(contract.price_band),
        "takerFeeRate": plain(listing.web_taker_fee),
        "makerFeeRate": plain(listing.web_maker_fee),
        "maintenanceMarginRate": levels[0]["mmr"],
        "initialMarginRate": levels[0]["imr"],
        "riskBaseVol": levels[-1]["maxVol"],
        "riskIncrVol": 0,
        "riskLongShortSwitch": 0,
        "riskIncrMmr": 0,
        "riskIncrImr": 0,
        "riskLevelLimit": 1,
        "priceCoefficientVariation": Decimal("0.004"),
        "indexOrigin": ["BYBIT", "BINANCE", "MEXC"],
        "state": listing.state,
        "isNew": False,
        "isHot": False,
        "isHidden": False,
        "conceptPlate": [],
        "conceptPlateId": [],
        "riskLimitType": "BY_VOLUME",
        "maxNumOrders": [200, 50],
        "marketOrderMaxLevel": 20,
        "marketOrderPriceLimitRate1": plain(contract.price_band),
        "marketOrderPriceLimitRate2": plain(contract.market_band),
        "triggerProtect": plain(contract.price_band),
        "appraisal": 0,
        "showAppraisalCountdown": 0,
        "automaticDelivery": 0,
        "apiAllowed": listing.api_allowed,
        "depthStepList": [f"{contract.tick * 10**power:f}" for power in range(4)],
        "limitMaxVol": plain(contract.limit_max_vol),
        "threshold": 0,
        "id": listing.id,
        "createTime": listing.created_ms,
        "openingTime": 0,
        "openingCountdownOption": 1,
        "showBeforeOpen": True,
        "isMaxLeverage": True,
        "isZeroFeeRate": False,
        "riskLimitMode": "CUSTOM",
        "isZeroFeeSymbol": False,
        "riskLimitCustom": levels,
        "liquidationFeeRate": Decimal("0.0004"),
        "feeRateMode": "NORMAL",
        "leverageFeeRates": [],
        "tieredFeeRates": [],
        "type": 1,
        "stopOnlyFair": False,
        "preMarket": False,
        "typeLabel": 0,
    }


def contract_push(listing: Listing) -> dict[str, Any]:
    """The data of `push.contract`: the same row without `apiAllowed`, which only REST tells."""
    return {key: value for key, value in detail(listing).items() if key != "apiAllowed"}
