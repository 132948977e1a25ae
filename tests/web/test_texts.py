"""Every sentence of the web app has both languages, with the same names to fill in, and every id in use is there."""

import re
from importlib.resources import files

import pytest

from sekisho.register.texts import Texts
from sekisho.report.words import part

NAME = re.compile(r"\{([a-z_]+)\}")
PARTS = sorted(
    p.name.removesuffix(".toml")
    for p in (files("sekisho.report") / "locale" / "parts").iterdir()
    if p.name.startswith("web")
)


def sources():
    web = files("sekisho.web")
    for folder in (web, web / "pages", web / "templates"):
        yield from (p for p in folder.iterdir() if p.name.endswith((".py", ".html")))


@pytest.mark.parametrize("name", PARTS)
def test_both_languages_with_the_same_names(name):
    for section, table in part(name).items():
        for key, said in table.items():
            assert set(said) == {"en", "ja"}, (section, key)
            assert all(v.strip() for v in said.values()), (section, key)
            assert set(NAME.findall(said["en"])) == set(NAME.findall(said["ja"])), (section, key)
            assert not re.search("[ぁ-んァ-ン一-龥]", said["en"]) or section == "language", (section, key)
            assert "(" not in said["ja"], (section, key)
            if said["en"].endswith("."):
                assert said["ja"].endswith("。"), (section, key)


def test_every_id_in_use_is_there():
    says = [Texts(name, "ja") for name in (*PARTS, "register", "checklist", "lessons")]
    used = {
        pair
        for file in sources()
        for pair in re.findall(
            r'(?<!\.)\b(?:say|words|text|web|vets|step|list|tell|register)\(\s*"([a-z_]+)", "([a-z_0-9-]+)"',
            file.read_text("utf-8"),
        )
    }
    assert len(used) > 100
    for section, key in used:
        assert any(key in say.keys(section) for say in says), (section, key)


def test_templates_hold_no_words_of_their_own():
    for file in sources():
        if file.name.endswith(".html"):
            text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", file.read_text("utf-8"), flags=re.DOTALL)
            bare = re.sub(r"<[^>]*>|&[a-z]+;", "", text)
            assert not re.search(r"[A-Za-zぁ-んァ-ン一-龥]{2,}", bare), (file.name, bare.split())
            assert not re.search(r"<(?:script|style)\b|\son[a-z]+=|\sstyle=|https?:", text), file.name
