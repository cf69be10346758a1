# Two commands for a newcomer: `make demo` and `make test`. Everything is set up in .venv on first use.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
# Half of a test's time is waiting for disks, processes and clocks; the embedded engine takes one folder a process.
WORKERS ?= 3

.PHONY: help demo test docs lint format bench reference dist release-check proto lock clean

help:
	@echo "make demo    a real model decays, tocsin catches it      (ARGS='--once --json demo.json')"
	@echo "make test    every test                                  (ARGS='-k name')"
	@echo "make lint    ruff, mypy strict, import contracts"
	@echo "make docs    the documents as a site, in build/docs"
	@echo "make bench   every benchmark, figures to bench/results/"
	@echo "make dist    wheel and sdist, the same bytes wherever they are built"

# The lock is installed first, with hashes; then the project itself, from this folder, with nothing further fetched.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"tocsin needs Python 3.11 or newer, this is {v.major}.{v.minor}: run make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV) || (echo "python3-venv is missing: apt-get install python3-venv"; exit 1)
	@echo "Installing into $(VENV) (about 400 MB to download the first time, most of it the ClickHouse engine) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/.ready
	$(BIN)/tocsin demo $(ARGS)

# Bytecode is kept, whatever the environment says: hundreds of processes start, and each would compile the same modules.
test: $(VENV)/.ready
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

# A link, a picture or a page that is nowhere fails; their commands and code run in tests/docs, with the other tests.
docs: $(VENV)/.ready
	$(BIN)/sphinx-build --quiet --builder html --fail-on-warning --keep-going --nitpicky docs build/docs
	@echo "open build/docs/index.html"

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.ready
	@mkdir -p bench/results
	for script in ingest overhead evaluate; do \
		$(BIN)/python bench/$$script.py --json bench/results/$$script.json || exit 1; done

# Nothing is fetched; what a commit gives is the same bytes everywhere (make release-check, which also installs and upgrades).
dist: $(VENV)/.ready
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --no-isolation
	$(BIN)/python -m twine check --strict dist/*

release-check: $(VENV)/.ready
	$(BIN)/python bench/release.py --json bench/results/release.json

# Writes what the product says of itself: the schemas of its files, and the reference pages made of them.
reference: $(VENV)/.ready
	@for name in rule rule-test plan tocsin; do $(BIN)/tocsin rules schema $$name > docs/schemas/$$name.json || exit 1; done
	$(BIN)/python docs/generate.py

# Regenerates the committed protobuf stubs with the pinned compiler, in an environment of its own.
proto: $(VENV)/.ready
	$(BIN)/python proto/regenerate.py

# Which of the lock a stage of the image takes: names alone, versions and hashes stay in constraints.txt.
NAMES := uv pip compile --quiet --python-version 3.11 --python-platform linux --no-annotate --no-header --no-emit-index-url --no-emit-find-links -c constraints.txt

# Writes constraints.txt anew, for every Python from 3.11 on: names, versions and hashes only, no addresses. What is locked stays
# as it is, unless ARGS=--upgrade.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet 'uv>=0.9'
	$(PYTHON) -c 'import itertools, tomllib; d = tomllib.load(open("pyproject.toml", "rb")); p = d["project"]; \
		named = itertools.chain(p["dependencies"], *p["optional-dependencies"].values(), *d["dependency-groups"].values()); \
		print(*(n for n in named if not n.startswith("tocsin[")), sep="\n")' > .venv-lock/all.in
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links $(ARGS) --output-file constraints.txt .venv-lock/all.in
	.venv-lock/bin/$(NAMES) pyproject.toml --extra server --extra charts | sed 's/==.*//' > deploy/container/server.txt
	.venv-lock/bin/$(NAMES) pyproject.toml | sed 's/==.*//' > deploy/container/sdk.txt
	echo hatchling | .venv-lock/bin/$(NAMES) - | sed 's/==.*//' > deploy/container/build.txt
	rm -rf .venv-lock

clean:
	rm -rf $(VENV) .venv-lock .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
