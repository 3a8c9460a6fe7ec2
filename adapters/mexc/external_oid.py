"""``externalOid``: the name under which the venue knows an order of ours, made from its client order id, and back.

The venue takes at most 32 characters of ``[0-9A-Za-z_-]``; a client order id may be longer. Three forms, told apart by
how they begin, so that no two client order ids share a name:

- the id itself, where it fits and begins like none of the others;
- ``u-`` and 22 characters: a UUID, whose 16 bytes are written in base64;
- ``d-`` and 28 characters: anything else, as a BLAKE2b digest of 168 bits. It cannot be turned back: the ids are kept.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from uuid import UUID

from adapters.mexc.constants import MAX_CLIENT_ID_LENGTH

UUID_PREFIX = "u-"
DIGEST_PREFIX = "d-"
VENUE_PREFIXES = ("_m_", "CHASE_LIMIT")
"""How names that the venue itself gives begin."""

_DIGEST_BYTES = 21
_TAKEN = (UUID_PREFIX, DIGEST_PREFIX, *VENUE_PREFIXES)
_FITS = re.compile(rf"[0-9A-Za-z_-]{{1,{MAX_CLIENT_ID_LENGTH}}}", re.ASCII)


class ExternalOids:
    """Both directions. Ids that the venue's form cannot hold are remembered from the time they are encoded.

    After a restart, encode the ids that the cache still knows: that fills the memory again.
    """

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}

    def encode(self, client_order_id: str) -> str:
        """The venue's name of an order.

        ValueError for an empty id, and when two ids have the same digest (one chance in 10^50): the second order is
        better not sent than mistaken for the first.
        """
        if not client_order_id:
            raise ValueError("an order without client order id has no name at the venue: give it one")
        if _FITS.fullmatch(client_order_id) and not client_order_id.startswith(_TAKEN):
            return client_order_id
        return _uuid_name(client_order_id) or self._digest_name(client_order_id)

    def decode(self, external_oid: str | None) -> str | None:
        """The client order id of a name; None where there is none, the venue made it, or its digest is not known."""
        if not external_oid or external_oid.startswith(VENUE_PREFIXES):
            return None
        if external_oid.startswith(DIGEST_PREFIX):
            return self._digests.get(external_oid)
        if external_oid.startswith(UUID_PREFIX):
            return _uuid_of(external_oid)
        return external_oid

    def _digest_name(self, client_order_id: str) -> str:
        digest = blake2b(client_order_id.encode(), digest_size=_DIGEST_BYTES).digest()
        name = DIGEST_PREFIX + urlsafe_b64encode(digest).decode()
        known = self._digests.setdefault(name, client_order_id)
        if known != client_order_id:
            raise ValueError(f"client order ids {known!r} and {client_order_id!r} have one digest: rename the second")
        return name


def _uuid_name(client_order_id: str) -> str | None:
    try:
        value = UUID(client_order_id)
    except ValueError:
        return None
    if str(value) != client_order_id:  # written in another way: turning it back would not give the same text
        return None
    return UUID_PREFIX + urlsafe_b64encode(value.bytes).decode().rstrip("=")


def _uuid_of(external_oid: str) -> str | None:
    text = external_oid.removeprefix(UUID_PREFIX)
    try:
        client_order_id = str(UUID(bytes=urlsafe_b64decode(text + "==")))
    except ValueError:
        return None
    return client_order_id if _uuid_name(client_order_id) == external_oid else None
