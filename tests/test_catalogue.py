"""Every check keeps the same promises: listed, explained, tested four ways, repeatable, and said in two languages."""

import ast
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from artefacts import tiny_model
from hostile import HOSTILE
from sekisho import checks
from sekisho.checks import CHECKS, AbstractCheck, Case
from sekisho.errors import MalformedError
from sekisho.formats import rows
from sekisho.inventory import PROBLEMS, take
from sekisho.provenance.evidence import Request, gather
from sekisho.records import Finding, Outcome, Severity

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent
FOLDER = Path(checks.__file__).parent
PAGES = {p.stem: p for p in FOLDER.glob("*.py")} | {p.parent.name: p for p in FOLDER.glob("*/__init__.py")}
MODULES = sorted(PAGES.keys() - {"__init__", "_groups", "_rows", "base"})
CASES = (
    ("test_hit", "test_rejected", "test_held"),
    ("test_clean",),
    ("test_malformed",),
    ("test_over_limit",),
)
LANGUAGES = {"en", "ja"}


def locale(check_id):
    text = (files("sekisho.report") / "locale" / "checks" / f"{check_id}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def sentences(check_id):
    return locale("common")["reasons"] | locale(check_id)["reasons"]


def test_every_file_is_listed_once():
    assert sorted(type(c).__module__.rpartition(".")[2] for c in CHECKS) == MODULES
    assert len({c.id for c in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("name", MODULES)
def test_every_check_explains_itself(name):
    page = ast.get_docstring(ast.parse(PAGES[name].read_text(encoding="utf-8")))
    for heading in ("What it does:", "Why it matters:", "What to do:"):
        assert f"\n{heading} " in page


@pytest.mark.parametrize("name", MODULES)
def test_every_check_has_its_four_cases(name):
    tree = ast.parse((HERE / "checks" / f"test_{name}.py").read_text(encoding="utf-8"))
    tests = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    for case in CASES:
        assert any(t.startswith(case) for t in tests), case


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.id)
def test_every_check_speaks_two_languages(check):
    table = locale(check.id)
    assert table["id"] == check.id
    for part in (table["title"], table["why"], table["todo"], *table["reasons"].values()):
        assert set(part) == LANGUAGES
        assert all(part.values())


def measured(model):
    """The case of a model without a base."""
    files = take(model)
    return Case(files, rows=rows.measure(files), origin=gather(files, model, Request(), unlisted=False))


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """What every hostile change makes all checks say, run twice."""
    found: dict[str, tuple[Finding, ...]] = {}
    for name, change in HOSTILE.items():
        model = tiny_model(tmp_path_factory.mktemp(name) / "m")
        change(model)
        case = measured(model)
        found[name] = checks.run(case)
        assert checks.run(case) == found[name], name
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_every_hostile_change_is_objected_to(name, findings):
    assert any(f.severity is not Severity.NOTE for f in findings[name])


@pytest.mark.parametrize("name", HOSTILE)
def test_every_sentence_is_the_one_of_the_locale(name, findings):
    for finding in findings[name]:
        wordings = sentences(finding.check)[finding.reason]
        values = dict(finding.facts) | {"where": finding.where}
        assert wordings["en"].format(**values) == finding.detail
        assert wordings["ja"].format(**values)


def test_every_problem_of_the_inventory_has_a_sentence():
    assert set(PROBLEMS) - {"malformed"} <= set(sentences("undeclared-file"))


def test_a_clean_model_passes_in_writing(tmp_path):
    found = checks.run(measured(tiny_model(tmp_path / "m")))
    assert {f.check for f in found} == {c.id for c in CHECKS}
    for finding in found:
        assert (finding.outcome, finding.reason) in {
            (Outcome.PASS, "nothing-found"),
            (Outcome.PASS, "shares"),
            (Outcome.PASS, "reads"),
            (Outcome.PASS, "licence-unknown"),
            (Outcome.PASS, "no-record"),
            (Outcome.NOT_RUN, "no-base"),
            (Outcome.NOT_RUN, "too-few-rows"),
            (Outcome.NOT_RUN, "not-judged"),
            (Outcome.NOT_RUN, "not-read"),
        }
    assert {f.check for f in found if f.outcome is Outcome.NOT_RUN} >= {c.id for c in CHECKS if c.needs_base}


def test_a_check_that_cannot_finish_says_so(monkeypatch, tmp_path):
    class Raises(AbstractCheck):
        id = "raises"

        def run(self, case):
            raise MalformedError("no end in sight")
            yield

    monkeypatch.setattr(checks, "CHECKS", (Raises(),))
    (finding,) = checks.run(Case(take(tiny_model(tmp_path / "m"))))
    assert (finding.outcome, finding.severity, finding.reason) == (
        Outcome.CANNOT_TELL,
        Severity.HOLD,
        "unfinished",
    )
    assert locale("common")["reasons"]["unfinished"]["en"].format(**dict(finding.facts)) == finding.detail
