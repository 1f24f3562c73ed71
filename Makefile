# Everything installs into .venv; a second run reuses what is there.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
FUZZ_SECONDS ?= 60
Q ?= what do other ICSs say about dementia
SIZES ?= 10000
HOME_SYSTEM ?= lancashire-south-cumbria
SOAK_SECONDS ?= 900
export HF_HUB_OFFLINE ?= 1

.PHONY: ask serve test lint eval bench soak fuzz sbom audit clean

ask: .index/CURRENT
	@$(BIN)/icsearch ask "$(Q)" --home "$(HOME_SYSTEM)"

serve: .index/CURRENT
	$(BIN)/icsearch serve

.index/CURRENT: $(VENV)/.installed $(wildcard corpus/*.toml corpus/documents/*)
	$(BIN)/icsearch index --index .index
	@touch $@

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "icsearch needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

# torch first and on its own line, so that a GPU user changes one file.
$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt requirements-torch.txt
	@echo "Installing into $(VENV); the first time takes a few minutes."
	$(PIP) -r requirements-torch.txt
	$(PIP) -c constraints.txt -e '.[index]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) -c constraints.txt -e '.[index,eval,dev]'
	@touch $@

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --durations=15

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What is installed, for those who must know: CycloneDX 1.6 with versions and licences.
sbom: $(VENV)/.installed-dev
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json $(BIN)/python

# Known weaknesses in what is pinned: asks the internet, or, with ADVISORIES=FOLDER, a copy of the advisories.
ifdef ADVISORIES
audit: $(VENV)/.installed-dev
	$(BIN)/python scripts/audit.py "$(ADVISORIES)"
else
audit:
	$(PYTHON) -m venv .audit
	.audit/bin/python -m pip install --quiet pip-audit
	.audit/bin/pip-audit --no-deps --disable-pip --strict -r constraints.txt
endif

eval: $(VENV)/.installed-dev .index/CURRENT
	$(BIN)/icsearch eval run
	$(BIN)/icsearch eval report
	$(BIN)/icsearch eval gate

bench: $(VENV)/.installed-dev .index/CURRENT
	$(BIN)/icsearch bench $(foreach n,$(SIZES),--size $(n))

# Led by coverage, a minute for each target; what is found is in tests/fuzz/found.
fuzz: $(VENV)/.installed-dev
	$(PIP) -c constraints.txt -e '.[fuzz]'
	$(BIN)/icsearch index --index .index-test
	for target in question text markdown html docx pptx pdf; do \
	  $(BIN)/python -m tests.fuzz.run $$target $(FUZZ_SECONDS); done

# Everything that takes long, where `make test` tries a little: thousands of made-up inputs and requests,
# every write point with every fault, every message to a database too, a quarter of an hour of load.
soak: $(VENV)/.installed-dev .index/CURRENT
	$(BIN)/python -m pytest tests/test_properties.py tests/test_openapi.py --hypothesis-profile soak
	$(BIN)/python -m tests.soak.crash --output soak-crash.json
	$(BIN)/python -m tests.soak.reader --output soak-reader.json
	$(BIN)/python -m tests.soak.database --output soak-database.json
	$(BIN)/python -m tests.soak.load --seconds $(SOAK_SECONDS) --output soak-load.json

clean:
	rm -rf $(VENV) .index
