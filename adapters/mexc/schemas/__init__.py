"""The payloads of MEXC as typed structs: unknown fields are ignored, a missing one is an error that names it."""
