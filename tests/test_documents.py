"""What the documents say is what the code does: the catalogue, the verbs and options, the links."""

import argparse
import importlib.util
import re
from pathlib import Path

import pytest

from sekisho import cli

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.ja.md")
MEASURED = r"(\d+)(?: s\b| ?秒)|0\.05"
TEXTS = (*READMES, "CONTRIBUTING.md", "SECURITY.md")


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verbs() -> dict[str, set[str]]:
    """Verb -> its options, as the command line has them."""
    (chosen,) = (a for a in cli._parser()._actions if isinstance(a, argparse._SubParsersAction))
    return {
        name: {option for action in verb._actions for option in action.option_strings}
        for name, verb in chosen.choices.items()
    }


def commands(text: str) -> list[tuple[str, set[str]]]:
    """Every `sekisho VERB ...` of a document, with its options."""
    lines = re.findall(r"(?:^|[`/ ])sekisho ([a-z][a-z-]*)([^`\n|]*)", text, re.MULTILINE)
    return [(verb, set(re.findall(r"--[a-z-]+", rest))) for verb, rest in lines]


def test_the_catalogue_is_what_the_generator_makes():
    made = generator().pages()
    committed = {p.name: p.read_text("utf-8") for p in (ROOT / "docs" / "catalogue").iterdir()}

    assert committed == made, "run `make catalogue`"


@pytest.mark.parametrize("name", READMES)
def test_every_verb_and_option_of_a_readme_exists(name):
    known = verbs()
    shown = commands((ROOT / name).read_text("utf-8"))

    assert {verb for verb, _ in shown} == set(known)
    for verb, options in shown:
        assert options <= known[verb], verb


@pytest.mark.parametrize("name", READMES)
def test_every_option_is_in_the_readme(name):
    every = set().union(*verbs().values()) - {"-h", "--help"}

    assert every - set(re.findall(r"--[a-z-]+", (ROOT / name).read_text("utf-8"))) == set()


def test_both_readmes_show_the_same_commands_and_stay_short():
    english, japanese = ((ROOT / name).read_text("utf-8") for name in READMES)

    assert {v for v, _ in commands(english)} == {v for v, _ in commands(japanese)}
    assert set(re.findall(r"--[a-z-]+", english)) == set(re.findall(r"--[a-z-]+", japanese))
    assert re.findall(MEASURED, english) == re.findall(MEASURED, japanese)
    assert max(text.count("\n") for text in (english, japanese)) <= 80


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text("utf-8"))

    assert [link for link in links if not (ROOT / link).exists()] == []
