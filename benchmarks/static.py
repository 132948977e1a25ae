"""The gate and its peers over the same artefacts, and how long each takes: docs/benchmarks/static.md.

    python benchmarks/static.py detect --out lines.jsonl [--peers FOLDER] [--only hayward,picklescan] [--groups template]
    python benchmarks/static.py speed --out lines.jsonl [--peers FOLDER] [--gib 2]
    python benchmarks/static.py table lines.jsonl [--into docs/benchmarks/static.md]

All of it, from nothing to the page, in one go:

    python benchmarks/static.py all --out lines.jsonl --peers FOLDER --into docs/benchmarks/static.md

On two quiet cores that takes about three hours, most of them the peers' (modelaudit alone some twenty minutes); the gate alone
(`detect --only sekisho`) about ten minutes, `speed` about five besides making the file. With every group: templates, template
injection and tokenizers are among them.

Every artefact is built in code (benchmarks/corpora). Every peer gets an environment of its own under a temporary folder,
or under `--peers`, which is kept and used again; it runs offline, with telemetry switched off, its start-up paid once (see
peer_host.py). Lines that are already there are not run again, so an interrupted run goes on. Linux, as root: `unshare -n`.
"""

# ruff: noqa: E402 - where the corpora lie is said before they are imported

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

import corpora
import static_page
import static_speed
from corpora.base import Case
from peers import PEERS, Outcome, Peer, document

LIMIT_S: Final = 120
"""Seconds for one case; what takes longer is an error of the tool."""
QUIET: Final = {
    "AISBOM_OFFLINE": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1",
    "PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_NUM_THREADS": "1",
}  # fmt: skip
LACKING: Final = ("template-missing",)
GATE: Final = "sekisho"
GATE_BASED: Final = "sekisho with base"


