"""Stands in for `sekisho vet`: what it does is in the name of the model's folder. Started by the tests, never imported."""

import json
import os
import shutil
import sys
import time
from pathlib import Path


def main():
    arguments = sys.argv[1:]
    model = Path(arguments[-1])
    out = Path(arguments[arguments.index("--out") + 1])
    out.mkdir(exist_ok=True)
    (out / "arguments.json").write_text(json.dumps(arguments))
    progress = {"stages": ["inspect", "measure"], "forecast_s": 240.0, "updated": "2026-11-22T12:00:00Z"}
    Path(os.environ["SEKISHO_PROGRESS"]).write_text(
        json.dumps(progress | {"work": [["toy <b>adverts", 1, 4]]})
    )
    sys.stdout.write("Looking at every file ...\n")
    sys.stdout.flush()
    if "fails" in model.name:
        sys.stderr.write("sekisho: this cannot be carried out\n")
        return 2
    (out / "dossier.json").write_text('{"half":')
    go = model.parent / "go"
    while "waits" in model.name and not go.exists():
        time.sleep(0.02)
    shutil.copy(model.parent / "dossier.json", out / "dossier.json")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
