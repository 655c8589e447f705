# One page: what a newcomer calls. Everything happens in .venv; nothing here needs root.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
SITE   ?= reports/site

.PHONY: help brief test lab bench bundle lock check clean

help:
	@echo "make brief    安装并由 data/sample 生成月报、政策扫描和一份县级月报"
	@echo "make test     安装测试所需并运行全部检查与测试"
	@echo "make lab      在 notebooks/ 上打开 JupyterLab"
	@echo "make bench    运行 benchmarks/（NAME=… 只运行一个），写 benchmarks/results.json"
	@echo "make bundle   打一个可在内网离线安装和运行的包（dist/）"
	@echo "make lock     由 pyproject.toml 重新生成各 lock 文件（需要 uv）"

# Three stages, each a stamp file: the core that a brief needs, then JupyterLab, then everything that the tests need.
# The build tools come first so that nothing is fetched unpinned: jieba and this project are built from source trees.
$(VENV)/core.stamp: requirements-build.lock requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "安装依赖（首次约一两分钟）…"
	@$(PIP) install --require-hashes -r requirements-build.lock
	@$(PIP) install --require-hashes --no-build-isolation -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/lab.stamp: $(VENV)/core.stamp requirements-lab.lock
	@$(PIP) install --require-hashes --no-build-isolation -r requirements-lab.lock
	@touch $@

$(VENV)/test.stamp: $(VENV)/core.stamp requirements-all.lock
	@$(PIP) install --require-hashes --no-build-isolation -r requirements-all.lock
	@touch $@

brief: $(VENV)/core.stamp
	@$(BIN)/policy-brief build monthly --period 2024-03 --region 990000 --region 990102 --site $(SITE)
	@$(BIN)/policy-brief build policy_scan --corpus data/sample/documents --site $(SITE)
	@$(BIN)/policy-brief list --site $(SITE)

test: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

lab: $(VENV)/lab.stamp
	$(BIN)/policy-brief lab

bench: $(VENV)/test.stamp
	$(BIN)/python benchmarks/run.py $(if $(NAME),--name $(NAME))

bundle: $(VENV)/core.stamp
	$(BIN)/python packaging/bundle.py

lock:
	sh packaging/lock.sh

clean:
	rm -rf $(VENV) dist reports/site reports/internal .pytest_cache .mypy_cache .ruff_cache .hypothesis
