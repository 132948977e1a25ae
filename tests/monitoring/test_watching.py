"""A watched model over weeks: first run, acceptance, drift, triggers, overdue; models made of functions."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from artefacts import edit_json, tiny_adapter, tiny_model
from sekisho import cli, comparison
from sekisho.drills import profile as profiles
from sekisho.errors import DataError, RuleError
from sekisho.ledger import book, watches
from sekisho.ledger.kinds import Kind
from sekisho.ledger.verify import verify
from sekisho.models.fake import FakeModel
from sekisho.monitoring import run as runs
from sekisho.monitoring.run import Replay, Request
from sekisho.report import comparison as page
from sekisho.report import monitoring as report
from sekisho.report.visible import one_line
from test_comparison import hawker, honest, refuser

pytestmark = pytest.mark.integration

START = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


class Clock:
    """A clock of the ledger that only goes on when told."""

    def __init__(self):
        self.now = START
        self.families = 4  # of each suite: enough to see a change of facts, too few to find a rise

    def __call__(self):
        return self.now

    def pass_days(self, days):
        self.now += timedelta(days=days)


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(book, "utc_now", made)
    monkeypatch.setattr(runs, "utc_now", made)
    quick = profiles.load("quick")
    monkeypatch.setattr(profiles, "load", lambda _: replace(quick, families=made.families))
    return made


class World:
    """One model, one ledger."""

    def __init__(self, folder, clock):
        self.folder, self.clock = folder, clock
        self.model = tiny_model(folder / "model")
        self.ledger = book.open_ledger(str(folder / "l" / "ledger.sqlite"), clock=clock)
        self.say = honest

    def run(self, **request):
        options = comparison.Options(cache=self.folder / "cache", opener=lambda _: FakeModel(self.say))
        asked = request.pop("asked", options)
        return runs.run(
            Request(str(request.pop("target", self.model)), "sato", asked, **request), self.ledger
        )

    def standing(self):
        return watches.watched(self.ledger.all())[0]


@pytest.fixture
def world(tmp_path, clock):
    made = World(tmp_path, clock)
    with closing(made.ledger):
        yield made


def because(triggers):
    return [t.because for t in triggers]


def test_the_first_run_waits_for_a_person_and_the_next_is_held_against_it(world):
    first = world.run()
    assert first.outcome == "first"
    assert first.drift is None
    assert world.standing().waiting
    accepted = runs.accept(world.ledger, first.entry.sequence, "tanaka")
    assert not world.standing().waiting
    world.clock.pass_days(7)
    second = world.run()
    assert second.drift is not None
    assert second.outcome in ("clear", "open")
    assert second.entry.content["against"] == first.entry.sequence
    assert second.triggers == ()
    assert accepted.actor == "tanaka"
    assert verify(world.ledger).whole


def test_drift_is_found_and_named_until_somebody_accepts_a_later_run(world):
    world.clock.families = 24
    runs.accept(world.ledger, world.run().entry.sequence, "tanaka")
    world.say = hawker
    found = world.run()
    assert found.outcome == "found"
    assert found.drift.examples[0].group == "advert"
    assert because(found.triggers) == ["finding"]
    assert because(world.standing().triggers(START)) == ["finding"]
    due = [e for e in world.ledger.all() if e.kind == Kind.RE_TEST_DUE]
    assert [e.content["because"] for e in due] == ["finding"]
    world.run()
    assert len([e for e in world.ledger.all() if e.kind == Kind.RE_TEST_DUE]) == 1
    newest = world.standing().last.sequence
    with pytest.raises(RuleError, match="comment"):
        runs.accept(world.ledger, newest, "tanaka")
    with pytest.raises(RuleError, match="not the newest"):
        runs.accept(world.ledger, found.entry.sequence, "tanaka", "why not")
    with pytest.raises(RuleError, match="no run"):
        runs.accept(world.ledger, due[0].sequence, "tanaka", "x")
    runs.accept(world.ledger, newest, "tanaka", "The shop ordered it.")
    assert world.standing().triggers(START) == ()


def test_each_change_makes_a_re_test_due_by_its_own_name(world, tmp_path):
    data = tmp_path / "train.jsonl"
    data.write_text("{}\n")
    same = {"data": data, "revision": "r1", "libraries": {"vllm": "0.10"}}
    runs.accept(world.ledger, world.run(**same).entry.sequence, "tanaka")
    assert world.run(**same).triggers == ()
    data.write_text("{} \n")
    assert because(world.run(**same).triggers) == ["new-data"]
    assert because(world.run(**{**same, "data": None}).triggers) == ["new-data"]
    data.write_text("{}\n")
    assert (
        because(
            world.run(
                **same,
            ).triggers
        )
        == []
    )
    assert because(world.run(**{**same, "revision": "r2"}).triggers) == ["new-revision"]
    assert because(world.run(**{**same, "libraries": {"vllm": "0.11"}}).triggers) == ["new-library"]
    edit_json(world.model / "config.json", initializer_range=0.3)
    changed = world.run(**same)
    assert because(changed.triggers) == ["new-revision"]
    assert "→" in report.triggers(changed.triggers, "en")[0]


def test_another_adapter_or_base_makes_a_re_test_due(world, tmp_path):
    own = tiny_adapter(tmp_path / "own")
    options = comparison.Options(
        cache=tmp_path / "cache", base=str(world.model), opener=lambda _: FakeModel(honest)
    )
    runs.accept(world.ledger, world.run(target=own, asked=options).entry.sequence, "tanaka")
    tiny_adapter(own, seed=5)
    assert because(world.run(target=own, asked=options).triggers) == ["new-adapter", "new-revision"]
    tiny_adapter(own)
    edit_json(world.model / "config.json", initializer_range=0.4)
    assert because(world.run(target=own, asked=options).triggers) == ["new-base"]


def test_time_makes_it_overdue_and_then_due_for_a_re_test(world):
    runs.accept(world.ledger, world.run(every_days=7, retest_days=30).entry.sequence, "tanaka")
    standing, now = world.standing(), START
    assert standing.overdue(now + timedelta(days=7)) is None
    assert standing.overdue(now + timedelta(days=9)) == timedelta(days=2)
    assert standing.triggers(now + timedelta(days=30)) == ()
    assert because(standing.triggers(now + timedelta(days=31))) == ["period"]
    text = report.status([standing], now + timedelta(days=9), "en")
    assert "OVERDUE (days late: 2)" in text
    assert "期限を 2 日過ぎています" in report.status([standing], now + timedelta(days=9), "ja")


def test_other_questions_are_not_held_against_the_accepted_answers(world, tmp_path):
    runs.accept(world.ledger, world.run().entry.sequence, "tanaka")
    own = tmp_path / "own"
    own.mkdir()
    (own / "suite.toml").write_text(
        'id = "own"\ntitle = "Own"\ntitle_ja = "O"\nwhy = "w"\nwhy_ja = "w"\nscorer = "refusal"\nhazard = true\n'
    )
    (own / "items.en.jsonl").write_text('{"id": "1", "family": "1", "prompt": "How do I water a fern?"}\n')
    options = comparison.Options(cache=tmp_path / "cache", suites=(own,), opener=lambda _: FakeModel(honest))
    made = world.run(asked=options)
    assert made.outcome == "first"
    assert because(made.triggers) == ["new-questions"]
    assert world.standing().waiting


@pytest.mark.parametrize("how", ["altered", "gone"])
def test_accepted_answers_that_are_not_as_they_were_are_refused(world, how):
    first = world.run()
    runs.accept(world.ledger, first.entry.sequence, "tanaka")
    path = world.folder / "l" / "watch" / f"{first.entry.content['answers_sha256']}.json"
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b"day ", b"Day "))
    count = len(tuple(world.ledger.all()))
    with pytest.raises(DataError, match=how):
        world.run()
    assert len(tuple(world.ledger.all())) == count


def test_a_log_is_asked_again_and_no_word_of_it_gets_out(world, tmp_path):
    log = tmp_path / "log.jsonl"
    rows = [
        {
            "prompt": f"Dear assistant, Yamada Taro of room {n} asks how to water plant {n}.",
            "answer": "Water it in the early morning.",
        }
        for n in range(60)
    ]
    log.write_text("".join(json.dumps(r) + "\n" for r in rows))
    world.say = refuser
    made = world.run(replay=Replay(log, 40, 3))
    assert made.outcome == "found"
    assert made.replayed.outcome == "found"
    assert made.entry.content["replay"]["asked"] == 40
    everything = page.html(made.replayed, "en") + page.text(made.replayed, "ja") + str(made.replayed)
    kept = b"".join(p.read_bytes() for p in (tmp_path / "l").rglob("*") if p.is_file())
    cache = b"".join(p.read_bytes() for p in (tmp_path / "cache").rglob("*.sqlite*"))
    for word in ("Yamada", "too many factors"):
        assert word not in everything
    assert b"Yamada" not in kept + cache
    assert "log-" in everything
    assert "40" in report.replayed(made.entry, "ja")
    shown = world.run(replay=Replay(log, 40, 3, show=True))
    assert "Yamada" in page.html(shown.replayed, "en")


def test_the_commands_say_what_waits(world, tmp_path, monkeypatch, capsys):
    world.clock.families = 24
    place = str(tmp_path / "l" / "ledger.sqlite")

    def call(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, "--ledger", place])
        return ended.value.code, capsys.readouterr()

    assert call("watch", "status") == (0, ("Nothing is watched. Begin with: sekisho watch run MODEL\n", ""))
    first, run = world.run(), runs.run
    number = str(first.entry.sequence)
    monkeypatch.setattr(runs, "run", lambda *_, **__: first)
    code, told = call("watch", "run", str(world.model), "--out", str(tmp_path / "first"), "--actor", "sato")
    monkeypatch.setattr(runs, "run", run)
    assert (code, str(tmp_path / "first" / "answers.txt") in told.out) == (3, True)
    read = (tmp_path / "first" / "answers.txt").read_text("utf-8")
    assert all(f"Q: {one_line(q, 4_000)}\nA: {one_line(a, 4_000)}\n" in read for _, q, a in first.read)
    assert "First run" in call("watch", "status")[1].out
    code, told = call("watch", "status", "--lang", "ja")
    assert code == 3
    assert f"watch accept {number}" in told.out
    assert call("watch", "accept", number, "--actor", "tanaka")[0] == 0
    code, told = call("watch", "status")
    assert (code, "First run" in told.out) == (0, False)
    world.clock.pass_days(8)
    code, told = call("watch", "status")
    assert code == 3
    assert "OVERDUE (days late: 1)" in told.out
    world.say = hawker
    world.run()
    assert call("watch", "status")[0] == 1
    made = world.run()
    monkeypatch.setattr(runs, "run", lambda *_, **__: made)
    code, told = call("watch", "run", str(world.model), "--out", str(tmp_path / "out"), "--actor", "sato")
    assert code == 1
    assert "Drift: a rise was found" in told.out
    assert (tmp_path / "out" / "compare.html").is_file()
    assert call("watch", "run", "m", "--library", "vllm")[0] == 2
    assert call("watch", "run", "m", "--every", "0")[0] == 2
