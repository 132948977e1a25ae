"""Packs to hand over: deterministic zips with a signed manifest, a verifier and a README in both languages."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sekisho.errors import UsageError
from sekisho.register.packs import contract, incident, kit, review, risks
from sekisho.register.packs.material import Draft, Material, Wish

KINDS: Final[Mapping[str, Callable[[Material, Wish], Draft]]] = MappingProxyType(
    {
        "contract-pack": contract.draft,
        "review-pack": review.draft,
        "supplier-kit": kit.draft,
        "incident-pack": incident.draft,
        "risk-register": risks.draft,
    }
)
"""Every pack there is."""


def draft(kind: str, material: Material, wish: Wish) -> Draft:
    """Gather the files of a pack. Raises UsageError for an unknown kind, DataError where the material does not suffice."""
    if kind not in KINDS:
        raise UsageError(f"no pack {kind!r}; there are {', '.join(KINDS)}")
    return KINDS[kind](material, wish)
