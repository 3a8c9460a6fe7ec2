"""The venue's answers: split by what the operator must do."""

import pytest

from adapters.mexc import errors
from adapters.mexc.envelope import Verdict, judge, retry_after
from adapters.mexc.error_codes import ERROR_CODES, UNSURE_CODES, refusal
from tests.adapters.mexc.recorded_payloads import needs_fixtures, rest_body


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (401, errors.MexcKeyError),
        (402, errors.MexcKeyError),
        (406, errors.MexcKeyError),
        (602, errors.MexcKeyError),
        (704, errors.MexcPermissionError),
        (6002, errors.MexcPermissionError),
        (200005, errors.MexcKycError),
        (300001, errors.MexcKycError),
        (2005, errors.MexcFundsError),
        (2018, errors.MexcFundsError),
        (600, errors.MexcParameterError),
        (2011, errors.MexcParameterError),
        (2030, errors.MexcParameterError),
        (1001, errors.MexcContractError),
        (1002, errors.MexcContractError),
        (513, errors.MexcClockError),
        (510, errors.MexcBusyError),
        (2037, errors.MexcBusyError),
        (500, errors.MexcVenueDownError),
        (604, errors.MexcVenueDownError),
        (2009, errors.MexcStateError),
        (7002, errors.MexcStateError),
        (2040, errors.MexcOrderNotFoundError),
        (2041, errors.MexcNotCancellableError),
        (2042, errors.MexcDuplicateOrderError),
        (2036, errors.MexcLimitError),
        (123456, errors.MexcRefusedError),
    ],
)
def test_codes_become_errors_by_remedy(code: int, kind: type[errors.MexcRefusedError]) -> None:
    """Key, permission, KYC, funds, parameter, contract, clock, venue busy, venue down, state, limit."""
    error = refusal("order/create", code, "words of the venue")
    assert isinstance(error, kind)
    assert (error.code, error.message, error.endpoint) == (code, "words of the venue", "order/create")
    assert error.remedy in str(error)


def test_every_code_of_the_reference_is_known() -> None:
    """All codes of the public tables are there, each with words."""
    listed = {401, 402, 403, 406, 500, 501, 506, 510, 511, 513, 600, 601, 602, 603, 604, 801, 1000, 1001, 1002, 1003}
    listed |= {1004, *range(701, 705), *range(2001, 2010), 2011, 2013, 2014, 2015, 2016, 2018, 2019, *range(2021, 2044)}
    listed -= {2039}
    listed |= {*range(3001, 3005), 4001, *range(5001, 5005), *range(6001, 6006), 7002, 8817, 9999}
    listed |= {200005, 200006, 300000, 300001}
    assert listed - set(ERROR_CODES) == set()
    assert all(meaning for _, meaning in ERROR_CODES.values())


@needs_fixtures
@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("rest_public_error_unknown_contract", errors.MexcContractError, 1001),
        ("rest_public_error_delisted_contract_detail", errors.MexcContractError, 1001),
        ("rest_private_order_create_error_balance", errors.MexcFundsError, 2005),
        ("rest_private_order_create_error_contract_not_allowed", errors.MexcContractError, 1002),
    ],
)
def test_recorded_refusals(name: str, kind: type[errors.MexcRefusedError], code: int) -> None:
    """HTTP 200 with a code is a refusal."""
    answer = judge("order/create", 200, rest_body(name))
    assert answer.verdict is Verdict.REFUSED
    assert isinstance(answer.error, kind)
    assert answer.error.code == code
    assert not answer.venue_failed


@needs_fixtures
def test_maintenance_is_no_sure_refusal() -> None:
    """Code 500 leaves open what happened, with and without the key ``success``."""
    for body in (
        rest_body("rest_private_order_create_error_maintenance"),
        b'{"code":500,"message":"Under maintenance"}',
    ):
        answer = judge("order/create", 200, body)
        assert (answer.verdict, answer.venue_failed) == (Verdict.UNSURE, True)


@needs_fixtures
def test_success_with_and_without_data() -> None:
    """An unknown client id is answered with success and no data."""
    assert judge("ping", 200, rest_body("rest_public_ping")).data == b"1761875313209"
    empty = judge("order/external", 200, rest_body("rest_private_order_external_not_found"))
    assert (empty.verdict, empty.data) == (Verdict.SUCCESS, b"")
    assert judge("order/cancel_all", 200, rest_body("rest_private_order_cancel_all_ok")).verdict is Verdict.SUCCESS
    assert judge("x", 200, b'{"success":true,"code":200,"data":1}').verdict is Verdict.SUCCESS


@pytest.mark.parametrize("code", sorted(UNSURE_CODES))
def test_transient_codes_are_unsure(code: int) -> None:
    """Repeat a read, look an order up."""
    body = f'{{"success":false,"code":{code},"message":""}}'.encode()
    assert judge("order/create", 200, body).verdict is Verdict.UNSURE


@pytest.mark.parametrize(
    ("status", "body", "verdict", "kind", "failed", "banned"),
    [
        (403, b"<html>Access Denied</html>", Verdict.UNSURE, errors.MexcBusyError, False, True),
        (418, b"", Verdict.UNSURE, errors.MexcBusyError, False, True),
        (429, b"slow down", Verdict.UNSURE, errors.MexcBusyError, False, True),
        (502, b"<html>Bad Gateway</html>", Verdict.UNSURE, errors.MexcVenueDownError, True, False),
        (504, b"", Verdict.UNSURE, errors.MexcVenueDownError, True, False),
        (404, b"not found", Verdict.UNSURE, errors.MexcRefusedError, False, False),
        (200, b"<html>hello</html>", Verdict.UNSURE, errors.MexcRefusedError, False, False),
        (200, b"{}", Verdict.UNSURE, errors.MexcRefusedError, False, False),
        (302, b"", Verdict.UNSURE, errors.MexcRefusedError, False, False),
        (429, b'{"success":false,"code":510,"message":"m"}', Verdict.UNSURE, errors.MexcBusyError, False, True),
        (503, b'{"success":true,"code":0,"data":{}}', Verdict.UNSURE, errors.MexcRefusedError, True, False),
        (401, b'{"success":false,"code":401,"message":"m"}', Verdict.REFUSED, errors.MexcKeyError, False, False),
        (403, b'{"success":false,"code":403,"message":"m"}', Verdict.REFUSED, errors.MexcPermissionError, False, False),
    ],
)  # fmt: skip
def test_replies_by_status(
    status: int, body: bytes, verdict: Verdict, kind: type[errors.MexcError], failed: bool, banned: bool
) -> None:
    """Pages of the edge, gateways' errors, and envelopes under any status."""
    answer = judge("order/create", status, body, 7.0)
    assert (answer.verdict, answer.venue_failed, answer.banned) == (verdict, failed, banned)
    assert isinstance(answer.error, kind)
    if isinstance(answer.error, errors.MexcBusyError):
        assert answer.error.retry_after_seconds == 7.0


def test_retry_after() -> None:
    """Seconds or a date; nothing for what is neither."""
    from datetime import UTC, datetime

    now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    assert retry_after("30") == 30.0
    assert retry_after("Thu, 01 Jan 2026 12:01:30 GMT", now) == 90.0
    assert retry_after("Thu, 01 Jan 2026 11:00:00 GMT", now) == 0.0
    assert [retry_after(text) for text in (None, "", "soon", "-5", "9" * 30)] == [None] * 5
