UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)

.PHONY: forecast test lint types pages calibration benchmarks trials lock

forecast: .venv/.ready          ## set up, fit what is stale, print the forecast, draw its figure
	.venv/bin/forepass forecast --figure forecast

test: .venv/.ready              ## set up, run the tests
	.venv/bin/pytest

lint: .venv/.ready              ## formatting, lint rules, and which module may import which
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/lint-imports --no-cache --no-logo

types: .venv/.ready             ## static types
	.venv/bin/mypy

pages: .venv/.ready             ## the API reference and the diagram of imports, from the code
	.venv/bin/python model/reference.py
	.venv/bin/python model/architecture.py

calibration: .venv/.ready       ## refit every block to data of its own making; hours, so on a schedule
	.venv/bin/forepass check --calibration --figure reports/validation --csv reports/validation/calibration.csv

trials: .venv/.ready            ## by hand: ten thousand malformed inputs, two hundred killed writers
	.venv/bin/pytest -s -m by_hand tests/malformed tests/faults

benchmarks: .venv-benchmarks/.ready  ## time forepass beside its peers; an hour or two, or PARTS="commands answers"
	.venv-benchmarks/bin/python tests/benchmarks/table.py reports/benchmarks $(PARTS)

lock: | $(UV)                   ## re-pin after a change of dependencies
	$(UV) pip compile -q --universal --generate-hashes --group dev --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	$(UV) pip compile -q --universal --generate-hashes --group benchmarks --custom-compile-command "make lock" pyproject.toml -o tests/benchmarks/requirements.lock

.venv-benchmarks/.ready: tests/benchmarks/requirements.lock pyproject.toml .python-version | $(UV)
	$(UV) venv -q --clear .venv-benchmarks
	$(UV) pip sync -q --python .venv-benchmarks --require-hashes tests/benchmarks/requirements.lock
	$(UV) pip install -q --python .venv-benchmarks --no-deps -e .
	touch $@

.venv/.ready: requirements.lock pyproject.toml .python-version | $(UV)
	$(UV) venv -q --clear .venv
	$(UV) pip sync -q --python .venv --require-hashes requirements.lock
	$(UV) pip install -q --python .venv --no-deps -e .
	touch $@

.tools/bin/uv:
	python3 -m venv .tools && .tools/bin/python -m pip install -q uv
