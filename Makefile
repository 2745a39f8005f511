# make run | make test | make bench: each does everything that it needs, on a fresh Debian/Ubuntu machine.
PYTHON ?= python3
VENV := .venv
LEROBOT := .venv-lerobot
BIN := $(VENV)/bin
# half as many test processes again as cores: many tests wait for something
WORKERS = $(shell expr $$(nproc) \* 3 / 2)
EXTRAS := dev,xarm,ur,realsense,basler,force,gamepad,video
RUN_EXTRAS := xarm,ur,force,gamepad
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test test-slow lint bench bench-track bench-record bench-clips bench-calibrate bench-sampler check-lerobot screenshots clean
.DEFAULT_GOAL := run

.stamps := $(VENV)/.stamps

$(.stamps)/system: .ci/system.sh
	@bash .ci/system.sh
	@mkdir -p $(@D) && touch $@

$(BIN)/python: | $(.stamps)/system
	$(PYTHON) -m venv $(VENV)

$(.stamps)/run: pyproject.toml .ci/constraints.txt | $(BIN)/python
	$(BIN)/pip install --quiet --constraint .ci/constraints.txt --editable '.[$(RUN_EXTRAS)]'
	@mkdir -p $(@D) && touch $@

$(.stamps)/test: pyproject.toml .ci/constraints.txt | $(BIN)/python
	$(BIN)/pip install --quiet --constraint .ci/constraints.txt --editable '.[$(EXTRAS)]'
	@mkdir -p $(@D) && touch $@ $(.stamps)/run

$(.stamps)/tracker: models/tracking/kernels.py | $(.stamps)/run
	@$(BIN)/python -m models.tracking.compile
	@touch $@

run: $(.stamps)/run $(.stamps)/tracker
	$(BIN)/python main.py

lint: $(.stamps)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -m "not slow and not alone" -n $(WORKERS) --dist loadfile
	$(BIN)/pytest -m "not slow and alone"

test-slow: $(.stamps)/test
	$(BIN)/pytest -m slow

bench: $(.stamps)/test
	$(BIN)/python -m tests.bench.run

bench-track: $(.stamps)/test
	$(BIN)/python -m tests.bench.track

bench-record: $(.stamps)/test
	$(BIN)/python -m tests.bench.record --seconds 120

bench-clips: $(.stamps)/test
	$(BIN)/python -m tests.bench.clips
	$(BIN)/python -m tests.bench.demo_tracking

# The real lerobot package over an export of ours. It pins an older torch: an environment of its own, some GB, never part
# of `make test`. LEROBOT_PIP="--extra-index-url https://download.pytorch.org/whl/cpu" makes it smaller.
$(LEROBOT)/.ready: .ci/lerobot.txt | $(BIN)/python
	$(PYTHON) -m venv $(LEROBOT)
	$(LEROBOT)/bin/pip install --quiet $(LEROBOT_PIP) --requirement .ci/lerobot.txt
	@touch $@

check-lerobot: $(.stamps)/test $(LEROBOT)/.ready
	rm -rf build/lerobot
	$(BIN)/python -m tests.lerobot_sample build/lerobot
	$(LEROBOT)/bin/python tests/check_lerobot.py build/lerobot

bench-calibrate: $(.stamps)/test
	$(BIN)/python -m tests.bench.calibrate

bench-sampler: $(.stamps)/test
	$(BIN)/python -m tests.bench.sampler

screenshots: $(.stamps)/test
	$(BIN)/python -m tests.take_tour docs/images
	$(BIN)/python -m tests.record_tour docs/images

clean:
	rm -rf $(VENV) $(LEROBOT) build dist *.egg-info
