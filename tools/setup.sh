#!/bin/sh
# Make .venv from a Python 3.12 to 3.14 and the hashed requirements.lock. Safe to run again: does nothing when current.
set -eu
cd "$(dirname "$0")/.."

ready=.venv/.ready
if [ -f "$ready" ] && cmp -s requirements.lock "$ready"; then
    exit 0
fi

# A candidate counts only if it runs, is of a right version, and can make an environment: a pyenv shim may not run.
usable() {
    "$1" -c 'import sys, ssl, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

candidates() {
    for version in 3.13 3.12 3.14; do
        command -v "python$version" 2>/dev/null || true
        ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/$version*/bin/python$version 2>/dev/null || true
        if command -v uv >/dev/null 2>&1; then uv python find --no-python-downloads "$version" 2>/dev/null || true; fi
    done
    command -v python3 2>/dev/null || true
    command -v python 2>/dev/null || true
}

python=""
if [ -n "${PYTHON:-}" ]; then
    if ! usable "$PYTHON"; then
        echo "PYTHON=$PYTHON does not run, or is not a Python 3.12 to 3.14 with venv" >&2
        exit 2
    fi
    python=$PYTHON
else
    for candidate in $(candidates); do
        if usable "$candidate"; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ]; then
    echo "No Python 3.12, 3.13 or 3.14 found on PATH, among pyenv's versions, or by uv." >&2
    echo "Install one (3.13 is preferred), for example with 'uv python install 3.13', 'pyenv install 3.13'" >&2
    echo "or your system's packages (python3.13 python3.13-venv), or name one: make PYTHON=/path/to/python3.13" >&2
    exit 2
fi

# an activated environment, our own above all, is about to be replaced: the interpreter under it is meant
python=$("$python" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)')

echo "setting up .venv with $("$python" --version) ($python)"
rm -rf .venv
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
    --require-hashes -r requirements.lock
cp requirements.lock "$ready"
