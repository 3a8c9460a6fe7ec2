"""The API key and its secret: read from the environment at start, and never shown by anything."""

import os
from collections.abc import Mapping
from typing import NoReturn

from adapters.mexc.constants import API_KEY_VARIABLE, API_SECRET_VARIABLE
from adapters.mexc.errors import MexcKeyError


class Credentials:
    """A key and a secret that no repr, str, format, pickle or traceback of attributes prints."""

    __slots__ = ("_key", "_secret")

    def __init__(self, api_key: str, api_secret: str) -> None:
        for name, value in (("API key", api_key), ("API secret", api_secret)):
            if not value or value != value.strip():
                raise MexcKeyError(
                    f"the MEXC {name} is empty or has blanks around it: copy it again from the venue's API page"
                )
        self._key = api_key
        self._secret = api_secret.encode()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Credentials":
        """Read ``MEXC_API_KEY`` and ``MEXC_API_SECRET``. MexcKeyError, naming the variable, when one is not set."""
        source = os.environ if environment is None else environment
        missing = [name for name in (API_KEY_VARIABLE, API_SECRET_VARIABLE) if not source.get(name)]
        if missing:
            raise MexcKeyError(
                f"{' and '.join(missing)} not set: private calls need an API key, given in the environment only"
            )
        return cls(source[API_KEY_VARIABLE], source[API_SECRET_VARIABLE])

    @property
    def api_key(self) -> str:
        """The public half, which goes into headers."""
        return self._key

    @property
    def secret(self) -> bytes:
        """The secret half, for the signature alone."""
        return self._secret

    def __repr__(self) -> str:
        return "Credentials(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not written anywhere: read them from the environment where they are needed")
