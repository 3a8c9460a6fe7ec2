"""Any input: data, nothing, or a clean error. A million of them: ``python -m tests.adapters.mexc.fuzz``."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.mexc.errors import MexcError
from tests.adapters.mexc import fuzz
from tests.adapters.mexc.fuzz_targets import Targets

NUMBERS = st.one_of(st.integers(), st.integers(-(2**70), 2**70), st.floats(), st.decimals().map(str))
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8))
NAMES = st.sampled_from(
    ["channel", "symbol", "data", "ts", "cts", "asks", "bids", "version", "begin", "end", "p", "v", "T", "t", "i",
     "price", "rate", "interval", "o", "h", "l", "c", "q", "a", "success", "code", "time", "holdVol", "resultList"]
)  # fmt: skip
CHANNELS = st.sampled_from(
    ["push.deal", "push.depth", "push.kline", "push.ticker", "push.fair.price", "push.index.price", "push.funding.rate",
     "push.contract", "rs.error", "push.personal.order", "push.personal.asset"]
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=20,
)


@given(VALUES, CHANNELS, st.one_of(st.just(1_790_870_038_339), LEAVES))
def test_any_json_in_any_channel(data: Any, channel: str, ts: Any) -> None:
    """To all parsers, as frame and as reply."""

    async def story() -> None:
        targets = Targets()
        frame = json.dumps(
            {"symbol": "BTC_USDT", "data": data, "channel": channel, "ts": ts, "success": True, "code": 0}
        )
        for call in targets.all().values():
            with suppress(MexcError):
                call(frame.encode())
        await targets.stop()

    asyncio.run(story())


def test_damaged_payloads() -> None:
    """Twenty thousand damaged frames and replies."""
    findings = asyncio.run(fuzz.run(20_000, seed=7))
    assert findings.dirty == []
    assert findings.clean_errors > 5_000
