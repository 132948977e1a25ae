"""Licences as a card names them: an SPDX identifier where it is one, its own words otherwise."""

from typing import Final

from sekisho.evidence.bom.claimed import Claims
from sekisho.evidence.bom.values import UNKNOWN, Json

_SPDX: Final = {
    name.lower(): name
    for name in (
        "AFL-3.0", "AGPL-3.0", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear",
        "BSL-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0",
        "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0",
        "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0",
        "ECL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "GPL-2.0", "GPL-3.0", "ISC", "LGPL-2.1", "LGPL-3.0", "LPPL-1.3c",
        "MIT", "MPL-2.0", "MS-PL", "NCSA", "ODbL-1.0", "OSL-3.0", "PDDL-1.0", "PostgreSQL", "Unlicense", "WTFPL", "Zlib",
    )
}  # fmt: skip
"""Tags of model hubs are SPDX identifiers in lower case."""


def licences(claims: Claims) -> list[Json]:
    """`licenses` of the model; a licence that nobody declares is named `unknown`."""
    return [{"license": _one(name)} for name in claims.licence or (UNKNOWN,)]


def _one(name: str) -> Json:
    known = _SPDX.get(name.lower())
    return {"id": known} if known else {"name": name}
