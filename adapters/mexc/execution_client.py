"""MEXC's account for Nautilus: connection, the private stream, and the news that it brings. See ``docs/mexc.md``."""

import asyncio

from msgspec.structs import replace
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.execution.messages import QueryAccount
from nautilus_trader.execution.reports import ExecutionMassStatus
from nautilus_trader.model.identifiers import ClientId, ClientOrderId

from adapters.mexc.account_watch import AccountWatch, StreamState
from adapters.mexc.command_client import MexcCommandClient
from adapters.mexc.config import MexcExecClientConfig
from adapters.mexc.constants import MexcOrderState, MexcPlanState, MexcPositionMode
from adapters.mexc.credentials import Credentials
from adapters.mexc.fills import Stray
from adapters.mexc.order_teller import OrderTeller
from adapters.mexc.order_track import OrderTrack
from adapters.mexc.patience import until_answered
from adapters.mexc.position_check import PositionCheck
from adapters.mexc.private_stream import PrivateStream
from adapters.mexc.provider import MexcInstrumentProvider
from adapters.mexc.reduce_only_gate import ReduceOnlyGate
from adapters.mexc.reports import MS_NS, VenueOrder
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.private import PlanOrderRow
from adapters.mexc.schemas.private_account import PositionModePush
from adapters.mexc.socket_login import MexcLogin
from adapters.mexc.socket_session import SocketSession
from adapters.mexc.socket_settings import SocketSettings
from adapters.mexc.symbols import MEXC_VENUE

CONNECT_SECONDS = 30.0


class MexcExecutionClient(MexcCommandClient):
    """Orders on MEXC contracts. This shell translates and delegates: the rules are in what it puts together."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client_id: ClientId,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        provider: MexcInstrumentProvider,
        rest: RestClient,
        credentials: Credentials,
        config: MexcExecClientConfig,
    ) -> None:
        super().__init__(loop, client_id, msgbus, cache, clock, provider, rest, config)
        rest.sign_with(credentials)
        self._one_way = self._setup.position_mode is MexcPositionMode.ONE_WAY
        self._gate = ReduceOnlyGate()
        positions = PositionCheck(self._view.sides, one_way=self._one_way)
        self.watch = AccountWatch(self._room, self, positions, config.refresh_interval_seconds)
        self.socket = SocketSession(
            "private", _socket_settings(config), PrivateStream(self.watch), login=MexcLogin(credentials, rest.venue_ms)
        )
        self._teller = OrderTeller(self, self._reports, self._view, self._disown, self._log)
        self._watching: asyncio.Task[None] | None = None
        msgbus.subscribe(f"reports.execution.{MEXC_VENUE}", self._on_reconciled)

    # -- connection ----------------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        await self._rest.start()
        await until_answered(self._set_up, self._log.warning)
        self.socket.start()
        if not await self.socket.wait_connected(CONNECT_SECONDS):
            raise ConnectionError(f"no private socket to {self._settings.base_url_ws} within {CONNECT_SECONDS:.0f} s")
        self._watching = self.create_task(self.watch.run(), log_msg="mexc account watch")

    async def _set_up(self) -> None:
        """All that is asked before the private socket is opened."""
        await self._rest.sync_clock()
        await self._provider.initialize()
        for instrument in self._provider.get_all().values():
            self._cache.add_instrument(instrument)
        await self.account.check_position_mode(may_change=self._settings.change_position_mode)
        await self.watch.read_money()
        await self._await_account_registered()
        for order in self._cache.orders(venue=MEXC_VENUE):
            self._oids.encode(order.client_order_id.value)  # so that names that are digests can be turned back
        self.watch.started_ms = await self._reader.venue_ms()

    async def _disconnect(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await self.watch.stop()
        await self.socket.stop()
        await self._rest.stop()

    def _on_reconciled(self, status: object) -> None:
        """The engine has taken the mass status in."""
        if isinstance(status, ExecutionMassStatus):
            self.go_live()

    def go_live(self) -> None:
        """The engine knows what there was at the start: pushes are news from now on."""
        if self.watch.state is StreamState.LIVE:
            return
        for order in self._view.open_orders():
            known = self._view.known(order)
            if known is not None and self._fills.track(known.spec.key) is None:
                self._fills.adopt(known, self._now_ms())
        self._gate.start({symbol: long - short for symbol, (long, short) in self._view.sides().items()})
        self.watch.release()

    async def _query_account(self, command: QueryAccount) -> None:
        await self.watch.read_money()

    # -- news ----------------------------------------------------------------------------------------------------------

    def _tell_news(self) -> None:
        for event in self._fills.take():
            order = self._view.order(ClientOrderId(event.key))
            guarded = self._one_way and order is not None and order.is_reduce_only
            for ready in self._gate.pass_on(event, reduce_only=guarded, now_ms=self._now_ms()):
                self._teller.tell(ready)
        if self._gate.holds:
            self.watch.want_refresh()

    def on_tick(self) -> None:
        """Ten times a second: tell what has been held back for long enough."""
        for event in self._gate.overdue(self._now_ms()):
            self._teller.tell(event)

    def on_money(self) -> None:
        """Balances have changed, or were asked for."""
        self.generate_account_state(self.watch.assets.balances(), [], True, self.watch.assets.ts_ms * MS_NS)

    def awaits(self, plan: PlanOrderRow) -> bool:
        """Whether a trigger order of this content is being sent."""
        return self._sender.awaits(plan)

    def take_foreign(self, stray: Stray) -> None:
        """An order that nobody here placed: liquidation, by hand, by another program.

        The engine is told that it is there; its fills follow one by one.
        """
        instrument = self._view.instrument_of(stray.symbol)
        if instrument is not None:
            row = replace(stray.rows[-1], state=MexcOrderState.OPEN) if stray.rows else None
            plan = None if stray.plan is None else replace(stray.plan, state=MexcPlanState.UNTRIGGERED)
            self._send_order_status_report(self._reports.order(VenueOrder(row, plan), instrument))
        known = self._view.find(stray.id, None)
        if known is None:
            self._log.warning(f"{stray.kind} {stray.id} of {stray.symbol} is nobody's here: ignored")
            self._fills.ignore(stray)
            return
        self._room.touched(self._fills.adopt(known, self._now_ms()))

    def on_position_mode(self, push: PositionModePush) -> None:
        """Somebody has changed the account's mode: what closes and what opens would be mixed up."""
        actual, wanted = push.position_mode, self._setup.position_mode
        self._mode_problem = None
        if actual is not wanted:
            self._mode_problem = f"the account was set to {actual.name} mode: no orders until it is {wanted.name} again"
            self._log.error(self._mode_problem)

    def cancel_again(self, track: OrderTrack) -> None:
        """The venue has taken a cancel, and shows the order open: what a trigger order became meanwhile, as a rule."""
        track.cancelled = False
        self.create_task(self._cancel_track(track), log_msg=f"cancel {track.spec.key} again")

    def _disown(self, key: str) -> None:
        track = self._fills.track(key)
        if track is not None:
            self.create_task(self._cancel_track(track), log_msg=f"cancel disowned {key}")


def _socket_settings(config: MexcExecClientConfig) -> SocketSettings:
    return SocketSettings(
        url=config.base_url_ws,
        ping_interval_seconds=config.ping_interval_seconds,
        idle_timeout_seconds=config.idle_timeout_seconds,
        proxy_url=config.proxy_url,
    )
