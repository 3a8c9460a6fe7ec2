"""What nobody outside knows of MEXC, as small experiments on a real account with the smallest orders.

Every check leaves nothing behind: what rests is cancelled, what was opened is closed. Each answers in words, for the
named assumption of ``assumptions`` that it decides.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from itertools import count
from typing import Any

import aiohttp

from adapters.mexc.connection import USER_AGENT
from adapters.mexc.smoke_probe import Answer, Probe, Pushes, wait

PUSH_SECONDS = 3.0
PACE_SECONDS = 0.6
"""Four creates in two seconds are the limit."""
FAR = Decimal("0.95")
"""Resting orders lie this far below the market, or as far above."""


@dataclass
class Bench:
    """The contract that is experimented with, and the shortest words for doing so."""

    probe: Probe
    symbol: str
    vol: Decimal
    tick: Decimal
    contract_size: Decimal
    position_mode: int
    run: str
    """A word that makes client ids of this run its own."""
    socket_url: str

    def __post_init__(self) -> None:
        self._numbers = count(1)

    @classmethod
    async def of(cls, probe: Probe, symbol: str, socket_url: str) -> "Bench":
        """Read the contract and the account. ValueError when the contract cannot be traded by this key."""
        detail = await probe.public("/api/v1/contract/detail", symbol=symbol)
        if not detail.accepted or not detail.data.get("apiAllowed"):
            raise ValueError(f"{symbol} cannot be traded by the API: {detail}")
        mode = await probe.get("position/position_mode")
        if not mode.accepted:
            raise ValueError(f"the key cannot read the account: {mode}")
        row = detail.data
        size, tick, vol = (Decimal(str(row[name])) for name in ("contractSize", "priceUnit", "minVol"))
        return cls(probe, symbol, vol, tick, size, int(mode.data), format(probe.venue_ms(), "x"), socket_url)

    async def prices(self) -> tuple[Decimal, Decimal]:
        """Best bid and ask."""
        book = (await self.probe.public(f"/api/v1/contract/depth/{self.symbol}", limit=5)).data
        return Decimal(str(book["bids"][0][0])), Decimal(str(book["asks"][0][0]))

    async def notional(self) -> Decimal:
        """What one order of the smallest size is worth, in quote currency."""
        return (await self.prices())[1] * self.vol * self.contract_size

    def name(self) -> str:
        """A fresh client id."""
        return f"smoke-{self.run}-{next(self._numbers)}"

    async def create(self, side: int, kind: int, price: Decimal | None = None, **more: Any) -> Answer:
        """``order/create`` of the smallest size."""
        body = {
            "symbol": self.symbol, "vol": self.vol, "side": side, "type": kind, "openType": 1, "leverage": 1,
            "positionMode": self.position_mode, "externalOid": self.name(),
        }  # fmt: skip
        if price is not None:
            body["price"] = price
        await asyncio.sleep(PACE_SECONDS)
        return await self.probe.post("order/create", body | more)

    async def rest(self, **more: Any) -> tuple[Answer, Decimal]:
        """A buy order far below the market, and its price."""
        price = ((await self.prices())[0] * FAR / self.tick).to_integral_value(ROUND_DOWN) * self.tick
        return await self.create(1, 1, price, **more), price

    async def across(self) -> Decimal:
        """A price at which a buy order trades at once."""
        return ((await self.prices())[1] / FAR / self.tick).to_integral_value(ROUND_UP) * self.tick

    async def clear(self) -> None:
        """Cancel everything of the contract, close what is held."""
        await self.probe.post("order/cancel_all", {"symbol": self.symbol})
        await self.probe.post("planorder/cancel_all", {"symbol": self.symbol})
        for row in await self.held():
            closing = 4 if row["positionType"] == 1 else 2
            await self.create(closing, 5, vol=Decimal(str(row["holdVol"])))
        await wait_flat(self)

    async def held(self) -> list[dict[str, Any]]:
        rows = (await self.probe.get("position/open_positions", symbol=self.symbol)).data or []
        return [row for row in rows if row["holdVol"]]

    async def resting(self) -> bool:
        """Whether the contract has any order or trigger order."""
        orders = (await self.probe.get("order/list/open_orders", page_num=1, page_size=100)).data or []
        plans = (await self.probe.get("planorder/list/orders", symbol=self.symbol, states=1)).data or []
        return bool(plans) or any(row["symbol"] == self.symbol for row in orders)


async def wait_flat(bench: Bench) -> None:
    """Wait until nothing is held. ValueError when something still is."""
    for _ in range(20):
        if not await bench.held():
            return
        await asyncio.sleep(0.5)
    raise ValueError(f"{bench.symbol} is still held: close it by hand")


def order_id(answer: Answer) -> str:
    """The id of a new order."""
    return str(answer.data["orderId"] if isinstance(answer.data, dict) else answer.data)


async def market_without_price(bench: Bench) -> str:
    """MARKET_ORDERS_CARRY_NO_PRICE"""
    answer = await bench.create(1, 5)
    return f"a market buy without price: {answer}"


async def one_way_flip(bench: Bench) -> str:
    """ONE_WAY_FLIPS_ARE_KNOWN"""
    if bench.position_mode != 2:
        return "not measured: the account is in hedge mode"
    opened = await bench.create(1, 5)
    await asyncio.sleep(1.0)
    against = await bench.create(3, 5)
    await asyncio.sleep(1.0)
    held = [(row["positionType"], row["holdVol"]) for row in await bench.held()]
    return f"long: {opened}; then side 3: {against}; held afterwards (type, contracts): {held}"


async def post_only_that_crosses(bench: Bench) -> str:
    """The path of a post-only order that would take."""
    bench.probe.pushes.clear()
    answer = await bench.create(1, 2, await bench.across())
    await wait(lambda: any(row.get("state") in (4, 5) for row in bench.probe.pushes.of("order")), PUSH_SECONDS)
    states = [(row["state"], row.get("errorCode")) for row in bench.probe.pushes.of("order")]
    return f"reply {answer}; pushed (state, errorCode): {states}"


async def change_of_price(bench: Bench) -> str:
    """CHANGED_ORDER_MAY_HAVE_ANOTHER_ID"""
    name = bench.name()
    answer, price = await bench.rest(externalOid=name)
    if not answer.accepted:
        return f"the order was refused: {answer}"
    first = order_id(answer)
    body = {"orderId": int(first), "vol": bench.vol, "price": price - bench.tick}
    changed = await bench.probe.post("order/change_limit_order", body)
    await asyncio.sleep(1.0)
    by_name = await bench.probe.get(f"order/external/{bench.symbol}/{name}")
    now = by_name.data and (by_name.data["orderId"], by_name.data["state"], by_name.data.get("version"))
    return f"id {first}, change {changed}; by its client id now (id, state, version): {now}"


async def cancel_by_client_id(bench: Bench) -> str:
    """CANCEL_BY_CLIENT_ID_TAKES_A_LIST"""
    said = []
    for form in ("list", "object"):
        name = bench.name()
        await bench.rest(externalOid=name)
        one = {"symbol": bench.symbol, "externalOid": name}
        said.append(f"{form}: {await bench.probe.post('order/cancel_with_external', [one] if form == 'list' else one)}")
    return "; ".join(said)


async def same_client_id_twice(bench: Bench) -> str:
    """How a duplicate is answered, and whether an id can be used again once its order is over."""
    name = bench.name()
    first, _ = await bench.rest(externalOid=name)
    second, _ = await bench.rest(externalOid=name)
    await bench.probe.post("order/cancel_all", {"symbol": bench.symbol})
    await asyncio.sleep(1.0)
    third, _ = await bench.rest(externalOid=name)
    return f"first {first}; second {second}; after the first was cancelled {third}"


async def pushes_of_an_order(bench: Bench) -> str:
    """Whether the pushes of ends and fills come, and with what."""
    bench.probe.pushes.clear()
    await bench.create(1, 5)
    await wait(lambda: bench.probe.pushes.of("order.deal"), PUSH_SECONDS)
    resting, _ = await bench.rest()
    if resting.accepted:
        await bench.probe.post("order/cancel", [int(order_id(resting))])
    await wait(lambda: any(row["state"] == 4 for row in bench.probe.pushes.of("order")), PUSH_SECONDS)
    states = [(row["state"], row["dealVol"], row.get("version")) for row in bench.probe.pushes.of("order")]
    deals = [
        (row["vol"], row["fee"], row.get("taker"), row.get("isSelf")) for row in bench.probe.pushes.of("order.deal")
    ]
    part = any(row["state"] == 2 and row["dealVol"] for row in bench.probe.pushes.of("order"))
    seen = "a partial fill was among them" if part else "no partial fill came by: watch for one in trading"
    return f"order pushes (state, dealVol, version): {states}; deals (vol, fee, taker, isSelf): {deals}; {seen}"


async def subscribe_false(bench: Bench) -> str:
    """Where ``subscribe: false`` of the login belongs."""
    said = []
    for place, login, top in (("in param", {"subscribe": False}, {}), ("at top level", {}, {"subscribe": False})):
        heard = Pushes()
        async with bench.probe.listening(heard, login, top_level=top):
            await bench.rest()
            await wait(lambda heard=heard: heard.of("order"), PUSH_SECONDS)  # type: ignore[misc]
            said.append(f"{place}: {len(heard.of('order'))} order pushes")
        await bench.clear()
    return "; ".join(said)


async def recv_window(bench: Bench) -> str:
    """RECV_WINDOW_SECONDS: a request that is 15 s old, with a window of 20 and of 20,000."""
    answers = [await bench.probe.get("position/position_mode", age_ms=15_000, recv_window=w) for w in (20, 20_000)]
    return f"20: {answers[0]}; 20000: {answers[1]}"


async def rate_limit(bench: Bench) -> str:
    """RATE_LIMIT_SCOPE_IS_PROCESS: 30 reads of one endpoint at once, then one of another."""
    answers = await asyncio.gather(*(bench.probe.get("position/position_mode") for _ in range(30)))
    refused = sorted({str(answer) for answer in answers if not answer.accepted})
    other = await bench.probe.get("account/assets")
    await asyncio.sleep(3.0)
    return f"{sum(a.accepted for a in answers)} of 30 answered, the others: {refused}; another endpoint then: {other}"


async def subscriptions_of_a_socket(bench: Bench) -> str:
    """MAX_SYMBOLS_PER_SOCKET: as many tickers as there are contracts, on one socket."""
    rows = (await bench.probe.public("/api/v1/contract/detail")).data
    symbols = [row["symbol"] for row in rows if row.get("state") == 0]
    acks, errors = 0, []
    async with aiohttp.ClientSession(headers={"User-Agent": USER_AGENT}) as session:
        socket = await session.ws_connect(bench.socket_url)
        for symbol in symbols:
            await socket.send_json({"method": "sub.ticker", "param": {"symbol": symbol}})
            await asyncio.sleep(0.05)
        while True:
            try:
                frame = json.loads((await socket.receive(timeout=3.0)).data or "{}")
            except (TimeoutError, TypeError, ValueError):
                break
            acks += frame.get("channel") == "rs.sub.ticker"
            if frame.get("channel") == "rs.error":
                errors.append(frame.get("data"))
            if acks + len(errors) >= len(symbols):
                break
        await socket.close()
    return f"{acks} of {len(symbols)} subscriptions acknowledged, errors: {errors[:3]}"


async def trigger_order(bench: Bench) -> str:
    """PLAN_CYCLE_CODE: how a trigger order reads back."""
    body = {
        "symbol": bench.symbol, "vol": bench.vol, "side": 1, "orderType": 5, "openType": 1, "leverage": 1,
        "positionMode": bench.position_mode, "triggerPrice": await bench.across(), "triggerType": 1, "trend": 1,
        "executeCycle": 2,
    }  # fmt: skip
    answer = await bench.probe.post("planorder/place/v2", body)
    now = bench.probe.venue_ms()
    listed = await bench.probe.get(
        "planorder/list/orders", states=1, page_num=1, page_size=20, start_time=now - 60_000, end_time=now + 60_000
    )
    rows = [(row["id"], row["executeCycle"], row.get("errorCode")) for row in listed.data or []]
    return f"{answer}; listed (id, executeCycle, errorCode): {rows}"


@dataclass(frozen=True)
class Check:
    """One experiment. `orders` says what it sends, "" for none; `trades`: something is bought and sold again."""

    work: Callable[[Bench], Awaitable[str]]
    orders: str = ""
    trades: bool = False


CHECKS = (
    Check(recv_window),
    Check(rate_limit),
    Check(subscriptions_of_a_socket),
    Check(change_of_price, "one resting buy order, changed once"),
    Check(cancel_by_client_id, "two resting buy orders"),
    Check(same_client_id_twice, "up to three resting buy orders"),
    Check(subscribe_false, "two resting buy orders, one after the other"),
    Check(trigger_order, "one trigger order, cancelled before it triggers"),
    Check(post_only_that_crosses, "one post-only order across the market, which should not trade", trades=True),
    Check(market_without_price, "one market buy, closed at once", trades=True),
    Check(pushes_of_an_order, "one market buy, closed at once, and one resting buy order", trades=True),
    Check(one_way_flip, "two market orders against each other, closed at once", trades=True),
)
