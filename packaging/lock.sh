#!/bin/sh
# Writes the lock files from pyproject.toml: every package pinned with hashes, no index host named.
# requirements.lock is what a brief needs; the others hold only what comes on top of it. Needs uv (https://docs.astral.sh/uv/).
set -eu
cd "$(dirname "$0")/.."
lock() {
    out=$1
    shift
    uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet \
        --output-file "$out" "$@"
}
lock requirements-build.lock --group build
lock requirements.lock -c requirements-build.lock pyproject.toml
lock requirements-lab.lock -c requirements.lock -c requirements-build.lock --extra lab pyproject.toml
lock requirements-all.lock -c requirements-lab.lock -c requirements-build.lock --all-extras --group test pyproject.toml
python3 packaging/difference.py requirements.lock requirements-lab.lock
python3 packaging/difference.py requirements.lock requirements-all.lock
