# make demo    motion in, atoms and motifs out, a page to look at
# make test    the whole test suite, with lint and types
# Both set up .venv by themselves. Another interpreter: make PYTHON=python3.12 ...

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: venv demo test quick lint format bench fuzz kill docs clean
.DELETE_ON_ERROR:

venv: $(VENV)/.core

demo: $(VENV)/.core
	$(BIN)/kineme demo -o demo
	@echo "now open demo/library/report.html in a browser; the command is $(BIN)/kineme"

test: lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

quick: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile -m "not slow"

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

fuzz: $(VENV)/.test
	$(BIN)/python -m tests.fuzz --inputs 20000 --keep fuzz-faults

kill: $(VENV)/.test
	$(BIN)/python -m tests.faults --kills 50

docs: $(VENV)/.test
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html
	@echo "the documentation is in docs/_build/html/index.html"

clean:
	rm -rf demo fuzz-faults docs/_build dist build .pytest_cache .ruff_cache

# A stamp for each set of packages, so that a second `make` is quick.
$(VENV)/.core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("kineme needs Python 3.11 or newer: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing kineme and its packages into $(VENV) (a minute or two)"
	$(INSTALL) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.core
	$(INSTALL) -e ".[test,docs]"
	@touch $@

$(VENV)/.bench: $(VENV)/.core
	$(INSTALL) -e ".[bench]"
	@touch $@
