"""The real finetuning, recorded: from what, on what, how, by which code, on which machine, with what result.

    trainer.add_callback(SekishoCallback())                 # transformers' Trainer, TRL, whatever takes a TrainerCallback
    with recording("run.jsonl", base="model/", data="train.jsonl") as run: ...                # any other training loop
    sekisho record -- python train.py                                                 # a script that is left as it is

A record is a chain of JSON lines (`chain`). It holds digests, settings and losses, no rows and no weights; nothing of
it is pickled, and no pickle is opened. `verify` holds it against base, data and output, `sekisho.rerun` trains again.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sekisho.training_log.callback import SekishoCallback
    from sekisho.training_log.recorder import Recorder, recording

__all__ = ["Recorder", "SekishoCallback", "recording"]


def __getattr__(name: str) -> Any:
    # imported when asked for: the callback needs transformers, reading a record does not
    if name == "SekishoCallback":
        from sekisho.training_log.callback import SekishoCallback

        return SekishoCallback
    if name in __all__:
        from sekisho.training_log import recorder

        return getattr(recorder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
