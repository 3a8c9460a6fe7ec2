"""Venues: the adapters that speak an exchange's wire protocol, and the local venues that prove them."""
