"""The venue's name of an order: short, of its alphabet, never shared, and turned back."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mexc.external_oid import ExternalOids

client_order_ids = st.one_of(
    st.text(min_size=1, max_size=60),
    st.text("0123456789abcdefABCDEF_-", min_size=1, max_size=34),
    st.sampled_from(["u-", "d-", "_m_", "CHASE_LIMIT"]).flatmap(
        lambda p: st.text("abc0-_", max_size=30).map(p.__add__)
    ),
    st.uuids().map(str),
    st.uuids().map(lambda value: value.hex),
    st.uuids().map(lambda value: str(value).upper()),
)


def test_nautilus_default_id_is_its_own_name() -> None:
    """An id that fits is sent as it is: the operator finds it on the venue's page."""
    oids = ExternalOids()
    assert oids.encode("O-20261125-025200-001-000-17") == "O-20261125-025200-001-000-17"
    assert oids.decode("O-20261125-025200-001-000-17") == "O-20261125-025200-001-000-17"


def test_uuid_is_packed_and_unpacked_without_memory() -> None:
    """36 characters become 24, and another process can read them."""
    value = str(uuid.UUID(int=1))
    name = ExternalOids().encode(value)
    assert name == "u-AAAAAAAAAAAAAAAAAAAAAQ"
    assert ExternalOids().decode(name) == value


def test_long_id_needs_memory() -> None:
    """What does not fit is a digest, known to whoever has encoded it and to nobody else."""
    oids, long = ExternalOids(), "O-20261125-025200-TRADER-STRATEGY-1000000"
    name = oids.encode(long)
    assert len(name) == 30
    assert oids.decode(name) == long
    assert ExternalOids().decode(name) is None


@pytest.mark.parametrize("name", [None, "", "_m_7dd52a7ebf5e480fb533a5945a2bc184", "CHASE_LIMIT_1", "u-short", "u-!!"])
def test_names_that_are_not_ours(name: str | None) -> None:
    """The venue's own names, and what only looks like a UUID's, belong to no client order id."""
    assert ExternalOids().decode(name) is None


def test_empty_id_is_refused() -> None:
    with pytest.raises(ValueError, match="without client order id"):
        ExternalOids().encode("")


@given(st.lists(client_order_ids, unique=True, max_size=30))
def test_no_two_ids_share_a_name_and_all_come_back(ids: list[str]) -> None:
    """Injective, reversible, at most 32 characters, and within the venue's alphabet."""
    oids = ExternalOids()
    names = [oids.encode(value) for value in ids]
    assert len(set(names)) == len(names)
    assert [oids.decode(name) for name in names] == ids
    assert all(re.fullmatch(r"[0-9a-zA-Z_-]{1,32}", name) for name in names)
    assert not any(name.startswith(("_m_", "CHASE_LIMIT")) for name in names)
