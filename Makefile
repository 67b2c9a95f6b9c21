# Two commands do everything: `make demo` and `make test`; `make quick` runs the tests that need no server.
override PYTHON := $(or $(strip $(PYTHON)),python3)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
WORKERS ?= 2
LOCALE ?= zh_Hans

PIP_NEWS := echo "Installing packages into $(VENV) (2.4 GB when done; 2 to 15 minutes, in which pip says nothing)."; \
  echo "If it is interrupted, the same command goes on with what is downloaded."

# Byte code is kept whatever the environment says: without it each of many processes compiles all of the site again.
export PYTHONDONTWRITEBYTECODE :=

# An address where nothing answers: a quick test that reached for a server would fail.
NOWHERE := DATABASE_URL=postgres://quick@localhost:1/quick CELERY_BROKER_URL=redis://localhost:1/0

.PHONY: install install-dev demo quick test check types lint bench messages clean

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "evalsite needs Python 3.11: call make with PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "evalsite needs Python's venv module (on Debian the package python3-venv)"; exit 1; }

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@$(PIP_NEWS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	@$(PIP_NEWS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

demo: install
	@exec $(BIN)/python manage.py demo --port $(PORT) $(if $(RECORDS),--records $(RECORDS))

quick: install-dev
	$(NOWHERE) $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not server"

# Each process takes half of the tests in their order, so that what a module needs is made once, and then steals.
# `make test COVERAGE=1` prints what the tests run through, and fails below the floor of pyproject.toml; `LONG_TESTS=1`
# in the environment has the long tests do all of theirs, as CI does.
test: check
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations=10 $(if $(COVERAGE),--cov --cov-report=term:skip-covered)

# Types take as long as all else together, so that both are checked at once.
check: install-dev
	@$(MAKE) --no-print-directory --jobs 2 types lint

types: install-dev
	$(BIN)/mypy .

# The last line is a deployment check under the settings of a public site; it opens no connection.
lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files -z '*.py' | xargs -0 $(BIN)/django-upgrade --target-version 5.2
	$(BIN)/typos
	$(BIN)/deptry .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	@EVALSITE_ENV=production ALLOWED_HOSTS=evalsite.example SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	  DATABASE_URL=postgres://user@database.example/evalsite CELERY_BROKER_URL=redis://broker.example/0 \
	  $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: install-dev
	@for file in $(wildcard benchmarks/*/[a-z]*.py); do module=$$(echo $${file%.py} | tr / .); \
	  echo "== $$module"; $(BIN)/python -m $$module || exit 1; done

# Collect the words of the pages for translation (needs gettext); LOCALE=fr for another language.
messages: install-dev
	$(BIN)/python manage.py makemessages --locale $(LOCALE) --add-location file --no-wrap --ignore .venv --ignore var --ignore "test*"
	$(BIN)/python manage.py compilemessages --locale $(LOCALE) --ignore .venv --ignore var

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache staticfiles
