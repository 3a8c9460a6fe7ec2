"""Private frames to the one who listens."""

import json
from typing import Any

import pytest

from adapters.mexc.private_stream import PrivateStream
from tests.adapters.mexc.recorded_payloads import frames, needs_fixtures


class Ear:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("on_"):
            raise AttributeError(name)

        def hear(*arguments: Any, **options: Any) -> None:
            self.heard.append((name, *arguments, *options.values()))  # type: ignore[arg-type]

        return hear


def hear(text: str) -> list[Any]:
    ear = Ear()
    PrivateStream(ear).on_frame(text.encode(), 0)  # type: ignore[arg-type]
    return ear.heard


@needs_fixtures
@pytest.mark.parametrize(
    ("fixture", "method"),
    [
        ("ws_private_order_market_filled_arb", "on_order"),
        ("ws_private_order_deal_arb", "on_deal"),
        ("ws_private_plan_order_arb", "on_plan"),
        ("ws_private_position_open_arb", "on_position"),
        ("ws_private_asset_arb", "on_asset"),
        ("ws_private_liquidate_risk_arb", "on_liquidation_risk"),
        ("ws_private_misc_docsynthetic", "on_position_mode"),
    ],
)
def test_recorded_frames_are_routed(fixture: str, method: str) -> None:
    assert [name for name, *_ in hear(frames(fixture)[0])] == [method]


@needs_fixtures
def test_asset_carries_the_time_of_its_push() -> None:
    (heard,) = hear(frames("ws_private_asset_arb")[0])
    assert heard[2] == 1_700_000_000_000


def test_frame_that_cannot_be_read_is_reported_as_lost_news() -> None:
    """Field and channel are named; what the frame told has to be asked for."""
    (heard,) = hear(json.dumps({"channel": "push.personal.order", "data": {"orderId": "1"}, "ts": 1}))
    name, text, news_lost = heard
    assert (name, news_lost) == ("on_stream_trouble", True)
    assert text.startswith("push.personal.order: ")
    assert hear("nonsense")[0][2] is True


def test_what_the_venue_complains_about_is_passed_on() -> None:
    ((name, text, news_lost),) = hear(json.dumps({"channel": "rs.error", "data": "Contract not exists", "ts": 1}))
    assert (name, news_lost) == ("on_stream_trouble", False)
    assert "Contract not exists" in text


@pytest.mark.parametrize("channel", ["pong", "rs.personal.filter", "push.personal.adl.level", "push.personal.bonus"])
def test_other_channels_are_passed_over(channel: str) -> None:
    assert hear(json.dumps({"channel": channel, "data": {}, "ts": 1})) == []
