"""MEXC's contract API on 127.0.0.1: REST under /api/v1, sockets under /edge, written from the API reference alone."""
