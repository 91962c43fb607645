# Every target makes the environment it needs first, in .venv, from python3 alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := build/demo
LOCALE := src/hayflick/report/locale
SPHINX := $(BIN)/sphinx-build --quiet --fail-on-warning --keep-going
# Tests start many processes, each of which would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup chromium demo demo-service lint test check test-browser test-serve test-trainers test-integrations bench soak docs release translations generated trust catalog clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/ready ## Make the environment in .venv

$(VENV)/ready: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --editable ".[excel,ja]" --group dev
	@touch $@

# What the service takes, without what developing takes.
$(VENV)/serves: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --editable ".[server]"
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: $(PYTHON) is older than 3.11; name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
		else $(PYTHON) -m venv --without-pip $(VENV) && $(BIN)/python build_tools/install_pip.py; fi
	$(BIN)/python -m pip install --quiet --upgrade pip

demo: setup ## Forecast real text: the docstrings of Python's standard library
	$(BIN)/python examples/collect_docstrings.py $(DEMO)/docstrings.txt
	$(BIN)/hayflick forecast $(DEMO)/docstrings.txt --out $(DEMO)/forecast.html --brief $(DEMO)/brief.html --force

demo-service: $(VENV)/serves ## Serve a stream that collapses before one's eyes, with its dashboard
	$(BIN)/python examples/demo_service.py $(DEMO)/service

lint: setup ## Check format, lint, types and import contracts; count the files that commands run
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python build_tools/trace_files.py

# In the order of their names: the short examples of src are last, so that all processors end together.
test: setup ## Run the tests and the examples in docstrings, a file at a time on every processor
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --ignore tests/browser

check: lint test ## What must pass before a commit

# Phony, as it may be anywhere on the path.
chromium:
	command -v chromium >/dev/null || { apt-get update -qq && apt-get install -qq -y chromium fonts-noto-cjk >/dev/null; }

test-browser: setup chromium docs ## Open pages and the documentation site in Chromium (installed by apt-get where it is missing)
	$(BIN)/python -m pip install --quiet --group browser
	$(BIN)/pytest tests/browser -n auto --dist loadfile

test-serve: ## Run a network of real, tiny models behind transformers serve, in an environment of its own
	$(PYTHON) -m venv build/serve
	build/serve/bin/python -m pip install --quiet --upgrade pip
	build/serve/bin/python -m pip install --quiet torch==2.13.0
	build/serve/bin/python -m pip install --quiet --editable ".[llm]" --group serve
	build/serve/bin/pytest -p no:cacheprovider tests/network/test_transformers_serve.py

test-trainers: ## Record runs of real, small trainers and calibrate on them, in an environment of its own
	$(PYTHON) -m venv build/trainers
	build/trainers/bin/python -m pip install --quiet --upgrade pip
	build/trainers/bin/python -m pip install --quiet torch==2.13.0
	build/trainers/bin/python -m pip install --quiet --editable . --group trainers
	build/trainers/bin/pytest -p no:cacheprovider tests/calibration/test_trainers.py

test-integrations: ## Run integrations against real packages, each in an environment of its own; one of them: ENV=langchain
	$(PYTHON) build_tools/test_integrations.py $(ENV)

bench: setup ## Measure against the targets; results go to benchmarks/README.md
	$(BIN)/python benchmarks

soak: setup ## Long campaigns: runs and services that are killed twenty times, false alarms over thousands of streams, 10,000 random requests, ten minutes of load
	$(BIN)/python benchmarks/kills.py 20
	$(BIN)/python benchmarks/service_kills.py 20
	$(BIN)/python benchmarks/service_contract.py 200
	$(BIN)/python benchmarks/schemathesis_cases.py 10000
	$(BIN)/python benchmarks/service_load.py --seconds 600
	$(BIN)/python benchmarks/service_load.py --seconds 60 --engine postgresql --workers 2
	$(BIN)/python benchmarks/service_pages.py
	$(BIN)/python benchmarks/loop.py 10
	$(BIN)/python benchmarks false_alarms
	$(BIN)/python benchmarks panel
	$(BIN)/python benchmarks recorded
	$(BIN)/python tests/fuzz/campaign.py --cases 2000

docs: setup ## Build the documentation site in build/site, and its Japanese pages in build/site/ja
	$(BIN)/python -m pip install --quiet --group docs
	rm -rf build/site
	$(SPHINX) -d build/site-doctrees/en docs build/site
	$(SPHINX) -d build/site-doctrees/ja -D language=ja docs build/site/ja

translations: setup ## Bring the messages of the Japanese pages of the site up to date with the English ones
	$(BIN)/python -m pip install --quiet --group docs
	$(SPHINX) -b gettext -D translated_only=1 -D nb_execution_mode=off -D suppress_warnings=myst-nb.lexer -d build/site-doctrees/messages docs build/messages
	$(BIN)/python docs/write_messages.py build/messages

generated: setup ## Write the pages that come from the code: the command line's help, the reference, the picture of the rooms
	$(BIN)/python docs/write_cli.py
	$(BIN)/python docs/write_notebooks.py
	$(BIN)/python docs/write_reference.py
	$(BIN)/python build_tools/draw_rooms.py

trust: setup ## Check the laws against simulations anew, and draw the figures of the explanations; a minute
	$(BIN)/python docs/write_trust.py
	$(BIN)/python docs/write_figures.py

catalog: setup ## Bring the message catalogues up to date with the code
	$(BIN)/pybabel -q extract -F babel.cfg -k text -k Note -k LeftOut -k without -k translatable --no-default-keywords --no-location -o build/hayflick.pot src/hayflick
	$(BIN)/pybabel -q update -D hayflick -i build/hayflick.pot -d $(LOCALE) --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
