"""What the documents say is what the code does: the catalogue, the verbs and options, the links."""

import argparse
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho import cli

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.ja.md")
GUIDES = ("docs/usage.md", "docs/usage.ja.md")
MEASURED = r"(\d+)(?: s\b| ?秒)|0\.05"
TEXTS = (*READMES, *GUIDES, "CONTRIBUTING.md", "SECURITY.md")


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verbs() -> dict[str, set[str]]:
    """Verb -> its options, as the command line has them."""
    (chosen,) = (a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction))
    return {
        name: {option for action in verb._actions for option in action.option_strings}
        for name, verb in chosen.choices.items()
    }


def arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str | None]]:
    """(what, its help) of every verb, step and argument."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from ((f"{parser.prog} {a.dest}", a.help) for a in action._choices_actions)
            for verb in action.choices.values():
                yield from arguments(verb)
        else:
            yield f"{parser.prog} {'/'.join(action.option_strings) or action.dest}", action.help


def commands(text: str) -> list[tuple[str, set[str]]]:
    """Every `sekisho VERB ...` of a document, with its options."""
    lines = re.findall(r"(?:^|[`/ ])sekisho ([a-z][a-z-]*)([^`\n|]*)", text, re.MULTILINE)
    return [(verb, set(re.findall(r"--[a-z-]+", rest))) for verb, rest in lines]


def test_the_catalogue_is_what_the_generator_makes():
    made = generator().pages()
    committed = {p.name: p.read_text("utf-8") for p in (ROOT / "docs" / "catalogue").iterdir()}

    assert committed == made, "run `make catalogue`"


@pytest.mark.parametrize("name", [*READMES, *GUIDES])
def test_every_verb_and_option_that_a_text_shows_exists(name):
    known = verbs()

    for verb, options in commands((ROOT / name).read_text("utf-8")):
        assert verb in known
        assert options <= known[verb], verb


def test_every_verb_and_every_argument_says_what_it_is():
    told = dict(arguments(cli.parser()))

    assert len(told) > 300
    assert [what for what, text in told.items() if not text] == []


@pytest.mark.parametrize("name", GUIDES)
def test_every_verb_is_explained_in_the_guide(name):
    words = set(re.findall(r"[a-z][a-z-]*", (ROOT / name).read_text("utf-8")))

    assert set(verbs()) <= words


def test_both_languages_show_the_same_commands_and_numbers():
    for english, japanese in (READMES, GUIDES):
        one, other = ((ROOT / name).read_text("utf-8") for name in (english, japanese))
        assert {v for v, _ in commands(one)} == {v for v, _ in commands(other)}
        assert set(re.findall(r"--[a-z-]+", one)) == set(re.findall(r"--[a-z-]+", other))
        assert re.findall(MEASURED, one) == re.findall(MEASURED, other)


@pytest.mark.parametrize("name", READMES)
def test_readmes_stay_short(name):
    assert (ROOT / name).read_text("utf-8").count("\n") <= 80


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name):
    page = ROOT / name
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []
