# Two commands do all the set-up; nothing but Python 3.11 or newer is needed:
#
#   make vet     set up .venv, fetch a small chat model, vet it
#   make test    set up the same .venv with the developer's tools, run the tests
#
# Also: fetch  test-unit  test-model  test-browser  test-slow  check  format  catalogue  clean.
# Choose an interpreter with PYTHON=..., a model with MODEL=...

MODEL  ?= smollm2-135m-instruct
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
            "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

VENV := .venv
BIN  := $(VENV)/bin
# pip, not a faster installer: it alone honours the pip.conf (mirror, proxy, CPU build of torch) a company has.
# --no-compile saves half a minute: of the modules installed, few are ever imported. Building without
# isolation keeps the build tools under the lock, too.
PIP  := $(BIN)/python -m pip install --no-compile --disable-pip-version-check -c constraints.txt
# Two workers, a file of tests each at a time, files in the order of their names: the slow ones come in the middle.
# One thread for each, since torch's own would fight over the same two cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -rs -n 2 --dist loadfile --no-loadscope-reorder
DEV   = $(shell $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"])')

FUZZ_SECONDS ?= 600
BROWSER = tests/browser

.PHONY: vet fetch test test-unit test-model test-browser test-slow fuzz check format catalogue clean
.DELETE_ON_ERROR:
# Nothing is compiled at the installation; without this, every process would compile what it imports again.
unexport PYTHONDONTWRITEBYTECODE

# A verdict that was reached is a success of make, HOLD (3) included; REJECT (1) and errors fail it.
# Scripts that act on the verdict call `sekisho vet` and read its exit status.
vet: fetch
	@$(BIN)/sekisho vet $(MODEL); status=$$?; \
	case $$status in \
	  0) ;; \
	  3) echo "make vet: done; the verdict is HOLD (exit status 3 of sekisho vet)" >&2 ;; \
	  *) exit $$status ;; \
	esac

fetch: $(VENV)/.ready
	@$(BIN)/sekisho fetch $(MODEL)

# Without the model the tests that need it are skipped, and pytest says so at its end.
test: $(VENV)/.ready-dev
	@$(BIN)/sekisho fetch $(MODEL) >/dev/null || echo "make test: $(MODEL) was not fetched; its tests will be skipped" >&2
	$(PYTEST)

test-unit: $(VENV)/.ready-dev
	$(PYTEST) -m "not integration and not model and not slow and not gpu and not browser"

test-model: $(VENV)/.ready-dev fetch
	$(PYTEST) -m "model and not slow and not gpu"

# Playwright drives the Chromium that is there (SEKISHO_CHROMIUM, else PATH); none is downloaded.
test-browser: $(VENV)/.ready-dev
	$(PIP) -q playwright
	OMP_NUM_THREADS=1 $(BIN)/pytest -rs -m "browser and not slow" $(BROWSER)

test-slow: $(VENV)/.ready-dev fetch
	$(BIN)/pytest -rs -m slow

# Every reader for FUZZ_SECONDS each, Linux only; what is found stays in .fuzz/ and becomes a test with a name.
fuzz: $(VENV)/.ready-dev
	$(PIP) -q atheris
	OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/run.py --seconds $(FUZZ_SECONDS)

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate -q -c pyproject.toml src lab

format: $(VENV)/.ready-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# docs/catalogue/ from the code and the data; a test holds that they agree.
catalogue: $(VENV)/.ready
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamps make a second run skip the set-up until a file it depends on changes.
$(VENV)/.ready: pyproject.toml lab/pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found; name one with PYTHON=..." >&2; exit 2; }
	@echo "setting up $(VENV): one or two minutes, once" >&2
	$(PYTHON) -m venv $(VENV)
	$(PIP) -q hatchling editables
	$(PIP) -q --no-build-isolation -e '.[models,serve]' -e lab
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(PIP) -q $(DEV)
	@touch $@
