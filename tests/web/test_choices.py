"""What a form offers: models below the allowed folders, found in bounds and without opening anything."""

from dataclasses import replace

from sekisho.limits import DEFAULT
from sekisho.web import choices


def put(site, *names):
    for name in names:
        path = site.models[0] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def below(site):
    return [p.removeprefix(f"{site.models[0]}/") for p in choices.found(site)]


def test_folders_adapters_and_gguf_files_are_offered_once_each(site):
    put(
        site,
        "a/config.json",
        "a/sub/config.json",
        "b/c/adapter_config.json",
        "d/x.gguf",
        "d/x.txt",
        ".h/config.json",
    )
    assert below(site) == ["a", "b/c", "d/x.gguf"]


def test_links_are_not_followed(site, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "config.json").write_bytes(b"")
    (site.models[0] / "link").symlink_to(tmp_path / "secret")
    (site.models[0] / "x.gguf").symlink_to(tmp_path / "secret" / "config.json")
    assert below(site) == []


def test_what_lies_too_deep_is_not_offered(site):
    put(site, "1/2/3/config.json", "1/2/4/5/config.json")
    assert below(site) == ["1/2/3"]


def test_no_more_is_looked_at_or_offered_than_the_limits_say(site, monkeypatch):
    monkeypatch.setattr(choices, "DEFAULT", replace(DEFAULT, web_folders=4, web_suggestions=2, web_entries=3))
    put(site, *(f"{n}/config.json" for n in range(9)))
    assert len(below(site)) == 2
    monkeypatch.setattr(choices, "DEFAULT", replace(DEFAULT, web_folders=3))
    assert len(below(site)) == 2


def test_a_folder_that_is_gone_offers_nothing(site):
    site.models[0].rmdir()
    assert choices.found(site) == ()
