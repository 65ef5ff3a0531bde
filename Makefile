# make run    installs, creates an SMKI in ./pki if there is none, serves it
# make test   installs and runs every test
# make check  ruff, mypy --strict, import-linter, checks of the structure
# make bench  measures this machine
# make soak   the long drills, a short form of each of which is in make test
# make mutate changes the code one token at a time and tells which changes no test notices:
#             make mutate PACKAGE=eligibility SAMPLE=200 SEED=1

PYTHON ?= python3
PKI    ?= ./pki
PORT   ?= 8083
BIN    := .venv/bin
DRILLS := tests/test_several_processes.py \
          tests/test_lists_under_load.py \
          tests/interchange/test_many.py \
          tests/drills \
          tests/ledger/test_consistency.py

.PHONY: run test check bench soak mutate fixtures clean

run: .venv/.installed
	@test -e $(PKI)/smki.json || $(BIN)/smki init --home $(PKI)
	@exec $(BIN)/smki serve --home $(PKI) --port $(PORT)

test: .venv/.installed-test
	$(BIN)/pytest -n 2 --dist worksteal $(TESTS)

check: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m checks.structure

bench: .venv/.installed-test
	$(BIN)/python -m benchmarks $(BENCH)

soak: .venv/.installed-test
	SMKI_SOAK=1 $(BIN)/pytest $(DRILLS)

mutate: .venv/.installed-test
	$(BIN)/python -m tests.mutation $(PACKAGE) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(MUTATE)

# Makes the golden files in fixtures/ again; a difference in `git diff` is a change of what is issued.
fixtures: .venv/.installed
	$(BIN)/python -m fixtures.make

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,check]'
	@touch $@

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
