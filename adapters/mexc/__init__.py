"""MEXC: contracts (perpetual futures), data and execution, and the trades of its spot market."""
