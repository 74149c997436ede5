# make repro   the environment, the pipeline, and the table of results
# make test    the environment and the tests
# make bench   speed against the plain scripts, PyTorch, Keras and scikit-learn (three hours)
# make torture what is lost when runs are hit at random moments (root, libfaketime)
# make lint    ruff, who imports whom, the Dockerfile, types
# make pictures   the README's two pictures, from the run in the work tree (needs Chromium)
# make runtime   LiteRT's web runtime from npm: the newest, or VERSION=2.5.3 (needs npm)
# make fuzz    hostile bytes for every reader; MINUTES=10 each, READER=archives alone
# make locks   newer versions of everything, with their hashes (needs uv)
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: repro test bench torture lint fuzz locks pictures runtime

repro: $(INSTALLED)
	dvc repro
	@echo && grep "^|" metrics/ladder.md

test: $(INSTALLED)
	python -m pytest -n auto --dist worksteal

bench: $(INSTALLED)
	python -m benchmarks

torture: $(INSTALLED)
	python -m benchmarks.torture

lint: $(INSTALLED)
	ruff check .
	ruff format --check .
	lint-imports --no-logo
	hadolint Dockerfile
	mypy

# pip compiles what it installs to bytecode; TensorFlow takes 20 s to import without.
# In two steps, since what is no package of an index, such as this folder, has no hash.
$(INSTALLED): pyproject.toml locks/all.txt
	$(PYTHON) -m venv $(VENV)
	python -m pip install --quiet --compile --require-hashes --requirement locks/all.txt
	python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

fuzz: $(INSTALLED)
	python -m fuzz $(if $(MINUTES),--minutes $(MINUTES)) $(if $(READER),--reader $(READER))

# Newer versions of everything, all extras together, for every supported Python and system at once;
# and of them, what the image of the Dockerfile needs, and what a graphics card from NVIDIA needs.
LOCK := uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --upgrade \
	--generate-hashes --no-strip-extras --no-header --no-annotate --no-emit-index-url \
	--no-emit-find-links pyproject.toml
locks:
	$(LOCK) --extra dev --output-file locks/all.txt
	$(LOCK) --extra serve --constraint locks/all.txt --output-file locks/serve.txt
	$(LOCK) --extra cuda --extra pipeline --constraint locks/all.txt --output-file locks/cuda.txt

pictures: $(INSTALLED)
	python docs/pictures.py

runtime: $(INSTALLED)
	python -m lookbook.browser.bring $(VERSION)
