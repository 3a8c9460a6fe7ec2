"""Faults on the wire: each does what it says, once or at its rate, and is noted."""

import json
import time
from decimal import Decimal

import aiohttp
import pytest

from adapters.loopback.faults import Fault
from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.order import Side
from tests.adapters.loopback.mexc.client import SYMBOL, Client, quiet_venue, run


def level(client: Client, vol: int) -> None:
    client.venue.exchange.feed_book(SYMBOL, [(Side.BUY, Decimal("99999.9"), Decimal(vol))])


def test_a_lost_acknowledgement_is_an_order_that_exists_and_was_never_answered() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            client.venue.faults.arm(Fault.LOST_ACK, "order/create")
            with pytest.raises(aiohttp.ClientError):
                await client.create(1, 1, externalOid="lost")
            order = (await client.private(f"order/external/{SYMBOL}/lost"))["data"]
            assert order["state"] == 3
            (item,) = client.venue.wire.requests("order/create")
            assert (item.status, item.fault) == (0, "LOST_ACK")
            assert (await client.create(1, 1))["success"]

    run(test())


@pytest.mark.parametrize(("fault", "orders"), [(Fault.ERROR_AFTER, 1), (Fault.ERROR_BEFORE, 0)])
def test_a_server_error_comes_after_or_before_the_order_was_taken(fault: Fault, orders: int) -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            client.venue.faults.arm(fault, "order/create")
            with pytest.raises(json.JSONDecodeError):  # a page of the gateway, not an answer of the venue
                await client.create(1, 1)
            assert len(client.venue.exchange.orders) == orders

    run(test())


def test_a_burst_of_refusals_for_frequency() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            client.venue.faults.arm(Fault.RATE_LIMITED, "order", times=3)
            codes = [(await client.create(1, 1))["code"] for _ in range(4)]
            assert codes == [510, 510, 510, 0]
            assert len(client.venue.exchange.orders) == 1

    run(test())


def test_a_late_reply_is_late() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            client.venue.faults.delay_s = (0.2, 0.2)
            client.venue.faults.arm(Fault.DELAY_REPLY, "ping")
            begin = time.monotonic()
            await client.get("ping")
            assert time.monotonic() - begin >= 0.2

    run(test())


def test_a_stale_snapshot_is_an_older_book_with_its_version() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            fresh = (await client.get(f"depth/{SYMBOL}"))["data"]
            level(client, 7)
            client.venue.faults.staleness = 1
            client.venue.faults.arm(Fault.STALE_SNAPSHOT)
            stale = (await client.get(f"depth/{SYMBOL}"))["data"]
            assert (stale["version"], stale["bids"]) == (fresh["version"], fresh["bids"])
            assert (await client.get(f"depth/{SYMBOL}"))["data"]["version"] == fresh["version"] + 1

    run(test())


def test_a_depth_gap_shows_in_the_versions() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.subscribe("depth", symbol=SYMBOL, compress=False)
            client.venue.faults.arm(Fault.DEPTH_GAP)
            level(client, 7)
            level(client, 8)
            (frame,) = await socket.gather()
            assert frame["data"]["version"] == client.venue.exchange.markets[SYMBOL].version

    run(test())


def test_a_dropped_public_frame_never_comes_and_a_delayed_one_holds_up_what_follows() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket() as socket:
            await socket.subscribe("deal", symbol=SYMBOL, compress=False)
            faults = client.venue.faults
            faults.arm(Fault.DROP_FRAME)
            trade = (SYMBOL, Side.BUY, Decimal(100_000), Decimal(1))
            client.venue.exchange.feed_trade(*trade)
            assert await socket.gather() == []
            faults.delay_s = (0.2, 0.2)
            faults.arm(Fault.DELAY_FRAME)
            begin = time.monotonic()
            client.venue.exchange.feed_trade(*trade)
            client.venue.exchange.feed_trade(*trade)
            ids = [frame["data"][0]["i"] for frame in await socket.gather()]
            assert time.monotonic() - begin >= 0.2
            assert ids == [str(p.id) for p in list(client.venue.exchange.markets[SYMBOL].prints)[1:]]

    run(test())


def test_private_frames_are_doubled_dropped_and_reordered() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            faults = client.venue.faults
            faults.arm(Fault.DUPLICATE_PRIVATE, "order.deal")
            await client.order_id(1, 1)
            frames = await socket.gather()
            deals = [f for f in frames if f["channel"] == "push.personal.order.deal"]
            assert len(deals) == 2
            assert deals[0] == deals[1]
            faults.arm(Fault.DROP_PRIVATE, "order.deal")
            await client.order_id(1, 1)
            assert "push.personal.order.deal" not in {f["channel"] for f in await socket.gather()}
            faults.arm(Fault.REORDER_PRIVATE, "order.deal")
            await client.order_id(1, 1)
            channels = [f["channel"] for f in await socket.gather()]
            deal = channels.index("push.personal.order.deal")
            assert channels[deal - 2 : deal] == ["push.personal.order", "push.personal.order"]  # the second overtook it
            assert [f.fault for f in client.venue.wire.frames if f.fault] == [
                "DUPLICATE_PRIVATE",
                "DROP_PRIVATE",
                "REORDER_PRIVATE",
            ]

    run(test())


def test_a_frame_that_nothing_overtakes_comes_in_the_end() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            client.venue.faults.arm(Fault.REORDER_PRIVATE, "position.mode")
            await client.post("position/change_position_mode", {"positionMode": 2})
            assert (await socket.next())["channel"] == "push.personal.position.mode"

    run(test())


def test_a_disconnect_cuts_the_socket_and_its_subscriptions() -> None:
    async def test() -> None:
        async with quiet_venue() as client, client.socket(login=True) as socket:
            client.venue.faults.arm(Fault.DISCONNECT, "push.personal.order")
            await client.order_id(1, 1)
            await socket.until_cut()
            async with client.socket() as fresh:
                level(client, 7)
                assert await fresh.gather() == []

    run(test())


def test_a_wrong_clock_shows_in_ping_and_refuses_right_ones() -> None:
    async def test() -> None:
        async with quiet_venue() as client:
            client.venue.faults.clock_skew_ms = 15_000
            now = int(time.time() * 1000)
            assert abs((await client.get("ping"))["data"] - now - 15_000) < 5_000
            assert (await client.private("account/assets"))["code"] == 513
            client.venue.faults.calm()
            assert (await client.private("account/assets"))["success"]

    run(test())


def test_whatever_the_faults_the_venue_itself_stays_sound() -> None:
    async def test() -> None:
        async with quiet_venue(limit_factor=100) as client:
            faults = client.venue.faults
            kinds = (Fault.LOST_ACK, Fault.ERROR_AFTER, Fault.ERROR_BEFORE, Fault.RATE_LIMITED)
            faults.rates(dict.fromkeys(kinds, 0.2))
            for number in range(40):
                try:
                    await client.create(1 + 2 * (number % 2), 3, externalOid=f"n{number}")
                except (aiohttp.ClientError, json.JSONDecodeError):
                    continue
            assert {c.fault for c in faults.committed} == set(kinds)
            assert not problems(client.venue.exchange)

    run(test())
