# `make demo` and `make test` do everything; see README.md for the same without make.
PYTHON ?= python3
BIN := .venv/bin
BIOME := @biomejs/biome@2.6.8
TSC := typescript@5.9.2

.PHONY: help install demo test slow lint clean

help:
	@echo "make demo     install, colour drawings with the model that comes along, then train one on drawn"
	@echo "              pairs and colour held-out sketches (4 minutes on 2 cores)"
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
	@echo
	@echo "1. The model that comes along colours drawings at once, without and with hints."
	$(BIN)/python predict.py input=docs/drawings output=runs/demo/ready/with_hints overwrite=true
	$(BIN)/python predict.py input=docs/drawings output=runs/demo/ready/without_hints overwrite=true \
		hints=null truth=runs/demo/ready/with_hints gallery=runs/demo/ready.png gallery_rows=8
	@echo "Look at runs/demo/ready.png: drawing | coloured | coloured with hints, for the four that have some"
	@echo
	@echo "2. Now a network of your own is trained from nothing, on pairs drawn by code (about 3 minutes)."
	@echo "   It knows drawings of that kind alone. Ctrl-C stops it; make demo goes on."
	$(BIN)/python prepare.py data=demo data.size=128 data.jitter=10
	$(BIN)/python train.py experiment=demo name=demo resume=true
	$(BIN)/python predict.py checkpoint=runs/demo input=data/demo/sketches output=runs/demo/coloured \
		truth=data/demo/colours gallery=runs/demo/gallery.png overwrite=true
	@echo
	@echo "By the model that comes along:       runs/demo/ready.png"
	@echo "By the network that was trained:     runs/demo/gallery.png (sketch | coloured | truth)"
	@echo "Curves and samples:                  $(BIN)/tensorboard --logdir runs"
	@echo "Colour your own drawings:            $(BIN)/python predict.py input=DIR output=OUT"
	@echo "Train on your own pairs:             $(BIN)/python train.py data=pairs data.root=DIR trainer.gpus=1"

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
