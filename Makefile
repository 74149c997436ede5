# make repro   the environment, the pipeline, and the table of results
# make test    the environment and the tests
# make bench   speed against the plain scripts
# make lint    ruff, who imports whom, types
# make pictures   the README's two pictures, from the run in the work tree (needs Chromium)
# make constraints   newer versions of everything (needs uv)
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: repro test bench lint constraints pictures

repro: $(INSTALLED)
	dvc repro
	@echo && grep "^|" metrics/ladder.md

test: $(INSTALLED)
	python -m pytest -n auto --dist worksteal

bench: $(INSTALLED)
	python -m benchmarks

lint: $(INSTALLED)
	ruff check .
	ruff format --check .
	lint-imports --no-logo
	mypy

# pip compiles what it installs to bytecode; TensorFlow takes 20 s to import without.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	python -m pip install --quiet --compile --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Newer versions of everything, for every supported Python and system at once (needs uv).
constraints:
	uv pip compile --universal --fork-strategy fewest --python-version 3.11 --upgrade --extra dev --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --output-file constraints.txt pyproject.toml

pictures: $(INSTALLED)
	python docs/pictures.py