class Host:
    """A tool's own interpreter with its start-up done, asked case after case."""

    def __init__(self, command: list[str], home: Path) -> None:
        isolated = ["unshare", "-n"] if shutil.which("unshare") and os.geteuid() == 0 else []
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", **QUIET}
        if "PYTHONPATH" in os.environ:
            environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
        self.process = subprocess.Popen(
            [*isolated, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment, cwd=home,
        )  # fmt: skip
        self.start_up_s = float(self._read()["ready"])

    def ask(self, argv: list[str]) -> dict[str, Any]:
        """Run the tool's command once."""
        assert self.process.stdin
        print(json.dumps({"argv": argv, "limit": LIMIT_S}), file=self.process.stdin, flush=True)
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a peer's process ended; see its environment")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the tool's process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    options = arguments()
    if options.verb == "table":
        static_page.write(options.lines, options.into)
        return
    with tempfile.TemporaryDirectory(prefix="static-bench-") as made:
        folder = Path(made)
        environments = options.peers or folder / "peers"
        if options.verb in ("detect", "all"):
            detect(options, environments, folder)
        if options.verb in ("speed", "all"):
            static_speed.run(options.out, environments, folder, options.gib)
    if options.verb == "all":
        static_page.write(options.out, options.into)


def detect(options: argparse.Namespace, environments: Path, folder: Path) -> None:
    """Build every case, ask every tool, write a line for each."""
    cases = [c for c in corpora.every() if not options.groups or c.group in options.groups.split(",")]
    wanted = [p for p in PEERS if not options.only or p.name in options.only.split(",")]
    built = {c.id: build(c, folder / "cases") for c in cases}
    if not options.only or GATE in options.only.split(","):
        run_gate(cases, built, options.out, folder)
    for peer in wanted:
        python = install(peer, environments)
        if python is None:
            line(options.out, {"tool": peer.name, "case": "", "installed": False})
            continue
        with hosted(peer, python, folder) as host:
            run_peer(peer, host, cases, built, out=options.out, folder=folder)


def build(case: Case, folder: Path) -> tuple[Path, Path | None]:
    """Build a case and its base."""
    target, trusted = folder / case.id / "model", folder / case.id / "base"
    target.mkdir(parents=True)
    made = case.build(target)
    if case.base is None:
        return made, None
    trusted.mkdir()
    return made, case.base(trusted)


def run_gate(cases: list[Case], built: dict[str, tuple[Path, Path | None]], out: Path, folder: Path) -> None:
    """Our own gate, through its command, once without a base and once with the one a case has."""
    done = seen(out)
    home = Path(tempfile.mkdtemp(dir=folder))
    warm = json.dumps(["inspect", "--base", "none", str(built[cases[0].id][0])])
    host = Host([sys.executable, str(HERE / "peer_host.py"), "sekisho", warm], home)
    for case in cases:
        path, base = built[case.id]
        for tool, given in ((GATE, None), (GATE_BASED, base)):
            if (tool, case.id) in done or (tool == GATE_BASED and base is None):
                continue
            answer = host.ask(["inspect", "--format", "json", "--base", str(given or "none"), str(path)])
            record(out, tool, case, gate_outcome(answer), [answer], start_up=host.start_up_s)
    host.close()


def gate_outcome(answer: dict[str, Any]) -> Outcome:
    """A failed check is a finding; a verdict other than admit without one is a file that could not be judged.

    That a folder lacks a template is none: an adapter alone lacks it, benign or not.
    """
    body = document(answer["out"])
    if answer["rc"] not in (0, 1, 3) or body is None:
        return "error"
    failed = [f for f in body["findings"] if f["outcome"] == "fail" and f["reason"] not in LACKING]
    return "found" if failed and answer["rc"] else "error" if answer["rc"] else "quiet"


def run_peer(
    peer: Peer, host: Host, cases: list[Case], built: dict[str, tuple[Path, Path | None]], *, out: Path, folder: Path
) -> None:  # fmt: skip
    """Ask one peer about every case that it has not been asked about."""
    done = seen(out)
    for case in cases:
        if (peer.name, case.id) in done:
            continue
        scratch = Path(tempfile.mkdtemp(dir=folder))
        answers = [host.ask(argv) for argv in peer.arguments(built[case.id][0], scratch)]
        for written in scratch.glob("*.json"):
            answers[-1]["out"] += written.read_text(errors="replace")
        outcomes = [peer.judge(a["rc"], a["out"]) for a in answers]
        worst = next((o for o in ("found", "error") if o in outcomes), "quiet")
        record(out, peer.name, case, worst, answers, start_up=host.start_up_s)
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def hosted(peer: Peer, python: Path, folder: Path) -> Iterator[Host]:
    """A peer with its start-up done on a clean model."""
    home = Path(tempfile.mkdtemp(dir=folder))
    clean = next(c for c in corpora.every() if not c.hostile)
    made = clean.build(Path(tempfile.mkdtemp(dir=home)))
    warm = next(peer.arguments(made, home), ["--help"])
    host = Host([str(python), str(HERE / "peer_host.py"), peer.script, json.dumps(warm)], home)
    try:
        yield host
    finally:
        host.close()


def install(peer: Peer, environments: Path) -> Path | None:
    """An environment with the newest release of a peer; None where it cannot be installed."""
    folder = environments / peer.package
    python = folder / "bin" / "python"
    if not (folder / "bin" / peer.script).exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        quiet = ["--quiet", "--no-compile", "--disable-pip-version-check"]
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", *quiet, peer.package]
        if subprocess.run(pip, check=False).returncode:
            return None
    return python


def record(
    out: Path, tool: str, case: Case, outcome: Outcome, answers: list[dict[str, Any]], *, start_up: float
) -> None:
    """Write one result."""
    line(
        out,
        {
            "tool": tool, "case": case.id, "group": case.group, "hostile": case.hostile, "outcome": outcome,
            "wall": sum(a["wall"] for a in answers), "cpu": sum(a["cpu"] for a in answers), "start_up": start_up,
            "rc": [a["rc"] for a in answers],
        },
    )  # fmt: skip


def line(out: Path, body: dict[str, Any]) -> None:
    with out.open("a") as file:
        print(json.dumps(body), file=file)


def seen(out: Path) -> set[tuple[str, str]]:
    """(tool, case) that need not be run again."""
    lines = out.read_text().splitlines() if out.exists() else []
    return {(b["tool"], b["case"]) for b in map(json.loads, lines) if "case" in b}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("detect", "speed", "all"):
        verb = verbs.add_parser(name)
        verb.add_argument("--out", type=Path, required=True)
        verb.add_argument("--peers", type=Path, help="environments of the peers, kept")
        if name != "speed":
            verb.add_argument("--only", default="", help="tools, by comma")
            verb.add_argument("--groups", default="", help="groups, by comma")
        if name != "detect":
            verb.add_argument("--gib", type=float, default=2.0, help="size of the large file")
        if name == "all":
            verb.add_argument("--into", type=Path, help="page whose tables are written anew")
    table = verbs.add_parser("table")
    table.add_argument("lines", type=Path)
    table.add_argument("--into", type=Path, help="page whose tables are written anew")
    return parser.parse_args()


if __name__ == "__main__":
    print(f"sekisho {version('sekisho')}", file=sys.stderr)
    main()
