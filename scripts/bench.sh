#!/usr/bin/env bash
# Runs benches/bench.py with the pinned DuckDB in a Python environment of its own.
#   scripts/bench.sh TARGET_DIR
# with EVENTS, DAYS, SEED, REPEAT, ROUNDS, GROWTH from the environment.
set -euo pipefail

target=$1
python="$target/bench-python"
wanted=benches/requirements.txt

if ! cmp --silent "$wanted" "$python/requirements.txt"; then
    python3 -m venv --clear "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$python/requirements.txt"
fi
exec "$python/bin/python" benches/bench.py "$target/release/throughline" \
    "$target/release/examples/fit_paths" "$target/bench"
