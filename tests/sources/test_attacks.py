"""A registry, a repository or an address that lies: one clear error, nothing written outside, no secret written down."""

import hashlib
import json
import os
import subprocess

import pytest

from sekisho.errors import SekishoError, SourceError
from sekisho.provenance import lookalikes, suppliers
from sekisho.sources import address, git_remote, http_, oci
from sekisho.sources.child import quiet

pytestmark = pytest.mark.integration

DIGEST = "sha256:" + "ab" * 32


def layout(folder, manifest, index=None):
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    entry = {"digest": f"sha256:{digest}", "size": len(data)}
    (folder / "index.json").write_text(json.dumps(index if index is not None else {"manifests": [entry]}))
    return folder


def fetched(folder, tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    return oci.fetch(address.parse(f"oci-layout:{folder}"), target)


@pytest.mark.parametrize(
    "index",
    [{"manifests": 5}, {"manifests": None}, {}, {"manifests": [{"annotations": [1], "digest": DIGEST}] * 2}],
)
def test_an_index_of_another_shape_is_one_error(tmp_path, index):
    with pytest.raises(SourceError):
        fetched(layout(tmp_path / "layout", {}, index), tmp_path)


@pytest.mark.parametrize("coding", ["utf-16", "utf-32"])
def test_a_manifest_in_another_coding_is_one_error(tmp_path, coding):
    layer = {"digest": DIGEST, "size": 0, "annotations": {"org.opencontainers.image.title": "a"}}
    with pytest.raises(SourceError):
        fetched(layout(tmp_path / "layout", json.dumps({"layers": [layer]}).encode(coding)), tmp_path)


def test_a_pipe_in_the_place_of_an_index_does_not_hang(tmp_path):
    folder = layout(tmp_path / "layout", {})
    (folder / "index.json").unlink()
    os.mkfifo(folder / "index.json")
    with pytest.raises(SourceError):
        fetched(folder, tmp_path)


@pytest.mark.parametrize(
    "links",
    [{"d": ".", "x": "d/../secret"}, {"sub/up": "..", "x": "sub/up/../secret"}, {"a": "b", "b": "a"}],
    ids=["through a folder's own name", "through a folder above", "in a circle"],
)
def test_links_that_lead_out_by_way_of_another_are_refused(tmp_path, links):
    home = tmp_path / "repository"
    (home / "sub").mkdir(parents=True)
    (home / "sub" / "file").write_text("x")
    for name, target in links.items():
        (home / name).symlink_to(target)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(home)]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    (tmp_path / "secret").write_text("s")
    (tmp_path / "model").mkdir()
    with pytest.raises(SourceError, match="link"):
        git_remote.fetch(address.parse(f"git+file://{home}"), tmp_path / "model", tmp_path, quiet)


SIGNED_URL = "https://host.example/org/m.gguf?X-Signature=TOPSECRET&token=TOPSECRET#sha256=" + "ab" * 32


def test_a_signed_url_is_not_written_down_with_its_signature():
    read = address.parse(SIGNED_URL)
    assert "TOPSECRET" in read.place, "it is needed for fetching"
    from sekisho import acquire

    written = (
        read.uri(),
        suppliers.without_credentials(SIGNED_URL),
        str(acquire.place(acquire.Path("c"), read, read.revision)),
    )
    assert not any("TOPSECRET" in text for text in written), written


def test_headers_meant_for_one_host_do_not_travel_to_another():
    import urllib.request

    asked = urllib.request.Request(
        "https://one.example/a", headers={"X-Auth-Token": "s", "Authorization": "s", "Accept": "x"}
    )
    made = http_._Redirects().redirect_request(asked, None, 302, "", {}, "https://two.example/b")
    assert {k.lower() for k in made.headers} <= {"accept", "user-agent"}


@pytest.mark.parametrize("href", ["http://127.0.0.1:9/x", "file:///etc/passwd", "ftp://a.example/x"])
def test_a_server_elsewhere_cannot_send_us_to_this_machine(href, tmp_path):
    with pytest.raises(SourceError, match=r"encryption|only https"):
        http_.require_sent("https://host.example/x", href)
    http_.require_sent("http://127.0.0.1:8/x", "http://127.0.0.1:9/x")


REGISTER = """schema = 1
unknown = "note"
[[suppliers]]
host = "git.example"
namespace = "evil-org"
tier = "blocked"
grounds = []
reviewed = 2026-01-01
[[suppliers]]
host = "registry.example"
namespace = "*"
tier = "blocked"
grounds = []
reviewed = 2026-01-01
[[suppliers]]
host = "huggingface.co"
namespace = "kimi-labs"
tier = "trusted"
grounds = ["contract"]
reviewed = 2026-01-01
"""
PIN = "@" + "a" * 40


