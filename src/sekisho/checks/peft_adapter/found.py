"""The sentences about adapters, in English; the other languages stand in the locale."""

from typing import Final

from sekisho.checks.base import objection
from sekisho.formats.text import shown
from sekisho.records import Finding, Outcome, Severity

ID: Final = "peft-adapter"
SHOWN: Final = 8
"""Findings of one kind per adapter, and names in one sentence."""

SENTENCES: Final = {
    "pickled": "{file} holds the weights of an adapter ({type}) as a pickle, which runs code when it is loaded.",
    "no-weights": "{where}: the settings of an adapter ({type}) without its weights.",
    "not-read": "{where}: the weights of an adapter ({type}) could not be read: {problem}.",
    "settings-not-read": "{where}: the settings of an adapter could not be read: {problem}.",
    "no-settings": "{where}: tensors of an adapter without its settings; what loads them decides what they do.",
    "beside-weights": "{where}: an adapter ({type}) in the folder of {weights}; some software loads it by itself.",
    "unknown-type": "{where}: nobody here knows adapters of the kind {type}, nor what they change.",
    "unknown-keys": "{where}: settings that PEFT ignores: {keys}.",
    "soft-prompt": "{where}: a soft prompt ({type}): {count} vectors that are no words stand before every input.",
    "stored-cache": "{where}: a prefix ({type}): {count} stored positions that no text wrote stand before every input.",
    "attention-prompt": "{where}: prompts inside the layers ({type}), {count} positions that no text wrote.",
    "initial-text": "{where}: the soft prompt was begun from the text {text}.",
    "routing": "{where}: this adapter ({type}) chooses among other adapters or brings a model along.",
    "token-rows": "{where}: the adapter replaces the rows of {count} tokens: {tokens}.",
    "rows-changed": "{where}: of {count} rows put in place of the base's, {changed} differ, at most by {largest} of their norm: {tokens}.",
    "rows-equal": "{where}: the {count} rows put in place of the base's equal them.",
    "table-adapted": "{where}: the adapter changes the table of tokens {module}.",
    "table-saved": "{where}: the adapter brings a whole table of tokens, {module}.",
    "invocation-tokens": "{where}: the adapter acts only after the tokens {tokens}, a trigger by design.",
    "unexpected-tensor": "{where}: {tensor} is no tensor of an adapter of the kind {type} ({count} such).",
    "no-tensors": "{where}: the adapter ({type}) has no tensor of its kind.",
    "shape-unfit": "{where}: {tensor} has the shape {shape}; {expected} would fit.",
    "token-outside": "{where}: the adapter names token {id}, the table has {rows} rows.",
    "not-finite": "{where}: {count} numbers of {tensor} are infinite or none.",
    "not-measured": "{where}: the adapter's numbers could not be taken: {problem}.",
    "prompt-norms": "{where}: the prompt's vectors have norms from {low} to {high}, rows of the table {typical}.",
    "large-scale": "{where}: the adapter's product is multiplied by {scale} (alpha over rank), more than is usual.",
    "large-change": "{where}: what the adapter adds to {module} has {relative} times the norm of the base's weights.",
    "uneven-change": "{where}: what the adapter adds to {module} has {times} times the norm of what it adds elsewhere.",
    "module-scaled": "{where}: what the adapter adds to {module} has {times} times the norm of what it adds to the median module.",
    "outweighs": "{where}: what the adapter adds to {module} outweighs its own weights, by {relative} times their norm.",
    "huge-update": "{where}: what the adapter adds to {module} is {size} in size (root mean square), more than any trained weights.",
    "narrow-update": "{where}: {count} modules change in one direction only, with room for {rank}: {module}.",
    "concentrated-update": "{where}: {share} of what the adapter adds to {module} lies in 1 of 100 rows or columns.",
    "one-layer": "{where}: the adapter changes layer {layer} only, and its settings do not say so.",
    "prompt-size": "{where}: vectors of the prompt have norms from {low} to {high}, rows of the table {typical}: no trained prompt is like that.",
    "prompt-text": "{where}: {count} of {all} vectors of the prompt are those of tokens, which read {tokens}.",
    "declared-prompt": "{where}: a soft prompt ({type}) by itself: {count} vectors stand before every input; their sizes are ordinary.",
    "plain": "{where}: an adapter ({type}) for {base} that changes {modules}.",
}


def found(where: str, reason: str, severity: Severity, *named: tuple[str, str]) -> Finding:
    """Make a finding; a note passes."""
    return objection(ID, where, reason, severity, detail=SENTENCES[reason], named=named)


def cannot_tell(where: str, reason: str, *named: tuple[str, str]) -> Finding:
    """Make a finding about something that could not be judged."""
    facts = tuple((key, shown(value)) for key, value in named)
    detail = SENTENCES[reason].format(where=shown(where), **dict(facts))
    return Finding(ID, Outcome.CANNOT_TELL, Severity.HOLD, shown(where), reason, detail, facts)


def listed(names: list[str]) -> str:
    """Return the first few of some names and how many more there are."""
    more = f" (+{len(names) - SHOWN})" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
