# `make backtest` and `make test` do everything on a fresh machine.
PY := .venv/bin/python

.PHONY: help setup backtest test lint format bench features lock clean

help:
	@echo "make backtest  set up, make the built-in market, replay it, write reports/latest/report.html"
	@echo "make test      set up, run the tests"
	@echo "make lint      ruff, mypy and the import contracts"
	@echo "make bench     the benchmarks, side by side"
	@echo "make features  docs/features.md from the schema"
	@echo "make lock      resolve requirements.lock anew (needs uv)"

setup:
	@tools/setup.sh

backtest: setup
	@$(PY) backtests/run.py

test: setup
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-logo --no-cache

format: setup
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: setup
	@$(PY) -m pytest tests/benchmarks -o addopts="--import-mode=importlib" -q --benchmark-columns=min,median,rounds --benchmark-sort=name

features: setup
	@$(PY) -m strategies.flow.guide

lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.12 --generate-hashes --no-annotate \
		--quiet --custom-compile-command "make lock" --output-file requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .numba_cache data reports
