# Every target works from a fresh clone. Needs: make, and Python 3.11 or newer.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS ?= 2
# Every process that is started would compile the whole tree anew.
unexport PYTHONDONTWRITEBYTECODE

# A stamp is newer than the pins it was installed from; changed pins install again.
RUNTIME := $(VENV)/runtime.stamp
DEVELOPMENT := $(VENV)/development.stamp
# Spark is large and wants a Java: it has an environment of its own.
SPARK_VENV := .venv-spark
SPARK := $(SPARK_VENV)/spark.stamp

.PHONY: help
help:
	@echo 'make run      serve on http://127.0.0.1:8000 with worker and simulator (PORT=… for another)'
	@echo 'make test     the whole test suite, and whatever it needs'
	@echo 'make check    lint, format, types, import contracts'
	@echo 'make bench    the benchmarks'
	@echo 'make bench-large  the indicators of ten and a hundred districts'
	@echo 'make test-spark   the indicators on Spark, in $(SPARK_VENV)'
	@echo 'make install  only $(VENV), with the runtime pins'
	@echo 'make format   format the code and mend what can be mended'
	@echo 'make requirements [UPGRADE=--upgrade]   pin what pyproject.toml asks for'
	@echo 'make clean    remove what the tools left'

.PHONY: run
run: $(RUNTIME)
	@exec $(BIN)/flask --app wsgi dev

.PHONY: install
install: $(RUNTIME)

.PHONY: test
test: packages $(DEVELOPMENT)
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal $(ARGS)

.PHONY: check
check: $(DEVELOPMENT)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: bench
bench: packages $(DEVELOPMENT)
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m benchmarks.indicators
	$(BIN)/python -m benchmarks.arrivals_service

.PHONY: bench-large
bench-large: packages $(DEVELOPMENT)
	$(BIN)/python -m benchmarks.indicators --large $(ARGS)

.PHONY: test-spark
test-spark: packages $(SPARK)
	@scripts/java
	$(SPARK_VENV)/bin/python -m pytest -m spark tests/core/risk/indicators $(ARGS)

.PHONY: format
format: $(DEVELOPMENT)
	$(BIN)/ruff check --fix --exit-zero --quiet
	$(BIN)/ruff format

# The runtime pins hold for the development pins too, so that the tests run what operators run.
.PHONY: requirements
requirements: COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url $(UPGRADE)
requirements: $(DEVELOPMENT)
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) pyproject.toml --group dev --constraints requirements.txt --output-file requirements-dev.txt
	$(COMPILE) pyproject.toml --group dev --group spark --constraints requirements-dev.txt --output-file requirements-spark.txt

.PHONY: clean
clean:
	rm -rf .coverage .coverage.* htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

.PHONY: packages
packages:
	@scripts/system-packages

$(BIN)/python:
	@scripts/create-venv $(VENV)

$(SPARK_VENV)/bin/python:
	@scripts/create-venv $(SPARK_VENV)

# `--no-deps`: the pins are complete, and pip need not work them out again.
$(RUNTIME): requirements.txt | $(BIN)/python
	@echo 'installing the runtime pins into $(VENV)'
	@$(PIP) install --no-deps --require-hashes --requirement requirements.txt
	@touch $@

$(DEVELOPMENT): requirements-dev.txt requirements.txt | $(BIN)/python
	@echo 'installing the development pins into $(VENV)'
	@$(PIP) install --no-deps --require-hashes --requirement requirements-dev.txt
	@touch $(RUNTIME) $@

$(SPARK): requirements-spark.txt | $(SPARK_VENV)/bin/python
	@echo 'installing PySpark and the development pins into $(SPARK_VENV)'
	@$(SPARK_VENV)/bin/python -m pip --disable-pip-version-check --quiet install \
		--no-deps --require-hashes --requirement requirements-spark.txt
	@touch $@
