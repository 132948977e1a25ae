"""Coverage-guided fuzzing of every reader: `make fuzz`, or one reader for a while.

    python tests/fuzz/run.py [--seconds 600] [--corpus .fuzz] [TARGET ...]

Each target runs in a process of its own under a bound on memory and on the time for one input. What it finds is left in
the corpus folder as `crash-*`, `timeout-*` or `oom-*`; it becomes a named test before it is mended. Linux only (atheris).
"""

# ruff: noqa: T201 - a script prints

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

MEMORY_MB: Final = 2_048
INPUT_S: Final = 20
INPUT_BYTES: Final = 65_536
PARSERS: Final = [
    "sekisho.formats",
    "sekisho.evidence",
    "sekisho.provenance",
    "sekisho.load_guard",
    "sekisho.training_log",
]


def one(name: str, arguments: list[str]) -> None:
    """Fuzz one target in this process; does not return."""
    import atheris

    with atheris.instrument_imports(include=PARSERS):
        from fuzz import documents
        from fuzz.targets import targets
    atheris.Setup([sys.argv[0], *arguments], (targets() | documents.targets())[name])
    atheris.Fuzz()


def every(options: argparse.Namespace) -> int:
    """Fuzz each target in turn; returns how many found something."""
    from fuzz import documents
    from fuzz.targets import seeds, targets

    found, kept = 0, seeds() | documents.seeds()
    for name in options.targets or sorted(targets() | documents.targets()):
        folder = options.corpus / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed, data in kept.items():
            (folder / f"seed-{seed}").write_bytes(data)
        bounds = [f"-max_total_time={options.seconds}", f"-rss_limit_mb={MEMORY_MB}", f"-timeout={INPUT_S}"]
        where = [f"-max_len={INPUT_BYTES}", f"-artifact_prefix={folder.parent}/{name}-", str(folder)]
        command = [sys.executable, __file__, "--one", name, "--", *bounds, *where]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        last = [x for x in done.stderr.splitlines() if "exec/s" in x or "Done" in x][-1:]
        print(f"{name}: {'FOUND' if done.returncode else 'nothing'} {last[0] if last else ''}", flush=True)
        if done.returncode:
            found += 1
            print("\n".join(done.stderr.splitlines()[-25:]))
    return found


def main() -> int:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="of each target")
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    if options.one:
        one(options.one, options.targets)
    return min(every(options), 1)


if __name__ == "__main__":
    sys.exit(main())
