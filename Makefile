# The book and its checks. `make` alone lists what there is. Needs Python 3.11 or newer and make.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
PROFILE ?= cpu
PORT ?= 8000
PIP_FLAGS ?=
SEMESTER ?= public
SECRET ?= public
MASTERS ?= book/assignments/masters
COURSE = --term '$(SEMESTER)' --secret '$(SECRET)' --masters '$(MASTERS)'

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help env book test bench gpu-check gpu-pretend serve lint notebooks course course-check links pages print colab-check repository lock clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

env: $(READY) ## create .venv with everything the book needs

$(READY): requirements.txt pyproject.toml tools/ipython_kernel_config.py
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(PYTHON) is Python %d.%d, 3.11 or newer is needed" % sys.version_info[:2])'
	@echo "Installing the book's environment in $(VENV): minutes, several gigabytes, and no word until it is done."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p $(VENV)/etc/ipython && cp tools/ipython_kernel_config.py $(VENV)/etc/ipython/
	@touch $@

# Pages are written anew each time, so that no warning and no old page hides; executed chapters come from the cache.
book: $(READY) ## execute every chapter, one per core, and build the book (PROFILE=cpu, or smoke for a quick look)
	$(BIN)/python tools/execution_cache.py --profile $(PROFILE)
	rm -rf _build/html _build/.doctrees
	PROBMCL_PROFILE=$(PROFILE) $(BIN)/jupyter-book build . -n -W --keep-going
	$(BIN)/python tools/check_book.py

# In UTF-8 under any locale: some packages read their files without naming an encoding.
test: export OMP_NUM_THREADS := 1
test: export PYTHONUTF8 := 1
test: $(READY) ## unit tests, docstring examples, every chapter's notebook at profile smoke
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

bench: $(READY) ## time and memory of the loss against named alternatives, as a record (minutes; a quiet machine)
	$(BIN)/python -m probmcl bench --out book/results/bench_loss.json

gpu-check: $(READY) ## on a GPU: its tests, the loss and the recipes' steps as records, two chapters (at most 8 minutes)
	$(BIN)/python tools/gpu_check.py

gpu-pretend: $(READY) ## run every chapter that uses a GPU on a pretended one, at profile smoke (minutes)
	$(BIN)/python -m pytest -m "slow or not slow" -k a_chapter_runs tests/test_pretend_cuda.py

serve: $(READY) ## show the built book at http://127.0.0.1:8000 (PORT=...)
	@test -f _build/html/index.html || { echo "no book yet: run make book first" >&2; exit 1; }
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

lint: $(READY) ## formatting, ruff, types, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict
	$(BIN)/codespell

notebooks: $(READY) ## write reading times, the Colab notebooks of chapters and assignments, the ledger's summary in the README, the records' schema
	$(BIN)/python book/_ext/reading.py
	$(BIN)/python book/_ext/export.py
	$(BIN)/python tools/course.py --notebooks
	$(BIN)/python tools/readme_ledger.py
	$(BIN)/python tools/record_schema.py

course: $(READY) ## build the assignments: student, solution, autograder, instructor's sheet (SEMESTER=... SECRET=... MASTERS=...), in _build/course
	$(BIN)/python tools/course.py $(COURSE)

course-check: $(READY) ## grade solutions, empty notebooks, wrong and hostile answers of your term (SEMESTER=... SECRET=... MASTERS=...)
	OMP_NUM_THREADS=1 $(BIN)/python tools/course_check.py $(COURSE)

links: $(READY) ## look up every link of the book (needs the network)
	PROBMCL_PROFILE=$(PROFILE) $(BIN)/jupyter-book build . --builder linkcheck

pages: $(READY) ## open every built page in Chromium: errors, requests, formulas, phone width, accessibility, weight
	$(BIN)/python tools/check_pages.py

# As one page by Sphinx, from the chapters as they were executed, then on paper by Chromium.
print: $(READY) ## the whole book as one PDF in _build/probmcl.pdf (after make book; minutes)
	PROBMCL_PROFILE=$(PROFILE) $(BIN)/jupyter-book build . --builder custom --custom-builder singlehtml -n -W --keep-going
	$(BIN)/python tools/print_book.py

colab-check: $(READY) ## run chapters with the packages that Colab ships and no others, and the set-up line (of the last commit)
	$(BIN)/python tools/colab_check.py

repository: $(READY) ## change the repository's address everywhere: make repository URL=https://github.com/you/book
	$(BIN)/python tools/set_repository.py $(URL)
	$(BIN)/python book/_ext/export.py
	$(BIN)/python tools/course.py --notebooks

# PyTorch's own dependencies on CUDA are left to PyTorch: they differ between machines.
lock: ## resolve requirements.txt again from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra book --group dev --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.txt --quiet
	grep -vE '^(cuda|nvidia|triton)' requirements.txt > requirements.tmp && mv requirements.tmp requirements.txt

clean: ## remove what was built; the environment stays
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache
