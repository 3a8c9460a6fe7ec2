"""What the public material about MEXC does not say, and the safe side that the code takes until it is measured.

One name an assumption. Numbers are read from here and nowhere repeated. A name that is True says how the code is
written, so that it can be found and doubted: another answer of the venue is work on the code, not on this file.
``docs/mexc.md`` lists them all.
"""

from decimal import Decimal

RATE_WINDOW_MARGIN_SECONDS = 0.1
"""Requests may bunch up on the way, so a window of the venue is taken to be this much longer than it says."""

RATE_LIMIT_SCOPE_IS_PROCESS = True
"""Whether limits count by IP, key or user is not stated: all clients of one process share one count per endpoint."""

BUSY_POST_IS_UNKNOWN = True
"""Whether an order answered with 500, 501, 504, 510 or 2037 was taken is not stated: its outcome counts as unknown."""

RECV_WINDOW_SECONDS: int | None = None
"""The unit of ``Recv-Window`` is disputed (seconds or milliseconds): it is not sent, and the venue's ±10 s hold."""

SIGNATURE_TOLERANCE_SECONDS = 10.0
"""How far ``Request-Time`` may lie from the venue's clock. A lost order cannot be accepted later than this."""

MAX_SYMBOLS_PER_SOCKET = 100
"""The most subscriptions of a socket is not published: 150 contracts were seen to work, another client stops at 30."""

SUBSCRIPTIONS_PER_SECOND = 20.0
"""The pace that was seen to work for subscription frames."""

SOCKET_SILENCE_DROP_SECONDS = 60.0
"""The venue drops a socket that did not ping for about this long, without a close frame."""

BINARY_FRAMES_ARE_GZIP = True
"""Every frame seen in 2026 was text whatever ``gzip`` said: a binary frame is read as gzipped JSON, and counted."""

TRADE_FLAGS_MEAN_NOTHING = True
"""``M`` (self-trade) and ``O`` (open or close) were set on ordinary trades: neither decides anything here."""

KLINE_REAL_PRICES_ARE_THE_BAR = True
"""``open`` is the previous close and widens high and low; the first to last trade are in the ``real`` fields."""

LAST_KLINE_PUSH_IS_WHOLE = False
"""Whether the last push of a bar has the trades of its last moment is not stated: closed bars are asked of REST."""

OPEN_INTEREST_SIDES_UNKNOWN = True
"""Whether ``holdVol`` counts one side or both is not stated: it is passed on as it is, in contracts."""

MAX_QUANTITY_IS_THE_SMALLER = True
"""``maxVol`` is read as the bound of market orders, ``limitMaxVol`` of limit orders. Nautilus has one bound for both:
the smaller is used, and both are in the instrument's ``info``."""

DELISTED_BOOK_IS_GONE = True
"""A delisted contract keeps answering with an empty book and a frozen time: that is "gone", never an empty market."""

SHOWN_AFTER_SECONDS = 5.0
"""Reads are said to lag "seconds" behind what was taken: so long after the end of a lost request's window is waited
before "no such order" is believed."""

API_MAKER_FEE = Decimal("0.0006")
"""What orders by API pay by the schedule of 2026-06-01, the taker fee beside it. ``contract/detail`` shows the rate of
the web page, which is less. The account's own rate replaces it where there is a key."""

API_TAKER_FEE = Decimal("0.0008")
"""See `API_MAKER_FEE`."""

MARKET_ORDERS_CARRY_NO_PRICE = True
"""The page calls ``price`` required, clients that trade send none: it is left out of market orders."""

CLOSING_IS_SAID_BY_SIDE = True
"""``reduceOnly`` is for one-way mode only and was seen to make trouble: what reduces is sent as sides 2 and 4."""

ONE_WAY_FLIPS_ARE_KNOWN = False
"""Whether an opening side against a position nets in one-way mode is not stated. Such an order is sent as a closing one
where it is not larger than the position, and refused where it would turn the position round."""

CLOSING_NEEDS_NO_POSITION_ID = True
"""``positionId`` is recommended for closing in hedge mode; symbol and side name one position, so it is left out."""

PARTLY_FILLED_ORDERS_CAN_BE_CHANGED = False
"""Whether ``vol`` of a change counts what is filled is not stated: a partly filled order is not changed."""

CHANGED_ORDER_MAY_HAVE_ANOTHER_ID = True
"""Whether an id survives a change is not stated: the id in the answer is the one that counts from then on."""

CANCEL_BY_CLIENT_ID_TAKES_A_LIST = True
"""``cancel_with_external``: the page shows a list of objects, its predecessor one object."""

PLAN_CYCLE_CODE = 2
"""``executeCycle`` 2: a trigger order waits for seven days, the longest that is documented, and then expires."""

PLANS_ARE_KNOWN_BY_CONTENT = True
"""Trigger orders have no client id: one whose sending was not answered is recognised by its symbol, side, quantity,
prices and time. Equal ones are sent one after the other, so that it can be only one."""

TRADES_WITH_ONESELF_MAY_SHARE_AN_ID = True
"""Whether both sides of a trade with oneself have one id is not stated: fills are counted by order and id, and the
maker's is marked for Nautilus."""

ASSET_TOTAL_IS_AVAILABLE_FROZEN_AND_MARGIN = True
"""Pushes carry neither cash nor equity: the total of a currency is what is available, frozen and held as margin."""

HISTORY_SPAN_DAYS = 7
"""Queries of history without times answer for seven days, with times for at most ninety."""