@pytest.mark.parametrize(
    "uri",
    [
        f"git+https://git.example/evil-org/m{PIN}",
        f"git+https://GIT.example/evil-org/m{PIN}",
        f"git+https://git.example./evil-org/m{PIN}",
        f"git+https://git.example/Evil-Org/m{PIN}",
        f"git+https://git.example/%65vil-org/m{PIN}",
        f"git+https://git.example/./evil-org/m{PIN}",
        f"git+https://git.example/x/../evil-org/m{PIN}",
        f"git+https://git.example//evil-org/m{PIN}",
        f"git+https://git.example:443/evil-org/m{PIN}",
        f"oci://Registry.Example/m/n@{DIGEST}",
        f"oci://registry.example:443/m/n@{DIGEST}",
        f"oci://registry.example./m/n@{DIGEST}",
        f"hf:KIMI-labs/m{PIN}",
        f"hf:\u212aimi-labs/m{PIN}",
        f"hf:kimi-lab\u017f/m{PIN}",
        f"hf:kimi-labs\u034f/m{PIN}",
    ],
)
def test_no_way_of_writing_an_address_gets_past_the_register(tmp_path, uri):
    path = tmp_path / "suppliers.toml"
    path.write_text(REGISTER)
    import datetime as dt

    try:
        found = suppliers.judge(uri, suppliers.read(path), dt.date(2026, 6, 1))
    except SekishoError:
        return
    assert any(o.refuses for o in found), found


def test_a_supplier_listed_twice_is_refused(tmp_path):
    path = tmp_path / "suppliers.toml"
    entry = REGISTER.partition("[[suppliers]]")[2].partition("[[suppliers]]")[0]
    path.write_text(f"schema = 1\n[[suppliers]]{entry}[[suppliers]]{entry.replace('blocked', 'trusted')}")
    with pytest.raises(SekishoError, match="twice"):
        suppliers.read(path)


def test_a_long_name_like_a_known_one_is_seen():
    assert lookalikes.likeness("kimi-labs" + "\u200b" * 200, ["kimi-labs"]) is not None


@pytest.mark.parametrize("url", ["https://[", "https://h.example]/x", "https://\u2100.example/x"])
def test_an_address_from_a_server_that_cannot_be_read_is_one_error(url):
    with pytest.raises(SourceError):
        http_.require_sent("https://host.example/x", url)
    with pytest.raises(SourceError):
        oci._token(f'Bearer realm="{url}"', "s", "https://host.example/x")


@pytest.mark.parametrize(
    "spec",
    [
        "htps://me:secret@h/x", "oci://me:secret@h/x", "oci://me:secret@h/x@v1", "hf:https://me:secret@h/x",
        "git+https://me:secret@h/x@..", "git+htps://me:secret@h/x", "me:secret@h/x",
    ],
)  # fmt: skip
def test_no_error_about_an_address_repeats_a_password(spec):
    with pytest.raises(SourceError) as caught:
        address.parse(spec)
    assert "secret" not in str(caught.value)


def test_a_manifest_of_too_many_lists_is_one_error(tmp_path, monkeypatch):
    from sekisho.limits import Limits

    monkeypatch.setattr(oci, "DEFAULT", Limits(json_containers=100))
    with pytest.raises(SourceError, match="no JSON"):
        fetched(layout(tmp_path / "layout", {"layers": [[]] * 200}), tmp_path)


def test_the_files_of_a_commit_are_bounded_together(tmp_path, monkeypatch):
    from sekisho.limits import Limits
    from sekisho.sources import paths

    home = tmp_path / "repository"
    home.mkdir()
    for name in "abc":
        (home / name).write_bytes(b"x" * 400)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(home)]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    (tmp_path / "model").mkdir()
    monkeypatch.setattr(paths, "DEFAULT", Limits(source_bytes=1_000))
    with pytest.raises(SourceError, match="over the limit"):
        git_remote.fetch(address.parse(f"git+file://{home}"), tmp_path / "model", tmp_path, quiet)


@pytest.mark.parametrize(
    "said",
    [
        "https://cdn.example/x?X-Amz-Signature=secret&e=1 refused",
        "with url: /x?sig=secret (Caused by)",
        "https://a:secret@h/x",
    ],
)
def test_what_a_library_says_of_a_signed_address_is_not_repeated(said):
    from sekisho.sources import hub_child

    assert "secret" not in hub_child._TOKEN.sub("…", said)
