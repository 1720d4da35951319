# The commands of the README. `make` alone lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
BI     := .venv-bi
BI_READY := $(BI)/.ready
DOCS   := .venv-docs
DOCS_READY := $(DOCS)/.ready
SPARK  := .venv-spark
SPARK_READY := $(SPARK)/.ready
UI_PORT ?= 3000
EXPLORE_PORT ?= 3210
# The tests of tests/project that `make check` runs: the others load Dagster or dbt.
QUICK := repository public_files network provenance

.DEFAULT_GOAL := help
.PHONY: help demo demo-live run brief explore rebuild ui pin doctor docs docs-site dbt-docs check test test-bi test-spark screenshots lint bench clean

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), f"Python 3.11 or newer is needed, this is {sys.version}"'
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m dagster_project.installation
	@touch $(READY)

demo: $(READY) ## the embedded synthetic sample, from nothing to a published release
	@$(BIN)/chokepoint demo

demo-live: $(READY) ## the whole graph from a server on this machine that speaks the live sources' contracts
	@$(BIN)/python -m tests.contract.demo_live

run: $(READY) ## the sources that the settings choose (environment or .env)
	@$(BIN)/chokepoint run

brief: $(READY) ## the page of the current release for another importer: make brief IMPORTER=DEU YEARS=2019, or of one good: make brief GOOD=850760
	@$(BIN)/chokepoint brief --importer "$(IMPORTER)" --good "$(GOOD)" --years "$(YEARS)"

explore: $(READY) ## questions to the published releases, in a browser: http://127.0.0.1:3210
	@$(BIN)/chokepoint explore --port $(EXPLORE_PORT)

rebuild: $(READY) ## a release again from the archive alone: make rebuild LOCK=data/published/current/inputs.lock.json
	@$(BIN)/chokepoint rebuild $(LOCK)

ui: $(READY) ## the Dagster UI on http://127.0.0.1:3000
	@$(BIN)/chokepoint ui --port $(UI_PORT)

pin: $(READY) ## accept the reference files as their addresses give them now: writes their hashes
	@$(BIN)/chokepoint pin

doctor: $(READY) ## ask each chosen live source its smallest question, and say what is wrong
	@$(BIN)/chokepoint doctor

docs: $(READY) ## the generated pages of docs/ and bi/superset, from settings, declarations and dbt's descriptions
	@$(BIN)/chokepoint docs

$(DOCS_READY): docs/requirements.lock
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r docs/requirements.lock
	@touch $(DOCS_READY)

docs-site: $(DOCS_READY) ## docs/ as a site in docs/_site, which opens from disk; every link is followed
	$(DOCS)/bin/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env docs docs/_site
	@echo "Open: docs/_site/README.html"

dbt-docs: $(READY) ## every model with its SQL, tests and lineage as one page: CHOKEPOINT_DATA_DIR=demo make dbt-docs
	@$(BIN)/chokepoint dbt-docs

check: $(READY) lint ## style, types and the tests without Dagster, dbt and a browser: under two minutes
	$(BIN)/python -m pytest -m 'not slow' tests/unit $(addprefix tests/project/test_,$(addsuffix .py,$(QUICK)))

test: $(READY) lint ## every test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 25

$(BI_READY): bi/requirements.lock
	$(PYTHON) -m venv $(BI)
	$(BI)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r bi/requirements.lock
	@touch $(BI_READY)

test-bi: $(READY) $(BI_READY) ## the Superset bundle in a Superset of its own (1 GB), over the demo's release
	@CHOKEPOINT_DATA_DIR=demo $(BIN)/chokepoint demo
	$(BIN)/python -m pytest -m superset tests/bi

$(SPARK_READY): requirements-spark.lock pyproject.toml
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-spark.lock
	$(SPARK)/bin/pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $(SPARK_READY)

test-spark: $(SPARK_READY) ## Spark on a cluster of its own on this machine (Java 17, 2 GB of packages) against DuckDB
	$(SPARK)/bin/python -m pytest -m spark tests/spark

screenshots: $(READY) ## the README's pictures of the UI, taken by its test
	$(BIN)/python -m pytest tests/ui --screenshots docs/images

lint: $(READY) ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar dbt
	$(BIN)/yamllint --strict .

bench: $(READY) ## speed and memory of a generated 10-million-flow year against bench/bare.sql
	$(BIN)/python -m bench.run

clean: ## remove what the demo and the tools left behind; your data directory stays
	rm -rf demo demo-live .dagster dbt/target .mypy_cache .ruff_cache .pytest_cache
