"""Where the adapter may connect to, and how: TLS verified always, plain text to this machine only."""

from urllib.parse import urlsplit

USER_AGENT = "crossflow/0.1"
"""The venue's edge is said to refuse requests without one."""

_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


def check_url(url: str, plain_scheme: str) -> None:
    """ValueError unless `url` is a TLS address, or a plain one of this machine. `plain_scheme` is "http" or "ws"."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise ValueError(f"the address of {parts.hostname} carries a user or password: give the bare address")
    if not parts.hostname:
        raise ValueError(f"{url!r} is not an address: give {plain_scheme}s://host")
    if parts.scheme == plain_scheme + "s":
        return
    if parts.scheme != plain_scheme:
        raise ValueError(f"{url!r} must begin with {plain_scheme}s:// (or {plain_scheme}:// on this machine)")
    if parts.hostname not in _THIS_MACHINE:
        raise ValueError(
            f"{url!r} would send in plain text to another machine: use {plain_scheme}s://; plain is for 127.0.0.1 only"
        )
