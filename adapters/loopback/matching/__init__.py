"""A matching engine for linear perpetuals: pure, exact, without network, clock or any venue's protocol.

Start at :class:`~adapters.loopback.matching.exchange.Exchange`. From the ground: ``contract``, ``order``, ``triggers``
(what things are), ``book``, ``position``, ``account``, ``market`` (what is held), ``ledger`` (what happened),
``admission``, ``settlement``, ``matcher`` (the rules), ``trigger_desk``, ``exchange``, ``settings``, ``funding``.
"""
