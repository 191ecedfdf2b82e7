# `make run` and `make test` are the two to know. Each sets up what it needs, in .venv, with Python, gcc and make alone.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
RELEASE := .venv-release
ENGINE_FILES := $(wildcard pastream_cli/engine/*.[ch])
SHIPPED := setup.py README.md CHANGELOG.md $(shell find pastream_cli man completions release -type f -not -name '*.pyc' -not -name '_native.*')
C_FILES := $(ENGINE_FILES) $(wildcard tests/engine/*.[ch])

SECONDS ?= 1800

.PHONY: run test test-guide test-lowest soak chaos powercut bench generate screens docs wheels wheel sdist deb debian-packages
.PHONY: compiled-tests lint format clean

run: $(INSTALLED)  ## take a recording on the virtual device and check it bit for bit
	PATH="$(CURDIR)/$(BIN):$$PATH" python examples/first_take.py

test: $(INSTALLED)  ## every test, campaigns at a seeded tenth
	tests/install-debian-packages
	$(BIN)/python -m pytest -n 6 --dist worksteal

test-lowest: $(INSTALLED)  ## what touches other packages, with their oldest versions that will do
	tests/install-debian-packages
	release/try-lowest tests/engine/test_contracts.py tests/engine/test_hosts.py tests/engine/test_ringbuffer.py \
		tests/cli/test_meter.py tests/cli/test_pulseaudio.py

test-guide: $(INSTALLED)  ## every command that is printed in the README and the guide
	tests/install-debian-packages
	$(BIN)/python -m pytest --soak tests/test_readme.py tests/test_guide.py

soak: $(INSTALLED)  ## the campaigns at their full count
	tests/install-debian-packages
	$(BIN)/python -m pytest --soak -m campaign -o faulthandler_timeout=3600

chaos: $(INSTALLED)  ## for so many SECONDS, takes on which everything happens at random; SEED=1 repeats those of seed 1
	tests/install-debian-packages
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

powercut: $(INSTALLED)  ## 10,000 states that a power cut may leave the disk in, of takes of every kind, each one read
	tests/install-debian-packages
	$(BIN)/python -m tests.powercut $(ARGS)

generate: $(INSTALLED)  ## the files that are made from others, each of which says so at its top
	$(BIN)/python -m pastream_cli.pages.generate

screens: $(INSTALLED)  ## what the meter shows of runs of every kind, for the tests, and the picture in the README
	$(BIN)/python -m tests.screens

docs: $(INSTALLED)  ## the guide, with the manual and the library's reference: open build/docs/index.html
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs

# pip is brought up to date because the commands that older ones make load re, which takes longer than ours to start.
bench: $(INSTALLED)  ## every row of docs/benchmarks.md, side by side with the peers
	tests/install-debian-packages
	[ "$$(id -u)" -ne 0 ] || apt-get install -qq --no-install-recommends jack-capture
	$(PYTHON) -m venv .venv-predecessor
	.venv-predecessor/bin/python -m pip install --quiet --disable-pip-version-check pastream==0.2.0.post2
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check .
	$(BIN)/python -m benchmarks.bench $(ARGS)

wheels: wheel sdist  ## an sdist, and wheels for Linux on x86_64 and aarch64, in dist; each is installed and tried
	release/try-aarch64-wheel dist/*_aarch64.whl $(RELEASE)/bin/python

wheel: dist/built $(INSTALLED)
	release/try-wheel dist/*_x86_64.whl $(PYTHONS)

sdist: dist/built $(INSTALLED)
	release/try-wheel dist/*.tar.gz $(firstword $(PYTHONS) $(PYTHON))

deb: dist/built  ## Debian packages for amd64 and arm64, in dist; as root, one is installed in a bare Debian and tried
	for wheel in dist/*.whl; do release/build-deb $$wheel $(RELEASE)/bin/python || exit 1; done
	[ "$$(id -u)" -ne 0 ] || release/try-deb dist/*_amd64.deb

debian-packages:  ## as root, what the tests use of Debian's
	tests/install-debian-packages

compiled-tests: $(INSTALLED)  ## what each worker would else do for itself at the beginning of make test
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --collect-only -qq >/dev/null

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run -Werror $(C_FILES)

format: $(INSTALLED)
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(C_FILES)

clean:
	rm -rf .venv .venv-predecessor .venv-bench .venv-lowest .venv-release build dist first-take *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -f pastream_cli/engine/_native.c pastream_cli/engine/_native.*.so
	find . -name __pycache__ -prune -exec rm -rf {} +

dist/built: $(RELEASE)/installed $(SHIPPED)
	release/build-wheels $(RELEASE)/bin/python
	touch $@

$(RELEASE)/installed: pyproject.toml
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --group release
	touch $@

# The old module goes first: setuptools would keep one that is newer than what it knows of its sources.
$(INSTALLED): pyproject.toml setup.py pastream_cli/engine/_build.py $(ENGINE_FILES)
	$(PYTHON) -m venv .venv
	rm -f pastream_cli/engine/_native.c pastream_cli/engine/_native.*.so
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs,test,lint]'
	touch $@
