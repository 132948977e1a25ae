"""What is printed for schedulers, read back by their own rules."""

import configparser
import re
import shlex
import shutil
import subprocess
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from sekisho import cli
from sekisho.errors import UsageError
from sekisho.monitoring import schedule
from sekisho.monitoring.schedule import Job

HARD = (
    "/opt/my tools/python",
    "-m",
    "x",
    "openai+http://127.0.0.1:8000/v1#m",
    "a b",
    "50%",
    "$HOME",
    'say "no"',
    "back\\slash",
    "it's",
    "&|;<>",
    "日本語",
    "",
)


def job(command=HARD, days=7, at="02:30"):
    return Job(tuple(command), days, at)


def exec_start(text):
    """ExecStart as systemd reads it: quotes and backslashes of C, then %% and $$."""
    line = next(x for x in text.splitlines() if x.startswith("ExecStart=")).partition("=")[2]
    words = re.findall(r'"((?:\\.|[^"\\])*)"', line)
    return tuple(re.sub(r"\\(.)", r"\1", w).replace("%%", "%").replace("$$", "$") for w in words)


def windows_arguments(line):
    """CommandLineToArgvW in a few lines."""
    found, word, quoted, slashes, begun = [], "", False, 0, False
    for c in line + " ":
        if c == "\\":
            slashes += 1
            continue
        if c == '"':
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                quoted, begun = not quoted, True
        else:
            word += "\\" * slashes
            if c == " " and not quoted:
                if word or begun:
                    found.append(word)
                word, begun = "", False
            else:
                word += c
        slashes = 0
    return tuple(found)


def test_cron_gives_the_shell_what_was_meant():
    line = schedule.text("cron", job()).splitlines()[-1]
    when, command = " ".join(line.split(" ")[:5]), line.split(" ", 5)[5]
    assert when == "30 2 * * 1"
    assert not re.search(r"(?<!\\)%", command)
    assert tuple(shlex.split(command.replace("\\%", "%"))) == HARD


def test_systemd_gets_every_argument_whole():
    text = schedule.text("systemd", job())
    assert exec_start(text) == HARD
    service, timer = text.split("# ~/.config/systemd/user/sekisho-watch.timer")
    for unit, section in ((service, "Service"), (timer, "Timer")):
        parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=True)
        parser.optionxform = str
        parser.read_string(unit)
        assert section in parser
    assert "OnCalendar=Mon *-*-* 02:30:00" in timer
    assert "Persistent=true" in timer


@pytest.mark.integration
def test_systemd_itself_finds_nothing_wrong(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    command = ("/bin/true", *HARD[1:])
    for days in (1, 2, 7, 20, 90):
        text = schedule.text("systemd", job(command, days))
        names = ("sekisho-watch.service", "sekisho-watch.timer")
        for name, unit in zip(names, text.split("# ~/.config/systemd/user/sekisho-watch.timer"), strict=True):
            (tmp_path / name).write_text(unit, encoding="utf-8")
        for name in names:
            call = ["systemd-analyze", "verify", "--recursive-errors=no", str(tmp_path / name)]
            told = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60)
            assert "sekisho-watch" not in told.stderr, told.stderr
        when = re.search(r"OnCalendar=(.*)", text)[1]
        told = subprocess.run(
            ["systemd-analyze", "calendar", when], capture_output=True, text=True, check=False, timeout=60
        )
        assert told.returncode == 0, (when, told.stderr)


def test_windows_reads_back_every_argument():
    root = ET.fromstring(schedule.text("windows", job(days=3)))
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    assert root.find(".//t:Command", space).text == HARD[0]
    assert windows_arguments(root.find(".//t:Arguments", space).text) == HARD[1:]
    assert root.find(".//t:DaysInterval", space).text == "3"
    assert root.find(".//t:StartWhenAvailable", space).text == "true"


def largest_gap(days):
    """Days between runs of a crontab line over three years, at most."""
    import datetime as dt

    _, _, month_day, _, week_day = schedule.text("cron", job(("x",), days)).splitlines()[-1].split(" ")[:5]
    start = dt.date(2027, 1, 1)
    hits = []
    for n in range(3 * 365):
        day = start + dt.timedelta(n)
        if week_day != "*":
            ok = day.isoweekday() == int(week_day)
        elif month_day.startswith("*/"):
            ok = (day.day - 1) % int(month_day[2:]) == 0
        else:
            ok = month_day == "*" or str(day.day) in month_day.split(",")
        if ok:
            hits.append(n)
    return max(b - a for a, b in pairwise(hits))


@pytest.mark.parametrize("days", [1, 2, 3, 7, 10, 14, 15, 16, 20, 30, 31, 90, 365])
def test_a_run_never_comes_later_than_asked(days):
    assert largest_gap(days) <= days


@pytest.mark.parametrize(
    "wrong",
    [
        job(days=0),
        job(days=366),
        job(at="2:30"),
        job(at="24:00"),
        job(("x", "a\nb")),
        job(("x", "\x00")),
        job(("x", "\u202e")),
    ],
)
@pytest.mark.parametrize("kind", schedule.KINDS)
def test_what_no_scheduler_can_be_given_is_refused(kind, wrong):
    with pytest.raises(UsageError):
        schedule.text(kind, wrong)


def test_a_crontab_line_is_not_cut_off():
    with pytest.raises(UsageError, match="script"):
        schedule.text("cron", job(("x", "y" * 1000)))


def test_the_command_prints_a_command_that_it_takes_itself(capsys):
    given = ["watch", "run", "openai+http://127.0.0.1:8000/v1#m", "--every", "1", "--out", "a b"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["watch", "schedule", "--kind", "systemd", "--at", "23:05", "--", *given[2:]])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "OnCalendar=*-*-* 23:05:00" in text
    assert exec_start(text)[1:] == ("-m", "sekisho.cli", *given)
    with pytest.raises(SystemExit) as ended:
        cli.main(["watch", "schedule", "--kind", "cron", "--", "m", "--evry", "1"])
    assert ended.value.code == 2


def test_relative_names_mean_what_they_meant_where_it_was_set_up(tmp_path):
    folder = str(tmp_path / "50% of, it's")
    texts = {
        kind: schedule.text(kind, Job(("x", "own/model"), 7, "02:30", folder)) for kind in schedule.KINDS
    }
    line = texts["cron"].splitlines()[-1].split(" ", 5)[5].replace(chr(92) + "%", "%")
    assert shlex.split(line)[:2] == ["cd", folder]
    assert f"WorkingDirectory={folder.replace('%', '%%')}" in texts["systemd"].splitlines()
    assert [e.text for e in ET.fromstring(texts["windows"]).iter() if e.tag.endswith("WorkingDirectory")] == [
        folder
    ]


def test_what_the_shell_would_have_told_goes_along_but_no_address(monkeypatch, capsys):
    def command(*words):
        with pytest.raises(SystemExit):
            cli.main(["watch", "schedule", "--kind", "cron", "--", "m", *words])
        return shlex.split(capsys.readouterr().out.splitlines()[-1])

    monkeypatch.setenv("SEKISHO_LEDGER", "/own/ledger.sqlite")
    monkeypatch.setenv("SEKISHO_ACTOR", "tanaka")
    assert command()[-5:] == ["m", "--ledger", "/own/ledger.sqlite", "--actor", "tanaka"]
    assert command("--ledger", "x")[-4:] == ["--ledger", "x", "--actor", "tanaka"]
    monkeypatch.setenv("SEKISHO_LEDGER", "postgresql://u:secret@h/d")
    assert "secret" not in " ".join(command())
