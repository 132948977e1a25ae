"""The process that talks to a hub through huggingface_hub: `python -m sekisho.sources.hub_child REQUEST ANSWER`.

A process of its own, because the library reads its settings when it is imported and keeps them. It resolves the revision,
bounds the list, downloads with the library's own resuming, and writes down what the hub listed; nothing is trusted from it.
"""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from sekisho.limits import DEFAULT

_TOKEN: Final = re.compile(r"(hf_\w{4,}|Bearer\s+\S+|//[^/@\s]*@|\?\S+)")
"""Tokens, users' names and passwords, and queries, where a signed address has its secret."""


def main(request: str, answer: str) -> int:
    """Carry out one request; the exit status says whether the answer was written."""
    wanted = json.loads(Path(request).read_text("utf-8"))
    try:
        made = _fetch(wanted)
    except Exception as error:  # noqa: BLE001  the boundary of a process; whatever a library raises becomes one line
        text = " ".join(str(error).split())[:400]
        print(f"ERROR: {type(error).__name__}: {_TOKEN.sub('…', text)}", file=sys.stderr)  # noqa: T201
        return 1
    Path(answer).write_text(json.dumps(made), encoding="utf-8")
    return 0


def _fetch(wanted: dict[str, str]) -> dict[str, Any]:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.hf_api import RepoFile

    api = HfApi()
    commit = api.model_info(wanted["repository"], revision=wanted["revision"] or None).sha
    if commit is None:
        raise ValueError("the hub named no commit")
    listed: list[dict[str, Any]] = []
    for entry in api.list_repo_tree(wanted["repository"], recursive=True, revision=commit):
        if isinstance(entry, RepoFile):
            lfs = entry.lfs
            size, sha256 = (lfs.size, lfs.sha256) if lfs else (entry.size, "")
            listed.append({"path": entry.path, "size": size, "sha256": sha256, "git_blob": entry.blob_id})
        if len(listed) > DEFAULT.files:
            raise ValueError(f"more than {DEFAULT.files:,} files")
    total = sum(e["size"] for e in listed)
    free = shutil.disk_usage(Path(wanted["folder"]).parent).free
    if total > min(DEFAULT.source_bytes, free):
        raise ValueError(
            f"{total:,} bytes are listed, {min(DEFAULT.source_bytes, free):,} are allowed or free"
        )
    snapshot_download(wanted["repository"], revision=commit, local_dir=wanted["folder"])
    return {"commit": commit, "files": listed}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
