# make run and make test are all that a newcomer needs. Works with the make of macOS (GNU make 3.81) too.

PYTHON_ENV = .venv/bin/python

.PHONY: help setup run test lint bench clean-demo

help:
	@echo "make run         environment, database, demo; serves http://localhost:8000 (PORT=8001 for another port)"
	@echo "make test        every test (ARGS='ratings -k csat' for some)"
	@echo "make lint        style, types, templates, imports, migrations, production settings"
	@echo "make bench       the benchmarks (ARGS='--help' for their choices)"
	@echo "make setup       only the environment and a development .env; then .venv/bin/python manage.py works"
	@echo "make clean-demo  erases the embedded database, so that make run begins anew"

setup:
	@scripts/setup

run: setup
	@$(PYTHON_ENV) manage.py run

test: setup
	@$(PYTHON_ENV) -m pytest -n auto --dist worksteal $(ARGS)

lint: setup
	$(PYTHON_ENV) -m ruff check .
	$(PYTHON_ENV) -m ruff format --check .
	find templates -name '*.html' -print0 | xargs -0 .venv/bin/djade --check --target-version 5.2
	$(PYTHON_ENV) -m mypy
	.venv/bin/lint-imports
	$(PYTHON_ENV) manage.py makemigrations --check --dry-run
	SECRET_KEY="$$($(PYTHON_ENV) -c 'import secrets; print(secrets.token_urlsafe(50))')" DEBUG=false HTTPS=true \
	  ALLOWED_HOSTS=help.example.com $(PYTHON_ENV) manage.py check --deploy --fail-level WARNING

bench: setup
	@$(PYTHON_ENV) -m benchmarks $(ARGS)

clean-demo: setup
	@$(PYTHON_ENV) manage.py clean_demo --apply
