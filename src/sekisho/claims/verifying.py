"""A verifier's side: both documents, the suspect, the clean base and unrelated models, put together and judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sekisho.claims import models
from sekisho.claims.models import Seen, Tools
from sekisho.errors import ArtefactError
from sekisho.ownership import claim
from sekisho.ownership.claim import Asked, Evidence, Judged, RowsSeen
from sekisho.ownership.commitment import Commitment, Secret


@dataclass(frozen=True)
class Request:
    """What a claim is held against."""

    suspect: str
    base: str | None = None
    unrelated: tuple[str, ...] = ()
    published: str = ""
    witnessed: str = ""


def verify(secret: Secret, commitment: Commitment, request: Request, tools: Tools) -> Judged:
    """Judge a claim; where the documents refute it, no model is opened. Raises UsageError, ModelError."""
    suspect = models.see(request.suspect, tools.cache)
    base = models.see(request.base, tools.cache) if request.base else None
    others = [models.see(spec, tools.cache) for spec in request.unrelated]
    known = Evidence(published=request.published, witnessed=request.witnessed)
    if claim.hopeless(claim.objections(secret, commitment, known)):
        return claim.decide(secret, commitment, known)
    asked = _ask([suspect, *([base] if base else []), *others], secret, tools)
    known = replace(
        known,
        suspect=asked[0],
        base=asked[1] if base else None,
        base_matches=base is not None and _matches(secret, base),
        unrelated=tuple(asked[2 if base else 1 :]),
        rows=models.rows_seen(secret.rows, suspect, base) if secret.rows else RowsSeen(),
    )
    return claim.decide(secret, commitment, known)


def _ask(every: Sequence[Seen], secret: Secret, tools: Tools) -> list[Asked]:
    found: list[Asked] = []
    with models.opening(tools) as opener:
        for number, model in enumerate(every, 1):
            tools.say(f"{model.name}: {len(secret.prompts)} prompts ({number} of {len(every)})")
            found.append(models.ask(model, secret.prompts, opener))
    return found


def _matches(secret: Secret, base: Seen) -> bool:
    """Whether the base given is the one committed to."""
    try:
        return models.tensor_digests(base) == secret.base
    except ArtefactError:
        return False
