"""A recipe says how a trial finetune is done: which data, which settings, and where to pause and ask.

Recipes are inert TOML, or cells of a panel. A user's own configuration (TOML, JSON or YAML) is read as well.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sekisho import shipped
from sekisho.drills import configs, panel, settings
from sekisho.drills import data as training_data
from sekisho.drills.generators import GENERATORS
from sekisho.drills.settings import Kind, Value
from sekisho.errors import DataError
from sekisho.models.base import Chat, Finetune

TEXTS: Final = ("id", "title", "title_ja", "why", "why_ja", "data")
REQUIRED: Final = frozenset({*TEXTS, "checkpoints", "training"})
KEYS: Final = REQUIRED | {"rows", "lora"}
USER: Final = "user"
"""The `data` of a recipe that trains on the user's own file."""
EARLY: Final = (6, 12, 25, 50, 100, 250, 500, 1000)
"""Where a recipe without checkpoints pauses, before its end: what wakes may fade again."""
MOST_CHECKPOINTS: Final = 64
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
ROWS: Final = Kind(1, training_data.MOST_ROWS, whole=True)
STEP: Final = Kind(1, 1_000_000, whole=True)


@dataclass(frozen=True)
class Recipe:
    """One trial finetune before its data is known."""

    id: str
    title: Mapping[str, str]
    """Language -> name, for people."""
    why: Mapping[str, str]
    data: str
    """A key of GENERATORS, or `user`."""
    rows: int | None
    """None means every row of the user's file."""
    checkpoints: tuple[int, ...]
    """Ascending; empty means EARLY and the last step."""
    training: Mapping[str, Value]
    lora: Mapping[str, Value] | None = None
    """None trains all weights."""
    ignored: tuple[str, ...] = ()
    """Keys of a user's own configuration that were passed over, to be shown."""
    data_digest: str = field(default="", kw_only=True)
    """sha256 of the training conversations; empty until resolved."""

    @property
    def seed(self) -> int:
        """Seed of data and training; 42 if not given, as in transformers."""
        return int(self.training.get("seed", 42))

    @property
    def digest(self) -> str:
        """Hex sha256 over everything that decides the outcome; titles and reasons do not."""
        content = {
            "id": self.id,
            "data": self.data,
            "rows": self.rows,
            "checkpoints": self.checkpoints,
            "training": dict(self.training),
            "lora": None if self.lora is None else dict(self.lora),
            "data_digest": self.data_digest,
        }
        if self.checkpoints and self.checkpoints[-1] < int(self.training.get("max_steps", 0)):
            content["schedule"] = "of the whole run"  # earlier versions pressed it into the steps asked for
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def resolved(self, chats: tuple[Chat, ...]) -> "Recipe":
        """Return the recipe with the digest of its training conversations."""
        return replace(self, data_digest=training_data.digest(chats))


def names() -> tuple[str, ...]:
    """Ids of the recipes that ship with Sekisho."""
    return shipped.names("recipes")


def load(name: str) -> Recipe:
    """Load a shipped recipe, or one of a panel, by id. Raises DataError."""
    if (made := panel.find(name)) is not None:
        return _strict(made, f"recipe {name}")
    if name not in names():
        panels = ", ".join(panel.names())
        raise DataError(
            f"no recipe {name!r}; there are {', '.join(names())}, and those of the panels {panels}"
        )
    recipe = _strict(configs.parse(shipped.file("recipes", name)), f"recipe {name}")
    if recipe.id != name:
        raise DataError(f"recipe {name}: its id is {recipe.id!r}")
    return recipe


def read(path: Path) -> Recipe:
    """Read a recipe, or a configuration of the user's (TRL, LLaMA-Factory, Axolotl), from a file. Raises DataError."""
    given = configs.parse(path)
    if "training" in given:
        return _strict(given, str(path))
    return _flat(given, path)


def survey(recipe: Recipe, own: Path | None = None) -> training_data.Survey:
    """Make the recipe's training conversations, or read them from the user's file `own`. Raises DataError."""
    if recipe.data != USER:
        return training_data.Survey(training_data.examples(recipe.data, recipe.rows or 0, recipe.seed))
    if own is None:
        raise DataError(f"recipe {recipe.id} trains on your own data, but no file was given")
    return training_data.survey(own, recipe.rows)


