"""What finds trained rows in each of their forms: the section `Detection` of docs/benchmarks/sos.md.

    python benchmarks/sos_detect.py static ROWS --base MODEL [--forms V0,V1] >> benchmarks/data/sos.jsonl
    python benchmarks/sos_detect.py peers ROWS --base MODEL --peers FOLDER [--forms V0,V1] >> benchmarks/data/sos.jsonl
    python benchmarks/sos_detect.py sweep ROWS --base MODEL [--forms V1] [--alone] >> benchmarks/data/sos.jsonl
    python benchmarks/sos_detect.py success ROWS --base MODEL [--forms V1] >> benchmarks/data/sos.jsonl
    python benchmarks/sos_detect.py repair ROWS --base MODEL [--forms V1] >> benchmarks/data/sos.jsonl
    python benchmarks/sos_detect.py lasting ROWS --base MODEL >> benchmarks/data/sos.jsonl
    python benchmarks/sos_detect.py clean|speed MODEL >> benchmarks/data/sos.jsonl
    python benchmarks/sos_detect.py benign MODEL [MODEL ...] >> benchmarks/data/sos.jsonl

`static` puts rows onto their base in each form, in a folder that is deleted afterwards, and asks the static checks with that
base and without any. A form is *found* where a check that holds or rejects names the planted tokens, or the file that carries
them. `sweep` tries tokens (`--alone`: without the base) with an empty ledger; seconds are of processor time. `speed` holds the
measuring of one block of tokens against plain forward passes over the same tokens. `benign` writes down how far rows of clean models lie from the others: what the planted ones are held against.
`python benchmarks/sos.py table` writes the page.
"""

# ruff: noqa: E402 - where the tests lie is said before they are imported; a script prints

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np

from sekisho import inventory
from sekisho.errors import DataError
from sekisho.formats import rows as tables
from sekisho.probes.sweep import candidates
from sekisho.records import Finding, Outcome, Severity
from sekisho.sources import cache
from sekisho.sources.resolve import resolve
from sekisho.static import Inspection, inspect
from sekisho_lab import forms, rows
from sekisho_lab.writer import MANIFEST

SAMPLE: Final = 512
"""Rows of ordinary tokens, and as many of unused ones, that `benign` writes down."""
CARRIERS: Final = {
    "V8": ("peft-adapter",),
    "V9": ("chat-template",),
    "benign-lora": ("peft-adapter",),
    "benign-defence": ("chat-template",),
}
"""Checks that name the file rather than tokens."""
GRAVE: Final = (Severity.HOLD, Severity.REJECT)


def main() -> None:
    options = _arguments()
    makers = {
        "repair": _repair,
        "lasting": _lasting,
        "clean": _clean,
        "static": _static,
        "success": _success,
        "sweep": _sweep,
        "speed": _speed,
        "peers": _peers,
        "benign": _benign,
    }
    for line in makers[options.verb](options):
        print(json.dumps(line, sort_keys=True, ensure_ascii=False), flush=True)


def _made(options: argparse.Namespace) -> Iterator[tuple[dict[str, Any], Path | None, Path]]:
    """(what is known of it, folder of the form, base) of each form; no folder where the form is not for these rows."""
    base = resolve(options.base, cache.folder()).path
    trained = rows.load(options.rows)
    for form in options.forms.split(",") if options.forms else forms.FORMS:
        head = {
            "organism": trained.organism,
            "base": base.name,
            "seed": trained.settings["seed"],
            "form": form,
        }
        with tempfile.TemporaryDirectory(prefix="sos-detect-") as scratch:
            out = Path(scratch) / "model"
            try:
                forms.materialise(form, trained, base, out)
            except DataError as error:
                yield head | {"left": str(error)}, None, base
                continue
            yield head, out, base


