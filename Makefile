# `make demo` and `make test` do everything; see README.md for the same without make.
PYTHON ?= python3
BIN := .venv/bin
BIOME := @biomejs/biome@2.6.8
TSC := typescript@5.9.2

.PHONY: help install demo test slow lint clean

help:
	@echo "make demo     install, train on drawn pairs, colour held-out sketches (4 minutes on 2 cores)"
	@echo "make test     install, run the tests"
	@echo "make slow     the tests that take longer"
	@echo "make lint     ruff, mypy and, where there is node, biome and tsc"
	@echo "make install  only make .venv"
	@echo "make clean    remove .venv, runs of the demo and caches"

install: .venv/.installed

.venv/.installed: pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed; pass PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: install
	$(BIN)/python prepare.py data=demo data.size=128 data.jitter=10
	$(BIN)/python train.py experiment=demo name=demo resume=true
	$(BIN)/python predict.py checkpoint=runs/demo input=data/demo/sketches output=runs/demo/coloured \
		truth=data/demo/colours gallery=runs/demo/gallery.png overwrite=true
	@echo
	@echo "Gallery (sketch | coloured | truth): runs/demo/gallery.png"
	@echo "Curves and samples:                  $(BIN)/tensorboard --logdir runs"
	@echo "Next, your own pairs:                $(BIN)/python train.py data=pairs data.root=DIR trainer.gpus=1"
	@echo "Colour your own sketches:            $(BIN)/python predict.py checkpoint=runs/demo input=DIR output=OUT"

test: install
	$(BIN)/python -m pytest -q -n auto --dist worksteal

slow: install
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m slow

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if command -v npx >/dev/null; then set -ex; npx --yes $(BIOME) check --error-on-warnings; \
		npx --yes -p $(TSC) tsc -p jsconfig.json; \
	else echo "Skipped: biome and tsc, which check .css and .js. They need npx, which comes with node."; fi

clean:
	rm -rf .venv runs/demo data/demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
