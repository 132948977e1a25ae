"""Asks picklescan, in strict mode, about the files named on standard input: `python -I pickles.py FOLDER`. Run as a file."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

CALM = "innocuous"


def main() -> None:
    """Print one JSON object: what picklescan objects to in each file, and the files it stumbled over."""
    logging.disable()
    root = Path(sys.argv[1])
    files = {name: look(root / name) for name in json.load(sys.stdin)}
    print(json.dumps({"files": files}))  # noqa: T201  the answer of a child process


def look(path: Path) -> dict[str, Any]:
    """Scan one file, whatever it is called; one that breaks the scanner does not end the others.

    Names come with picklescan's own level; that "suspicious" counts as an alarm is what its strict mode means.
    """
    from picklescan.scanner import scan_bytes

    try:
        with path.open("rb") as file:
            seen = scan_bytes(file, path.name, path.suffix, strict=False)
    except Exception as error:  # noqa: BLE001  a stage boundary: it raises whatever its own libraries do
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    issues = {f"{g.module}.{g.name}": g.safety.value for g in seen.globals if g.safety.value != CALM}
    stumbled = bool(seen.scan_err) or not seen.scanned_files
    return {
        "issues": dict(sorted(issues.items())),
        "error": "could not be read to its end" if stumbled else "",
    }


if __name__ == "__main__":
    main()
