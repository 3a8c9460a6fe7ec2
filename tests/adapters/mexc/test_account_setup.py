"""Position mode, leverage and fees of the account: set before the first order, and what if somebody changes them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.orders import Order

from adapters.loopback.faults import Fault
from adapters.loopback.matching.order import Effect, Kind, MarginMode, NewOrder, Side
from adapters.loopback.mexc.local import LocalMexc
from adapters.mexc import endpoints
from adapters.mexc.account_setup import AccountSetup, AccountSetupError
from adapters.mexc.constants import MexcMarginMode, MexcPositionMode
from adapters.mexc.endpoints import Endpoint
from adapters.mexc.errors import MexcUnavailableError
from adapters.mexc.orders import Setup
from tests.adapters.mexc.local_node import LocalNode, listing, local_node, quote, until
from tests.adapters.mexc.local_venue import run
from tests.adapters.mexc.quick_windows import shorten

BUY, SELL = OrderSide.BUY, OrderSide.SELL
CREATE = "order/create"
QUICK: dict[str, Any] = {"request_timeout_seconds": 1.0, "refresh_interval_seconds": 1.0, "leverage": 5}


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        yield


def local() -> LocalMexc:
    return LocalMexc(contracts=[listing()])


async def by_hand(node: LocalNode, endpoint: Endpoint, body: dict[str, Any]) -> None:
    """Somebody else changes the account, over the same key."""
    await node.client._rest.post(endpoint, body, msgspec.Raw)


def held_id(venue: LocalMexc) -> int:
    (position,) = venue.exchange.accounts[venue.account_id].positions
    return position.id


def sent(venue: LocalMexc, path: str) -> int:
    return len(venue.wire.requests(path))


def test_position_mode_that_nobody_answers_for_is_asked_for_again() -> None:
    """Three lost answers are no refusal: whoever connects has to wait, not to give up."""

    async def story() -> None:
        async with local() as venue, local_node(venue, **QUICK) as node:
            other = Setup(MexcPositionMode.ONE_WAY, MexcMarginMode.ISOLATED)
            account = AccountSetup(node.client._rest, node.client._reader, other, 5, {})
            venue.faults.arm(Fault.ERROR_BEFORE, "change_position_mode", times=3)
            with pytest.raises(MexcUnavailableError, match="still in HEDGE mode"):
                await account.check_position_mode(may_change=True)
            await account.check_position_mode(may_change=True)
            assert await node.client._reader.position_mode() is MexcPositionMode.ONE_WAY

    run(story())


def test_position_mode_must_be_the_accounts() -> None:
    """A wrong one would turn closing orders into opening ones: there is no trading then."""

    async def story() -> None:
        async with local() as venue, local_node(venue, **QUICK) as node:
            other = Setup(MexcPositionMode.ONE_WAY, MexcMarginMode.ISOLATED)
            account = AccountSetup(node.client._rest, node.client._reader, other, 5, {})
            with pytest.raises(AccountSetupError, match="change one of them"):
                await account.check_position_mode(may_change=False)
            venue.exchange.submit(
                NewOrder(
                    venue.account_id, "X_USDT", Side.BUY, Effect.OPEN, Kind.LIMIT, Decimal(4), Decimal(90),
                    MarginMode.ISOLATED, 5, "x",
                )
            )  # fmt: skip
            with pytest.raises(AccountSetupError, match="without any order"):
                await account.check_position_mode(may_change=True)

    run(story())


def test_leverage_and_fees_are_those_of_the_account() -> None:
    """Set before the first order, once a contract; the instrument has the account's fees from then on."""

    async def story() -> None:
        async with local() as venue, local_node(venue, leverages={"X_USDT": 7}, **QUICK) as node:
            quote(venue, "99.5", "100")
            before = node.instrument().taker_fee
            orders: list[Order] = [node.market(BUY, 1), node.market(BUY, 1)]
            for order in orders:
                await node.status(order, OrderStatus.FILLED)
            assert [p.leverage for p in venue.exchange.accounts[venue.account_id].positions] == [7]
            assert sent(venue, "change_leverage") == 2
            assert (before, node.instrument().taker_fee) == (Decimal("0.0008"), Decimal("0.0008"))
            assert node.instrument().info["feeSource"] == "account"

    run(story())


def test_leverage_that_cannot_be_set_denies_the_order() -> None:
    """The venue bars the change while orders rest."""

    async def story() -> None:
        async with local() as venue, local_node(venue, leverages={"X_USDT": 7}, **QUICK) as node:
            quote(venue, "99.5", "100")
            venue.exchange.submit(
                NewOrder(
                    venue.account_id, "X_USDT", Side.BUY, Effect.OPEN, Kind.LIMIT, Decimal(4), Decimal(90),
                    MarginMode.ISOLATED, 20, "x",
                )
            )  # fmt: skip
            order = node.market(BUY, 1)
            await node.status(order, OrderStatus.DENIED)
            assert "7x isolated was refused" in order.events[-1].reason
            assert sent(venue, CREATE) == 0

    run(story())


def test_leverage_that_somebody_has_changed_is_set_again() -> None:
    """The venue refuses the order that finds out; the next one of the contract is preceded by the setting."""

    async def story() -> None:
        async with local() as venue, local_node(venue, **QUICK) as node:
            quote(venue, "99.5", "100")
            await node.status(node.market(BUY, 1), OrderStatus.FILLED)
            await by_hand(node, endpoints.CHANGE_LEVERAGE, {"positionId": held_id(venue), "leverage": 9})
            await node.status(node.market(BUY, 1), OrderStatus.REJECTED)
            await node.status(node.market(BUY, 1), OrderStatus.FILLED)
            assert [p.leverage for p in venue.exchange.accounts[venue.account_id].positions] == [5]

    run(story())


def test_position_mode_that_somebody_has_changed_stops_all_orders() -> None:
    """Until it is what it was."""

    async def story() -> None:
        async with local() as venue, local_node(venue, **QUICK) as node:
            quote(venue, "99.5", "100")
            await by_hand(node, endpoints.CHANGE_POSITION_MODE, {"positionMode": 2})
            await until(lambda: node.client._mode_problem is not None)
            order = node.market(BUY, 1)
            await node.status(order, OrderStatus.DENIED)
            assert "no orders until it is HEDGE again" in order.events[-1].reason
            await by_hand(node, endpoints.CHANGE_POSITION_MODE, {"positionMode": 1})
            await until(lambda: node.client._mode_problem is None)
            await node.status(node.market(BUY, 1), OrderStatus.FILLED)

    run(story())
