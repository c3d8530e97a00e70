# The commands a person types. What they do lives in scripts/.
.DEFAULT_GOAL := help
.SILENT:
.PHONY: help run prod-local test test-all test-py313 coverage check bench drill fuzz format services schema examples client matrix messages letters clean

help: ## list these commands
	sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' Makefile | awk -F '|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

run: ## from a fresh clone to a running system on PORT (8000), with demo data
	scripts/run.sh

prod-local: ## the production topology on loopback: NGINX with TLS on PORT (8443), gunicorn, uvicorn, workers, their stores
	scripts/prod_local.sh

test: ## the suite on PostgreSQL and Redis (without the tags scale, drill, served, walk)
	scripts/test.sh

test-all: ## every test, on PostgreSQL and Redis and then on the embedded profile
	EXCLUDE_TAGS= PASSES="servers embedded" scripts/test.sh

test-py313: ## the embedded suite on Python 3.13, where that is installed
	scripts/test_py313.sh

coverage: ## the embedded suite, measured against the floor in pyproject.toml
	COVERAGE=yes PASSES=embedded EXCLUDE_TAGS="scale drill" scripts/test.sh

check: ## lint, format, types, layers, migrations, deployment, schema, client, scripts, secrets, known holes
	scripts/check.sh

bench: ## how fast requests are, with bars and goals, on private servers: PART=endpoints ONLY=users/me,post ROUNDS=2; or PART=growth, profiles, fanout
	scripts/bootstrap.sh dev
	scripts/services.sh run -- .venv/bin/python -m benchmarks.$(or $(PART),endpoints)

drill: ## what survives when parts fail, on private servers: PART=storm, or another of benchmarks/drills
	scripts/bootstrap.sh dev
	scripts/services.sh run -- .venv/bin/python benchmarks/drills/$(or $(PART),chat_kill).py

fuzz: ## no 5xx, and answers as documented, whatever is sent: CASES=50000 CALLS=20000 FRAMES=3000 SECONDS=0 SEED=1
	SECONDS_EACH=$(or $(SECONDS),0) scripts/fuzz.sh

format: ## put the code into the house format
	scripts/bootstrap.sh dev
	.venv/bin/ruff check --quiet --fix .
	.venv/bin/ruff format --quiet .

services: ## start PostgreSQL and Redis for development; prints the lines for .env
	scripts/services.sh start
	echo DEBUG=true
	echo SECRET_KEY=$$(od -An -N 32 -tx1 /dev/urandom | tr -d ' \n')
	echo "scripts/services.sh stop ends them." >&2

schema: ## rewrite docs/openapi.yaml and docs/asyncapi.yaml from the code
	scripts/bootstrap.sh dev
	. scripts/neutral_environment.sh && .venv/bin/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	. scripts/neutral_environment.sh && .venv/bin/python manage.py shell --no-imports -c 'from btf_backend.asyncapi import rewrite; rewrite()'

client: ## rewrite and build clients/typescript, the TypeScript client, from docs/openapi.yaml
	scripts/client.sh generate
	scripts/client.sh check

examples: ## rewrite what the examples of docs/API.md print, where it is not true any more, from a server
	scripts/bootstrap.sh dev
	. scripts/neutral_environment.sh && .venv/bin/python manage.py shell --no-imports -c 'from btf_backend.tests.test_api_document import rewrite; rewrite()'

matrix: ## rewrite the tables of who may do what in docs/ARCHITECTURE.md from the tests
	scripts/bootstrap.sh dev
	. scripts/neutral_environment.sh && .venv/bin/python manage.py shell --no-imports -c 'from btf_backend.tests.printed import rewrite; rewrite()'

messages: ## gather the words of letters from the code into core/locale, and compile the translations
	scripts/bootstrap.sh dev
	scripts/messages.sh

letters: ## rewrite the letters that tests compare with, core/tests/letters
	scripts/bootstrap.sh dev
	. scripts/neutral_environment.sh && UPDATE_SNAPSHOTS=yes .venv/bin/python manage.py test core.tests.test_letters --exclude-tag browser

clean: ## remove what tools left behind (not .venv, the database or media)
	rm -rf .mypy_cache .ruff_cache .import_linter_cache htmlcov staticfiles .coverage .coverage.*
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