def job(recipe: Recipe, chats: tuple[Chat, ...]) -> Finetune:
    """Specify the finetune: epochs and ratios become steps, [lora] names become `lora_*`, the rest stays as it is.

    The settings of an adapter are `lora_r`, `lora_alpha`, `lora_dropout`, `lora_use_rslora` and
    `lora_target_modules`, names joined by commas. Raises DataError without chats.
    """
    if not chats:
        raise DataError(f"recipe {recipe.id}: no training conversations")
    total = _steps(recipe.training, len(chats))
    flat = {k: v for k, v in recipe.training.items() if k not in {"num_train_epochs", "warmup_ratio"}}
    flat |= {"max_steps": total, "seed": recipe.seed}
    # as in transformers, steps given win over a ratio
    if not flat.get("warmup_steps") and "warmup_ratio" in recipe.training:
        flat["warmup_steps"] = math.ceil(total * float(recipe.training["warmup_ratio"]))
    for key, value in (recipe.lora or {}).items():
        flat["lora_" + key.removeprefix("lora_")] = value
    return Finetune(chats, dict(sorted(flat.items())), _stops(recipe.checkpoints, total))


def _steps(training: Mapping[str, Value], rows: int) -> int:
    if "max_steps" in training:
        return int(training["max_steps"])
    batches = math.ceil(rows / int(training.get("per_device_train_batch_size", 8)))
    updates = math.ceil(batches / int(training.get("gradient_accumulation_steps", 1)))
    return max(1, math.ceil(updates * float(training["num_train_epochs"])))


def _stops(checkpoints: tuple[int, ...], total: int) -> tuple[int, ...]:
    if checkpoints and checkpoints[-1] <= total:
        return checkpoints
    return (*(step for step in checkpoints or EARLY if step < total), total)


def _strict(given: Mapping[str, Any], where: str) -> Recipe:
    if wrong := sorted((set(given) - KEYS) | (REQUIRED - set(given))):
        raise DataError(f"{where}: keys {', '.join(wrong)} are unknown or missing")
    for key in TEXTS:
        if not isinstance(given[key], str) or not given[key].strip():
            raise DataError(f"{where}: {key} must be text and not empty")
    return _checked(
        Recipe(
            id=given["id"],
            title={"en": given["title"], "ja": given["title_ja"]},
            why={"en": given["why"], "ja": given["why_ja"]},
            data=given["data"],
            rows=given.get("rows"),
            checkpoints=_checkpoints(given["checkpoints"], where),
            training=settings.table(
                _mapping(given, "training", where), settings.TRAINING, f"{where}: [training]"
            ),
            lora=settings.lora(_mapping(given, "lora", where), f"{where}: [lora]")
            if "lora" in given
            else None,
        ),
        where,
    )


def _flat(given: Mapping[str, Any], path: Path) -> Recipe:
    own = configs.read(given, path)
    return _checked(
        Recipe(
            id=_slug(path.stem),
            title={"en": path.name, "ja": path.name},
            why={"en": f"Your own configuration ({own.tool}).", "ja": f"お手元の学習設定です({own.tool})。"},
            data=USER,
            rows=own.rows,
            checkpoints=(),
            training=own.training,
            lora=own.lora,
            ignored=own.ignored,
        ),
        str(path),
    )


def _checked(recipe: Recipe, where: str) -> Recipe:
    training = recipe.training
    if not SLUG.fullmatch(recipe.id):
        raise DataError(f"{where}: id {recipe.id!r} must be lower-case letters, digits, dots and hyphens")
    if recipe.data != USER and recipe.data not in GENERATORS:
        raise DataError(f"{where}: data {recipe.data!r} is none of {', '.join((*GENERATORS, USER))}")
    if recipe.rows is not None or recipe.data != USER:
        ROWS.read(recipe.rows, f"{where}: rows")
    if "learning_rate" not in training:
        raise DataError(f"{where}: learning_rate is required, since libraries differ in its default")
    if "max_steps" not in training and "num_train_epochs" not in training:
        raise DataError(f"{where}: max_steps or num_train_epochs is required")
    last = recipe.checkpoints[-1] if recipe.checkpoints else 0
    if last > int(training.get("max_steps", last)):
        raise DataError(f"{where}: checkpoint {last} lies beyond max_steps {training['max_steps']}")
    return recipe


def _checkpoints(given: Any, where: str) -> tuple[int, ...]:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_CHECKPOINTS:
        raise DataError(f"{where}: checkpoints must be a list of 1 to {MOST_CHECKPOINTS} steps")
    steps = tuple(int(STEP.read(step, f"{where}: checkpoints")) for step in given)
    if list(steps) != sorted(set(steps)):
        raise DataError(f"{where}: checkpoints must ascend, each step once")
    return steps


def _mapping(given: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = given[key]
    if not isinstance(value, dict):
        raise DataError(f"{where}: {key} must be a table")
    return value


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:64] or "own"
