"""The measuring script, on a local MEXC: it asks before everything, finds out, and leaves nothing behind."""

from decimal import Decimal

import pytest
from typer.testing import CliRunner

from adapters.loopback.matching.order import Effect, Kind, MarginMode, NewOrder, Side
from adapters.loopback.mexc.assumptions import Assumptions
from adapters.loopback.mexc.local import LocalMexc
from adapters.mexc import smoke, smoke_checks
from adapters.mexc.constants import API_KEY_VARIABLE, API_SECRET_VARIABLE
from adapters.mexc.credentials import Credentials
from adapters.mexc.smoke_checks import CHECKS
from adapters.mexc.smoke_probe import Probe
from tests.adapters.mexc.local_node import listing, quote
from tests.adapters.mexc.local_venue import run


def measured(venue_settings: Assumptions, *, consent: bool = True) -> tuple[dict[str, str], list[str], int]:
    """(findings, questions asked, orders sent) of a whole run."""
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        return consent

    async def story() -> tuple[dict[str, str], int]:
        async with LocalMexc(contracts=[listing()], assumptions=venue_settings) as venue:
            quote(venue, "99.5", "100")
            probe = Probe(venue.rest_url, venue.ws_url, Credentials(venue.api_key, venue.api_secret))
            found = await smoke.run(probe, "X_USDT", venue.ws_url, list(CHECKS), ask)
            account = venue.exchange.accounts[venue.account_id]
            assert not account.positions
            assert not account.open_orders
            assert not venue.exchange.triggers.waiting(venue.account_id)
            return found, len(venue.wire.requests("order/create"))

    found, sent = run(story())
    return found, questions, sent


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke_checks, "PUSH_SECONDS", 0.5)


def test_every_check_finds_something_and_cleans_up() -> None:
    found, questions, _ = measured(Assumptions())
    assert set(found) == {check.work.__name__ for check in CHECKS}
    assert len(questions) == len(CHECKS)
    assert "4, 20" in found["post_only_that_crosses"]
    assert "code 0" in found["market_without_price"]
    assert "2042" in found["same_client_id_twice"]
    assert "510" in found["rate_limit"]
    assert "hedge mode" in found["one_way_flip"]


def test_another_venue_gives_other_findings() -> None:
    """What is measured is what the venue does, not what is assumed here."""
    found, _, _ = measured(Assumptions(market_order_needs_price=True, amend_keeps_id=False, too_frequent_status=429))
    assert "code 600" in found["market_without_price"]
    assert "HTTP 429" in found["rate_limit"]
    assert ", 4, " in found["change_of_price"]  # by its client id it is cancelled now


def test_nothing_is_sent_without_consent() -> None:
    found, questions, sent = measured(Assumptions(), consent=False)
    assert (found, sent) == ({}, 0)
    assert sum("Sends" in question for question in questions) == sum(bool(check.orders) for check in CHECKS)


@pytest.mark.parametrize(
    ("kind", "price", "what"), [(Kind.LIMIT, "90", "has orders, which would be"), (Kind.MARKET, "0", "is held already")]
)
def test_a_contract_that_is_in_use_is_left_alone(kind: Kind, price: str, what: str) -> None:
    """Its orders would be cancelled and its position closed."""

    async def story() -> None:
        async with LocalMexc(contracts=[listing()]) as venue:
            quote(venue, "99.5", "100")
            account, vol, isolated = venue.account_id, Decimal(1), MarginMode.ISOLATED
            new = NewOrder(account, "X_USDT", Side.BUY, Effect.OPEN, kind, vol, Decimal(price), isolated, 5)
            venue.exchange.submit(new)
            probe = Probe(venue.rest_url, venue.ws_url, Credentials(venue.api_key, venue.api_secret))
            with pytest.raises(ValueError, match=what):
                await smoke.run(probe, "X_USDT", venue.ws_url, list(CHECKS), lambda _: True)
            assert [item for item in venue.wire.exchanged if item.method == "POST"] == []

    run(story())


def test_without_a_key_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    monkeypatch.delenv(API_SECRET_VARIABLE, raising=False)
    result = CliRunner().invoke(smoke.app, [])
    assert result.exit_code == 2
    assert API_KEY_VARIABLE in result.output


def test_unknown_check_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(smoke.app, ["--only", "everything"])
    assert result.exit_code == 2
    assert "no check everything" in result.output
