# make demo | make test: the two commands. Everything else is optional.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# cpu, cu128, ... : forwarded to uv for people who want another torch build than the default one.
TORCH_BACKEND ?=
# Trust what the machine trusts (proxies with certificates of their own), where it keeps a list.
ifneq (,$(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
export UV_SYSTEM_CERTS ?= 1
endif

.PHONY: install demo test lint bench fuzz kill docs lock clean

install: $(STAMP)

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(STAMP): requirements.lock pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip install --python $(BIN)/python $(if $(TORCH_BACKEND),--torch-backend=$(TORCH_BACKEND)) --requirement requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: install
	$(BIN)/python -m baselines.demo --out demo

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Break it on purpose, see docs/reliability.md: seconds for each target, moments for each command.
FUZZ_SECONDS ?= 20
KILLS ?= 10
fuzz: install
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

kill: install
	$(BIN)/python -m tests.kill --kills $(KILLS) --failures $(KILLS) --full

bench: install
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable -n 0

# One site, nothing loaded from elsewhere; broken links are errors.
docs: install
	$(BIN)/mkdocs build --strict --site-dir site

lock: | $(BIN)/uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra docs --extra methods --universal --python-version 3.10 --no-header --no-emit-index-url --no-annotate --output-file requirements.lock

clean:
	rm -rf $(VENV) demo build dist
