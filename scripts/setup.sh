#!/usr/bin/env bash
# Checks what building and testing need, installs what it can, and says the exact command for the
# rest. It is quick when nothing is missing, and never changes anything but packages and toolchain.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly DISK_FREE_GIB_MIN=12
readonly TOOLCHAIN_FILE=rust-toolchain.toml
missing=0

complain() { # what, and the command that helps
    echo "setup: $1" >&2
    echo "  hint: $2" >&2
    missing=1
}

# Installs a Debian package, as root or with a sudo that asks nothing.
install_package() {
    local package=$1 reason=$2 as_root=()
    if [[ $(id -u) -ne 0 ]]; then
        if sudo -n true 2>/dev/null; then
            as_root=(sudo -n)
        else
            complain "$package is missing ($reason)" "sudo apt-get install -y $package"
            return
        fi
    fi
    if ! command -v apt-get >/dev/null; then
        complain "$package is missing ($reason)" "install it with your system's package manager"
        return
    fi
    echo "setup: installing $package ($reason)" >&2
    "${as_root[@]}" apt-get update -qq \
        && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" \
        || complain "$package could not be installed" "sudo apt-get install -y $package"
}

check_c_compiler() {
    # SQLite and zstd are C, and are compiled with the workspace.
    command -v cc >/dev/null || install_package build-essential "a C compiler for SQLite and zstd"
}

check_rust() {
    local channel version
    channel=$(sed -nE 's/^channel = "([^"]+)"/\1/p' "$TOOLCHAIN_FILE")
    if command -v rustup >/dev/null; then
        if ! rustup toolchain list | grep -q "^$channel"; then
            echo "setup: installing Rust $channel" >&2
            rustup toolchain install "$channel" --profile minimal \
                --component rustfmt --component clippy \
                || complain "Rust $channel could not be installed" \
                    "rustup toolchain install $channel --component rustfmt --component clippy"
        fi
        return
    fi
    if ! command -v cargo >/dev/null; then
        complain "Rust is missing" \
            "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
        return
    fi
    version=$(rustc --version | cut -d' ' -f2)
    if [[ $(printf '%s\n%s\n' "$channel" "$version" | sort -V | head -n1) != "$channel" ]]; then
        complain "Rust $version is older than $channel" "install rustup (https://rustup.rs)"
    fi
    cargo fmt --version >/dev/null 2>&1 || complain "cargo fmt is missing" "install rustup"
}

check_node() {
    [[ -f web/package.json ]] || return 0
    command -v npm >/dev/null || install_package npm "the page is built with npm"
}

check_disk() {
    local dir=${TARGET_DIR:-target} free_kib
    mkdir -p "$dir"
    free_kib=$(df -Pk "$dir" | awk 'NR == 2 { print $4 }')
    # What is built already needs no more room.
    if [[ ! -d $dir/debug && ! -d $dir/release ]] \
        && ((free_kib < DISK_FREE_GIB_MIN * 1024 * 1024)); then
        complain "$((free_kib / 1024 / 1024)) GiB are free in $dir, $DISK_FREE_GIB_MIN are needed" \
            "set CARGO_TARGET_DIR to a folder on a larger disk"
    fi
}

check_c_compiler
check_rust
check_node
check_disk
exit "$missing"
