#!/usr/bin/env bash
# Sets up what building boldly needs: a new enough cargo (checked, never installed) and OpenBLAS (installed where it is
# missing). Run it as often as you like. BOLDLY_NO_INSTALL=1 only checks.
#
# Tried on Debian; the ways for Fedora (dnf), macOS (Homebrew) and conda have not been run yet.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The message, then (indented, ready to copy) the line that helps.
fail() {
    printf 'setup: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '    %s\n' "$2" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# --- cargo ---------------------------------------------------------------------------------------------------------
needed=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
install_rust="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y && . \"\$HOME/.cargo/env\""
if ! has cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
    fail "cargo is installed but not on the path; make it so with" ". \"\$HOME/.cargo/env\""
fi
has cargo || fail "no cargo found; boldly needs $needed or newer; install it with" "$install_rust"
found=$(cargo --version | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p')
if [ "$(printf '%s\n%s\n' "$needed" "$found" | sort -V | head -n 1)" != "$needed" ]; then
    if has rustup; then
        fail "cargo $found found; boldly needs $needed or newer; update it with" "rustup update stable"
    fi
    fail "cargo $found found; boldly needs $needed or newer (distributions often ship older ones); install it with" \
        "$install_rust"
fi

# --- a C compiler, which cargo links with ---------------------------------------------------------------------------
compiler=${CC:-cc}

# --- OpenBLAS, searched as build.rs does ----------------------------------------------------------------------------
folder_has_openblas() {
    local name
    for name in libopenblasp.so libopenblas.so libopenblasp.dylib libopenblas.dylib; do
        [ -e "$1/$name" ] && return 0
    done
    return 1
}

has_openblas() {
    local name path
    if [ -n "${OPENBLAS_DIR:-}" ]; then
        folder_has_openblas "$OPENBLAS_DIR/lib" || folder_has_openblas "$OPENBLAS_DIR/lib64" ||
            folder_has_openblas "$OPENBLAS_DIR"
        return
    fi
    if has pkg-config && pkg-config --exists openblas; then return 0; fi
    if has "$compiler"; then
        for name in libopenblasp.so libopenblas.so libopenblasp.dylib libopenblas.dylib; do
            path=$("$compiler" "-print-file-name=$name" 2>/dev/null || true)
            case "$path" in /*) return 0 ;; esac
        done
    fi
    if has brew && path=$(brew --prefix openblas 2>/dev/null) && folder_has_openblas "$path/lib"; then return 0; fi
    if [ -n "${CONDA_PREFIX:-}" ] && folder_has_openblas "$CONDA_PREFIX/lib"; then return 0; fi
    return 1
}

# Sets `install` to the command for this machine; empty where none is known.
as_root=""
if [ "$(id -u)" -ne 0 ]; then as_root="sudo "; fi
if [ -n "${CONDA_PREFIX:-}" ] && has conda && [ -n "$as_root" ] && ! has sudo; then
    # no way to become root, but an environment of one's own
    install="conda install -y -c conda-forge"
    compiler_package="c-compiler"
    openblas_package="openblas"
elif has apt-get; then
    install="${as_root}apt-get install -y --no-install-recommends"
    compiler_package="gcc libc6-dev"
    openblas_package="libopenblas-dev"
elif has dnf; then
    install="${as_root}dnf install -y"
    compiler_package="gcc"
    openblas_package="openblas-devel"
elif has brew; then
    install="brew install"
    compiler_package=""
    openblas_package="openblas"
elif has conda && [ -n "${CONDA_PREFIX:-}" ]; then
    install="conda install -y -c conda-forge"
    compiler_package="c-compiler"
    openblas_package="openblas"
else
    install=""
    compiler_package=""
    openblas_package=""
fi

missing=""
has "$compiler" || missing="a C compiler"
has_openblas || missing="${missing:+$missing and }OpenBLAS"
if [ -z "$missing" ]; then
    echo "setup: cargo $found and OpenBLAS are there"
    exit 0
fi

if [ -n "${OPENBLAS_DIR:-}" ] && ! has_openblas; then
    fail "OPENBLAS_DIR is $OPENBLAS_DIR, but neither it nor its lib folder holds libopenblas; correct or unset it"
fi
packages=""
has "$compiler" || packages="$compiler_package"
has_openblas || packages="${packages:+$packages }$openblas_package"
if [ -z "$install" ] || [ -z "$packages" ]; then
    fail "$missing not found; install OpenBLAS and a C compiler, or set OPENBLAS_DIR and CC"
fi
if [ "${BOLDLY_NO_INSTALL:-0}" = 1 ]; then
    fail "$missing not found (BOLDLY_NO_INSTALL=1, so nothing was installed); install with" "$install $packages"
fi
if [ -n "$as_root" ] && [ "${install#sudo }" != "$install" ] && ! has sudo; then
    fail "$missing not found, and installing needs root; as root, run" "${install#sudo } $packages"
fi
echo "setup: installing $missing: $install $packages"
if [ "${install#*apt-get}" != "$install" ]; then
    # a fresh machine has no package lists yet
    ${as_root}apt-get update -qq
fi
# shellcheck disable=SC2086 # words of a command
DEBIAN_FRONTEND=noninteractive $install $packages
has "$compiler" || fail "the C compiler \`$compiler\` is still not found"
has_openblas || fail "OpenBLAS is still not found; set OPENBLAS_DIR to the folder it was installed to"
echo "setup: cargo $found and OpenBLAS are there"
