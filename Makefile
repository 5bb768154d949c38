# Everything here sets up its own virtual environment; a fresh checkout needs Python 3.11 or newer
# and a C++20 compiler, nothing else.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help demo test test-sklearn test-torch lint docs sanitize fuzz fuzz-short bench notebook wheel cross clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    cluster real data, print the tables, write the pictures into demo/"
	@echo "make test    lint, types, and every test"
	@echo "make docs    the documentation, into docs/_build/html"
	@echo "make sanitize  tests and fuzzing below AddressSanitizer, UBSan and ThreadSanitizer (gcc)"
	@echo "make fuzz    fuzz TARGETS for SECONDS=60 each, guided by atheris, below AddressSanitizer"
	@echo "make test-sklearn  scikit-learn's own tests of k-means, run against our classes (SEEDS=0-9)"
	@echo "make test-torch    fits beside torch's threads, in an environment of their own (some gigabytes)"
	@echo "make bench   time one Lloyd iteration beside the peers (ONLY=a,e  QUICK=1  MODE=seeding)"
	@echo "make wheel   build the wheel, and try it in an environment without a compiler"
	@echo "make cross   compile the core for ARM, macOS and Windows (zig), and run it for ARM (qemu)"
	@echo "make notebook  run the notebook again and store its results"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip

# One stamp per set of extras; it is renewed when the build or the native sources change.
NATIVE := pyproject.toml CMakeLists.txt $(wildcard native/*)
$(VENV)/.%: $(NATIVE) | $(BIN)/python
	$(BIN)/python -m pip install -q scikit-build-core nanobind cmake ninja
	$(BIN)/python -m pip install -q --no-build-isolation -e ".[$(subst -,$(comma),$*)]"
	@touch $@
comma := ,

demo: $(VENV)/.demo
	$(BIN)/omnimeans demo --out demo

test: $(VENV)/.test-lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@mkdir -p build && rm -f $(TALLY)
	@status=0; \
	$(PYTEST) -m alone || [ $$? -eq 5 ] || status=1; \
	$(PYTEST) -m "not alone" -n $(JOBS) --dist worksteal || [ $$? -eq 5 ] || status=1; \
	exit $$status

# Tests that measure time run alone, one after another; then the others, two at once.
JOBS   ?= 2
TALLY  := build/tally.json
PYTEST  = $(BIN)/python -m pytest --tally=$(TALLY) $(PYTEST_ARGS)

# SEEDS=all runs scikit-learn's tests for all of its hundred seeds
test-sklearn: $(VENV)/.test-lint
	OMNIMEANS_SKLEARN_SEEDS=$(or $(SEEDS),0-9) $(BIN)/python -m pytest tests/test_sklearn_own.py

# torch is large, so it is kept out of the environment that everything else uses
test-torch:
	$(MAKE) VENV=.venv-torch .venv-torch/.test
	.venv-torch/bin/python -m pip install -q torch==2.13.0
	.venv-torch/bin/python -m pytest tests/test_concurrency.py tests/test_faults.py

lint: $(VENV)/.test-lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/mypy

# A warning ends it; the reference and the gallery are made anew each time.
docs: $(VENV)/.docs
	rm -rf docs/_build docs/reference/api docs/gallery
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build/html
	@echo "open docs/_build/html/index.html"

# A build of the core below a sanitizer, put in place of the installed one by tests/sanitized.
SECONDS ?= 60
TARGETS ?= native estimator model checkpoint
build/sanitized-address-undefined build/sanitized-thread: build/sanitized-%: $(VENV)/.test-lint
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/cmake -S . -B $@ -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	  -DPython_EXECUTABLE=$(abspath $(BIN))/python -DOMNIMEANS_SANITIZE=$(subst -,$(comma),$*)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/cmake --build $@
.PHONY: build/sanitized-address-undefined build/sanitized-thread

sanitize: build/sanitized-address-undefined build/sanitized-thread
	PYTHON="$(abspath $(BIN))/python" FUZZ_SECONDS=$(SECONDS) bash tests/sanitized/run.sh address-undefined $(TARGETS)
	PYTHON="$(abspath $(BIN))/python" FUZZ_SECONDS=$(SECONDS) bash tests/sanitized/run.sh thread

fuzz: build/sanitized-address-undefined
	PYTHON="$(abspath $(BIN))/python" FUZZ_SECONDS=$(SECONDS) bash tests/sanitized/run.sh fuzz $(TARGETS)

# what CI runs: the same inputs each time
fuzz-short: build/sanitized-address-undefined
	PYTHON="$(abspath $(BIN))/python" FUZZ_SECONDS=$(or $(FUZZ_SECONDS),10) bash tests/sanitized/run.sh short $(TARGETS)

bench: $(VENV)/.bench
	$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) \
	  $(if $(MODE),--mode $(MODE)) $(if $(THREADS),--threads $(THREADS))

wheel: $(VENV)/.wheel
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python tests/wheel.py

cross: $(BIN)/python
	$(BIN)/python -m pip install -q ziglang
	$(BIN)/python tests/cross.py

notebook: $(VENV)/.test-lint
	$(BIN)/python examples/make_notebook.py

clean:
	rm -rf $(VENV) build dist demo docs/_build docs/reference/api docs/gallery .mypy_cache .ruff_cache .pytest_cache .hypothesis
