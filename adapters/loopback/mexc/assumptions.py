"""What nobody outside knows of the real venue, and how the local one behaves there. Change it to try the other way."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Assumptions:
    """Each field is an open point of the API reference (its last chapter); the defaults are the likelier reading."""

    too_frequent_status: int = 200
    """HTTP status of a reply with code 510."""

    market_order_needs_price: bool = False
    """Refuse a market order (type 5) without a price, as the documentation's table says."""

    nets_in_one_way: bool = True
    """In one-way mode an opening side against the position nets it; False: such an order is refused (2022)."""

    market_maker: bool = False
    """The account may use `order/submit_batch`."""

    ping_timeout_s: float = 60.0
    """A socket without a ping for so long is dropped."""

    amend_keeps_id: bool = True
    """`order/change_limit_order` changes the order in place; False: it is cancelled and a new one comes."""
