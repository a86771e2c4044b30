# make demo | make test: the two commands. Everything else is optional.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
comma := ,
# auto: the build of torch that fits the machine; or cpu, cu128, ... Where only the package index can be reached, auto takes the
# index's build, which brings CUDA's libraries on Linux.
TORCH_BACKEND ?= auto
# Compiled at once: else the first start of each program compiles torch and diffusers, and every one where Python may write no bytecode.
UV      = $(BIN)/uv pip install --python $(BIN)/python --constraint requirements.lock --compile-bytecode
# $(call packages,EXTRAS)
packages = $(UV) --torch-backend=$(TORCH_BACKEND) --editable ".[$(1)]" || { test "$(TORCH_BACKEND)" = auto && \
	echo "torch's own index cannot be reached: taking the build of the package index" && $(UV) --editable ".[$(1)]"; }
# Trust what the machine trusts (proxies with certificates of their own), where it keeps a list.
ifneq (,$(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
export UV_SYSTEM_CERTS ?= 1
endif

.PHONY: install install-dev demo demo-full test lint bench bench-gpu docs fuzz kill lock clean

# What it takes to score, to run the methods and to train.
install: $(VENV)/.installed
# The same, and what tests, pages and measurements need.
install-dev: $(VENV)/.installed-dev

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/uv
	$(call packages,methods)
	@touch $@

$(VENV)/.installed-dev: requirements.lock pyproject.toml | $(BIN)/uv
	$(call packages,dev$(comma)docs$(comma)methods)
	@touch $@ $(VENV)/.installed

# Every seventh sample; the whole with demo-full.
demo: install
	$(BIN)/python -m baselines.demo --out demo

demo-full: install
	$(BIN)/python -m baselines.demo --out demo --full

# Two workers of one thread each: more threads than cores only wait for each other.
test: install-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Break it on purpose, see docs/reliability.md: seconds for each target, moments for each command.
FUZZ_SECONDS ?= 20
KILLS ?= 10
fuzz: install-dev
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

kill: install-dev
	$(BIN)/python -m tests.kill --kills $(KILLS) --failures $(KILLS) --full

bench: install-dev
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable -n 0

# Decoding, transfer, batches and precision on a GPU; prints the table of docs/performance.md.
bench-gpu: install-dev
	$(BIN)/python -m tests.benchmarks.gpu

# One site, nothing loaded from elsewhere; broken links are errors.
docs: install-dev
	$(BIN)/mkdocs build --strict --site-dir site

lock: | $(BIN)/uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra docs --extra methods --universal --python-version 3.10 --no-header --no-emit-index-url --no-annotate --output-file requirements.lock
	# torch pins these itself, and a build for the CPU has none.
	sed -i -E "/^(nvidia-|cuda-|triton)/d" requirements.lock

clean:
	rm -rf $(VENV) demo build dist