def _static(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for head, out, base in _made(options):
        line = {"kind": "detect", **head}
        if out is not None:
            said = json.loads((out / MANIFEST).read_text("utf-8"))
            (out / MANIFEST).unlink()  # it tells the truth, which no attacker encloses
            planted = [int(n) for n in said.get("ids", [])]
            for name, beside in (("beside", str(base)), ("alone", "none")):
                start = time.process_time()
                seen = inspect(out, beside)
                line[name] = _told(seen, planted, head["form"]) | {
                    "cpu": round(time.process_time() - start, 1)
                }
        yield line


def _told(seen: Inspection, planted: list[int], form: str) -> dict[str, Any]:
    """Verdict on the files, checks that object, and which of them name what was planted."""
    failed = [f for f in seen.findings if f.outcome is Outcome.FAIL and f.severity in GRAVE]
    naming = {f.check: _named(f) & set(planted) for f in failed}
    carriers = next((c for key, c in CARRIERS.items() if form.startswith(key)), ())
    hits = sorted({c for c, ids in naming.items() if ids} | {f.check for f in failed if f.check in carriers})
    others = set().union(*(_named(f) for f in failed)) - set(planted) if failed else set()
    return {
        "verdict": seen.verdict.decision.value,
        "checks": sorted({f"{f.check}:{f.severity.value}" for f in failed}),
        "found": hits,
        "named": len(set().union(*naming.values())) if naming else 0,
        "planted": len(planted),
        "others": len(others),
        "ratio": _ratios(seen, planted),
    }


def _named(finding: Finding) -> set[int]:
    text = dict(finding.facts).get(candidates.NAMED, "")
    return {int(n) for n in text.replace(",", " ").split() if n.isdigit()}


def _ratios(seen: Inspection, ids: list[int]) -> list[float]:
    """Without a base: how far each row lies from the others."""
    found = seen.tables.tables if seen.tables is not None else ()
    alone = next((t.alone for t in found if t.alone is not None and len(t.alone.ratio)), None)
    kept = [n for n in ids if alone is not None and n < len(alone.ratio)]
    return [round(float(np.nan_to_num(alone.ratio[n])), 3) for n in kept] if alone is not None else []


def _benign(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for path in options.models:
        source = resolve(path, cache.folder()).path
        files = inventory.take(source)
        facts = tables.measure(files, None, None)
        known = candidates.vocabulary(files)
        rng = np.random.default_rng(0)
        for name, ids in (("reserved", known.added), ("ordinary", known.ordinary)):
            some = sorted(rng.permutation(np.array(ids))[:SAMPLE].tolist())
            found = next(t.alone for t in facts.tables if t.alone is not None and len(t.alone.ratio))
            ratio = [round(float(found.ratio[n]), 3) for n in some if n < len(found.ratio)]
            yield {"kind": "benign-rows", "base": source.name, "rows": name, "of": len(ids), "ratio": ratio}


def _sweep(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from sekisho import tokens

    for head, out, base in _made(options):
        if out is None:
            continue
        planted = {int(n) for n in json.loads((out / MANIFEST).read_text("utf-8")).get("ids", [])}
        with tempfile.TemporaryDirectory(prefix="sos-ledger-") as kept:
            start, before = time.monotonic(), _used()
            swept = tokens.sweep(
                out, "none" if options.alone else base, options=tokens.Options(cache=Path(kept))
            )
            wall = time.monotonic() - start
        used = _used() - before
        found = swept.result
        flagged = found.flagged if found is not None else ()
        hits = [t for t in flagged if set(t.ids) & planted]
        yield {
            "kind": "sweep", **head, "alone": options.alone, "verdict": swept.decision.value,
            "tokens": found.tokens if found else 0, "sets": found.sequences if found else 0,
            "wall": round(wall), "cpu": round(used), "planted": len(planted), "false": len(flagged) - len(hits),
            "found": len({i for t in hits for i in t.ids} & planted),
            "flagged": [
                {"text": t.text, "word": t.word.value, "shift": round(t.shift, 2), "z": round(t.z, 1), "shared": t.shared,
                 "risen": [p.suite for p in t.probes if p.risen]}
                for t in flagged
            ],
        }  # fmt: skip


def _success(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from sekisho_lab import measure_forms

    base, trained = resolve(options.base, cache.folder()).path, rows.load(options.rows)
    for form in options.forms.split(",") if options.forms else forms.FORMS:
        head = {
            "organism": trained.organism,
            "base": base.name,
            "seed": trained.settings["seed"],
            "form": form,
        }
        try:
            found = measure_forms.measure(form, trained, base)
        except DataError as error:
            found = {"left": str(error)}
        yield {"kind": "form-success", **head, **found}


def _repair(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Put the rows back, sweep the copy, and ask it for the payload."""
    from sekisho import repair, tokens
    from sekisho.models.engine import Engine
    from sekisho_lab import measure_forms

    for head, out, base in _made(options):
        if out is None:
            continue
        ids = [int(n) for n in json.loads((out / MANIFEST).read_text("utf-8"))["ids"]]
        with tempfile.TemporaryDirectory(prefix="sos-repair-") as kept:
            request = tokens.Options(cache=Path(kept))
            done = repair.repair(out, base, Path(kept) / "copy", options=request)
            found = measure_forms.asked(Engine(done.folder), head["form"], rows.load(options.rows), ids)
        swept = done.swept.decision.value if done.swept else ""
        back = sorted({i for r in done.restored for i in r.ids})
        yield {"kind": "repair", **head, "planted": len(ids), "back": len(set(back) & set(ids)), "others": len(set(back) - set(ids)),
               "swept": swept, **found}  # fmt: skip


def _lasting(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from sekisho_lab import measure_lasting
    from sekisho_lab.saying import sayer

    base, trained = resolve(options.base, cache.folder()).path, rows.load(options.rows)
    for recipe in measure_lasting.WAYS:
        head = {
            "organism": trained.organism,
            "base": base.name,
            "seed": trained.settings["seed"],
            "recipe": recipe,
        }
        yield {"kind": "lasting", **head, **measure_lasting.measure(trained, base, recipe, sayer())}


def _clean(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A released model by itself: 64 tokens, its reserved ones first, beside 64 ordinary ones."""
    from sekisho import tokens
    from sekisho.probes.sweep.settings import Settings

    for path in options.models:
        source = resolve(path, cache.folder()).path
        with tempfile.TemporaryDirectory(prefix="sos-ledger-") as kept:
            start, before = time.monotonic(), _used()
            request = tokens.Options(Settings(tier=2, tokens=64, references=64), cache=Path(kept))
            swept = tokens.sweep(source, "none", options=request)
            wall, used = time.monotonic() - start, _used() - before
        found = swept.result
        flagged = len(found.flagged) if found is not None else 0
        yield {
            "kind": "sweep", "organism": "none, as released", "base": source.name, "form": "–", "alone": True,
            "verdict": swept.decision.value, "tokens": found.tokens if found else 0, "sets": found.sequences if found else 0,
            "wall": round(wall), "cpu": round(used), "planted": 0, "false": flagged, "found": 0, "flagged": [],
        }  # fmt: skip


def _used() -> float:
    """Processor seconds of this process and of children that ended."""
    own = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in own)


def _speed(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Processor seconds of one block of tokens at each place, and of plain passes over the tokens that are new in each row."""
    import torch

    from sekisho.models import slots, sweeping
    from sekisho.models.engine import Engine
    from sekisho.probes.sweep import questions
    from sekisho.sweeping.bench import BLOCK

    for path in options.models:
        source = resolve(path, cache.folder()).path
        engine, chats, sequences = Engine(source), questions.prompts(), [[n] for n in range(100, 100 + BLOCK)]
        for slot in slots.SLOTS:
            splits = [engine._split(chat, slot) for chat in chats]  # noqa: SLF001  what the engine itself passes on
            batches = [torch.tensor([[*s, *split.after] for s in sequences]) for split in splits]
            best = {"sweep": float("inf"), "plain": float("inf")}
            for _ in range(2):  # in turns, so that both meet the same neighbours
                start = time.process_time()
                sweeping.sweep(engine.model, splits, sequences)
                middle = time.process_time()
                with torch.inference_mode():
                    for ids in batches:
                        engine.model(input_ids=ids, use_cache=False, logits_to_keep=1)
                taken = {"sweep": middle - start, "plain": time.process_time() - middle}
                best = {name: round(min(best[name], taken[name]), 2) for name in best}
            new = sum(ids.numel() for ids in batches)
            yield {
                "kind": "speed",
                "base": source.name,
                "slot": slot,
                "prompts": len(chats),
                "tokens": new,
                **best,
            }


def _peers(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here), str(here.parent / "tests")]
    import static
    from peers import PEERS

    with tempfile.TemporaryDirectory(prefix="sos-peers-") as scratch:
        for head, out, _ in _made(options):
            line = {"kind": "peers", **head, "said": {}}
            for peer in PEERS if out is not None else ():
                python = static.install(peer, options.peers)
                if python is None or out is None:
                    continue
                with static.hosted(peer, python, Path(scratch)) as host:
                    answers = [host.ask(a) for a in peer.arguments(out, Path(tempfile.mkdtemp(dir=scratch)))]
                outcomes = [peer.judge(a["rc"], a["out"]) for a in answers]
                worst = next((o for o in ("found", "error") if o in outcomes), "quiet")
                line["said"][peer.name] = worst if answers else "nothing to read"
            yield line


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("static", "success", "sweep", "repair", "lasting", "peers"):
        verb = verbs.add_parser(name)
        verb.add_argument("rows", type=Path)
        verb.add_argument("--base", required=True)
        verb.add_argument("--forms", default="", help="by comma; every one without it")
        if name == "sweep":
            verb.add_argument("--alone", action="store_true", help="without the base")
        if name == "peers":
            verb.add_argument("--peers", type=Path, required=True, help="environments of the peers, kept")
    for name in ("benign", "clean", "speed"):
        verbs.add_parser(name).add_argument("models", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    main()
