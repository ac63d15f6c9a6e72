# Redraft's commands. `make run` and `make test` start from nothing but Python 3.11+ and make.

PYTHON ?= python3
BIN := .venv/bin
SETUP := packaging/setup_dev.py
CHECKED := app engine tests packaging

.PHONY: run test check format screenshot bench clean

run: .venv/.ready-run
	$(PYTHON) $(SETUP) run

test: check
	$(PYTHON) $(SETUP) libraries
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest --cov

check: .venv/.ready-dev
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.ready-dev
	$(BIN)/ruff format $(CHECKED)
	$(BIN)/ruff check --fix $(CHECKED)

screenshot: .venv/.ready-run
	$(PYTHON) $(SETUP) screenshot

bench: .venv/.ready-dev
	$(PYTHON) $(SETUP) libraries
	$(BIN)/redraft bench
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.bench.bench_gui_lateness
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.bench.bench_startup
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.bench.bench_variations
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.bench.bench_first_frame
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.bench.bench_many_runs
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.bench.bench_finding

clean:
	rm -rf build dist .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov

.venv/.ready-run: pyproject.toml $(SETUP)
	$(PYTHON) $(SETUP) install

.venv/.ready-dev: pyproject.toml $(SETUP)
	$(PYTHON) $(SETUP) install --dev
