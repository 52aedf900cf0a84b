"""Shows that each wrong reading makes the parity test fail.

    python mutations.py                builds a scratch copy with every wrong reading behind a switch, runs the parity test once for each,
                                       and prints the table of README.md
    python mutations.py --only NAME    one of them
    python mutations.py --list         checks only that every reading still finds its place in the source

The copy with no reading chosen must pass.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from wrong_readings import WRONG_READINGS, WrongReading

ROOT = Path(__file__).resolve().parents[2]
SWITCH = "R3MES_WRONG_READING"
ASKED = f"""
/// Whether the wrong reading `name` was chosen.
pub fn wrong(name: &str) -> bool {{
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("{SWITCH}").ok()).as_deref() == Some(name)
}}
"""


def copy_of_sources(folder: Path) -> None:
    """Everything git knows or would add, so that uncommitted work is judged as it is."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


def switched(source: str, reading: WrongReading) -> str:
    """`source` with the reading behind its switch."""
    crate = "crate" if "/kernels/" in reading.file else "r3mes_kernels"
    for right, wrong in reading.edits:
        if (found := source.count(right)) != 1:
            raise SystemExit(f"{reading.name}: `{right}` occurs {found} times in {reading.file}, expected once")
        source = source.replace(right, wrong.replace("WRONG", f'{crate}::wrong("{reading.name}")'))
    return source


def switch_all(folder: Path) -> None:
    sources = {reading.file: (ROOT / reading.file).read_text(encoding="utf-8") for reading in WRONG_READINGS}
    for reading in WRONG_READINGS:
        sources[reading.file] = switched(sources[reading.file], reading)
    for file, source in sources.items():
        (folder / file).write_text(source, encoding="utf-8")
    with (folder / "src-tauri/crates/kernels/src/lib.rs").open("a", encoding="utf-8") as kernels:
        kernels.write(ASKED)


def build(folder: Path) -> str:
    """The test's path."""
    command = ["cargo", "test", "-p", "r3mes-model", "--test", "parity", "--no-run", "--message-format", "json"]
    run = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    messages = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return next(message["executable"] for message in messages if message.get("executable"))


def failing_tests(test: str, reading: str | None) -> list[str]:
    environment = {**os.environ, "RUST_BACKTRACE": "0"}
    environment.pop(SWITCH, None)
    if reading:
        environment[SWITCH] = reading
    run = subprocess.run([test, "--skip", "has_the_same_bits"], env=environment, capture_output=True, text=True)
    return sorted(set(re.findall(r"^test (\S+) \.\.\. FAILED$", run.stdout, re.MULTILINE))) or (["(aborts)"] if run.returncode else [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--scratch", type=Path, help="kept between runs, so that builds are incremental")
    arguments = parser.parse_args()
    scratch = arguments.scratch or Path(tempfile.mkdtemp(prefix="mutations-"))
    copy_of_sources(scratch)
    switch_all(scratch)
    if arguments.list:
        print(f"{len(WRONG_READINGS)} wrong readings find their place")
        return 0
    test = build(scratch)
    if unharmed := failing_tests(test, None):
        print(f"the right reading does not pass: {unharmed}")
        return 1
    survived = 0
    print("| wrong reading | tests that fail | for example |\n|---|---|---|", flush=True)
    for reading in (reading for reading in WRONG_READINGS if arguments.only in (None, reading.name)):
        failing = failing_tests(test, reading.name)
        survived += not failing
        print(f"| {reading.name} | {len(failing)} | {f'`{failing[0]}`' if failing else '**survives**'} |", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
