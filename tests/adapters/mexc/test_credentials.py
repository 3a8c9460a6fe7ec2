"""Credentials: from the environment, and never in anything that is printed or stored."""

import pickle
import traceback

import pytest

from adapters.mexc.credentials import Credentials
from adapters.mexc.errors import MexcKeyError

KEY, SECRET = "visible-half-of-the-key", "hidden-half-of-the-key"


def test_environment() -> None:
    """Both variables are read."""
    found = Credentials.from_environment({"MEXC_API_KEY": KEY, "MEXC_API_SECRET": SECRET})
    assert (found.api_key, found.secret) == (KEY, SECRET.encode())


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "MEXC_API_KEY and MEXC_API_SECRET not set"),
        ({"MEXC_API_KEY": KEY}, "MEXC_API_SECRET not set"),
        ({"MEXC_API_KEY": "", "MEXC_API_SECRET": SECRET}, "MEXC_API_KEY not set"),
    ],
)
def test_missing_variables_are_named(environment: dict[str, str], named: str) -> None:
    """The error says which variable is missing, and shows none that is not."""
    with pytest.raises(MexcKeyError) as caught:
        Credentials.from_environment(environment)
    assert named in str(caught.value)
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("key", "secret"), [("", SECRET), (KEY, ""), (KEY + " ", SECRET), (KEY, "\n" + SECRET)])
def test_blanks_are_refused_without_showing_them(key: str, secret: str) -> None:
    """A key with a blank from copying is refused, and not printed."""
    with pytest.raises(MexcKeyError) as caught:
        Credentials(key, secret)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_nothing_shows_it() -> None:
    """Neither repr, str, format nor an f-string of a container; and it cannot be pickled or listed by attributes."""
    credentials = Credentials(KEY, SECRET)
    for text in (repr(credentials), str(credentials), f"{credentials}", f"{[credentials]}", f"{ {1: credentials} }"):
        assert KEY not in text
        assert SECRET not in text
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(credentials)
    assert not hasattr(credentials, "__dict__")
