"""The fed market: what happens on the venue besides our own orders, from a seed or from a catalog."""
