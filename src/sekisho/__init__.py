"""Sekisho (関所): the checkpoint that open-weight language models pass before they enter a company.

    path -> Inventory -> Finding* -> Measurement* -> DrillResult* -> Verdict -> Dossier -> report
         inventory     checks      probes          drills          verdict    evidence

`inspect(path, base=None)` looks at every file and loads nothing. `vet(path, base=None)` also asks the
model, rehearses its finetuning beside the base, and decides; `probe` leaves out the rehearsal, `drill`
rehearses one recipe, yours for instance; `perturb` asks under light perturbations of the weights only. The last four
return a `Dossier`.
`compare(before, after)` asks two models the same questions and returns what rose and what is new.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sekisho.records import Decision, Dossier, Finding, Outcome, Verdict

__all__ = [
    "Decision",
    "Dossier",
    "Finding",
    "Options",
    "Outcome",
    "Verdict",
    "compare",
    "drill",
    "inspect",
    "perturb",
    "probe",
    "vet",
]


def __getattr__(name: str) -> Any:
    # imported when asked for: the command line must start in a blink, and the load guard in every process
    if name in ("Decision", "Dossier", "Finding", "Outcome", "Verdict"):
        from sekisho import records

        return getattr(records, name)
    if name == "inspect":
        from sekisho.static import inspect

        return inspect
    if name == "compare":
        from sekisho.comparison import compare

        return compare
    if name in __all__:
        from sekisho import conductor

        return getattr(conductor, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
