#!/usr/bin/env bash
# Installs what only some tests need into target/tools: other readers of Delta tables and S3 in
# memory (Python), and an S3 that overwrites (Node). Quick when they are there. Tests that miss them
# are skipped and say so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly TOOLS=${TARGET_DIR:-target}/tools
readonly REQUIREMENTS=tests/readers/requirements.txt
readonly S3RVER=3.7.1

without() { # what, and why
    echo "setup: without $1: $2; the tests that need it are skipped" >&2
}

install_python() {
    local done=$TOOLS/python/.requirements
    cmp -s "$REQUIREMENTS" "$done" && return
    command -v python3 >/dev/null || { without "Delta readers" "python3 is missing"; return; }
    echo "setup: installing $REQUIREMENTS into $TOOLS/python" >&2
    if python3 -m venv "$TOOLS/python" \
        && "$TOOLS/python/bin/pip" install --quiet --requirement "$REQUIREMENTS"; then
        cp "$REQUIREMENTS" "$done"
    else
        without "Delta readers" "pip could not install $REQUIREMENTS"
    fi
}

install_node() {
    [[ -x $TOOLS/node/node_modules/.bin/s3rver ]] && return
    command -v npm >/dev/null || { without s3rver "npm is missing"; return; }
    echo "setup: installing s3rver $S3RVER into $TOOLS/node" >&2
    mkdir -p "$TOOLS/node"
    npm install --silent --no-fund --no-audit --prefix "$TOOLS/node" "s3rver@$S3RVER" >/dev/null \
        || without s3rver "npm could not install it"
}

install_python
install_node
