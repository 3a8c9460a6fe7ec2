"""Local venues that speak the wire protocols of real ones, so that adapters can be proven without a testnet.

::

    from adapters.loopback.faults import Fault
    from adapters.loopback.feed.synthetic import SyntheticFeed
    from adapters.loopback.mexc.local import LocalMexc

    async with LocalMexc(SyntheticFeed(150, seed=1)) as venue:
        venue.rest_url, venue.ws_url          # http://127.0.0.1:PORT and ws://127.0.0.1:PORT/edge
        venue.api_key, venue.api_secret       # an account with 100,000 USDT, in hedge mode
        venue.exchange.feed_trade(...)        # the market can be driven by hand as well
        venue.faults.arm(Fault.LOST_ACK, "order/create")   # the next create is carried out and never answered
        venue.faults.rate(Fault.DROP_PRIVATE, 0.01)        # one of a hundred private frames is not sent
        venue.ledger.fills()                  # what happened, exactly
        venue.wire.requests("order/create")   # every request with its answer, and venue.wire.frames

``LocalMexc(contracts=[Listing(...)])`` has no feed: nothing happens but what the test does. What is known of the real
venue is in the API reference; what is not is one field each in :class:`adapters.loopback.mexc.assumptions.Assumptions`.

``matching/`` is the engine, pure and without any venue's protocol; ``feed/`` the market to trade against; ``mexc/`` the
protocol; ``faults.py``, ``wire_log.py`` and ``bars.py`` serve every venue. From a shell: ``python
adapters/loopback/serve.py mexc --symbols 150 --seed 1``.
"""
