"""Text that lets a scheduler run a watch: a crontab line, a systemd service with its timer, a task of Windows.

Nothing is installed. The day rules of cron and systemd know weeks and months only, so that a number of days that is
neither comes sooner there, never later; Windows counts days.
"""

import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from sekisho.errors import UsageError

KINDS: Final = ("cron", "systemd", "windows")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
WEEK: Final = 7
HALF: Final = 16
MONTH: Final = 31
YEAR: Final = 365
_CRON_CHARS: Final = 900
"""Characters of a line that every cron takes."""


@dataclass(frozen=True)
class Job:
    """What is run, and when."""

    command: tuple[str, ...]
    """Program and arguments, as the operating system takes them."""
    every_days: int
    at: str
    """HH:MM by the clock of the machine."""
    folder: str = ""
    """Where it is run, since names of files may be relative; empty leaves that to the scheduler."""

    @property
    def clock(self) -> tuple[str, str]:
        """(hour, minute). Raises UsageError."""
        match = _TIME.fullmatch(self.at)
        if match is None:
            raise UsageError(f"{self.at[:20]!r} is no time of day; HH:MM is needed")
        return match[1], match[2]


def text(kind: str, job: Job) -> str:
    """The text for one scheduler. Raises UsageError for what none of them can quote."""
    if not 1 <= job.every_days <= YEAR:
        raise UsageError(f"a watch runs every 1 to {YEAR} days")
    if bad := [a for a in (*job.command, job.folder) if not a.isprintable()]:
        raise UsageError(f"{bad[0][:40]!r} holds characters that no scheduler can be given")
    return {"cron": cron, "systemd": systemd, "windows": windows}[kind](job)


def cron(job: Job) -> str:
    """A line for `crontab -e`: % begins a new line there unless it is escaped."""
    hour, minute = job.clock
    there = f"cd {shlex.quote(job.folder)} && " if job.folder else ""
    command = (there + shlex.join(job.command)).replace("%", chr(92) + "%")
    line = f"{int(minute)} {int(hour)} {_cron_days(job.every_days)} {command}"
    if len(line) > _CRON_CHARS:
        raise UsageError("the command is too long for a crontab; put it into a script and schedule that")
    return (
        "# crontab -e; mail goes to MAILTO. A key for the server: SEKISHO_ENDPOINT_KEY=... as a line above,\n"
        "# in a crontab that only you can read. `sekisho watch status` says whether a run is overdue.\n"
        f"{line}\n"
    )


def systemd(job: Job) -> str:
    """A service and its timer, for ~/.config/systemd/user/."""
    hour, minute = job.clock
    command = " ".join(_systemd(a) for a in job.command)
    there = f"WorkingDirectory={job.folder.replace('%', '%%')}\n" if job.folder else ""
    return (
        "# ~/.config/systemd/user/sekisho-watch.service\n"
        "[Unit]\n"
        "Description=Sekisho: ask the watched model again\n"
        "\n"
        "[Service]\n"
        "Type=oneshot\n"
        "# SEKISHO_ENDPOINT_KEY=... in a file that only you can read; the dash lets it be absent\n"
        "EnvironmentFile=-%h/.config/sekisho/watch.env\n"
        f"{there}"
        f"ExecStart={command}\n"
        "\n"
        "# ~/.config/systemd/user/sekisho-watch.timer\n"
        "[Unit]\n"
        "Description=Sekisho: when the watched model is asked again\n"
        "\n"
        "[Timer]\n"
        f"OnCalendar={_systemd_days(job.every_days)} {hour}:{minute}:00\n"
        "# a run that was missed while the machine was off is made up for\n"
        "Persistent=true\n"
        "\n"
        "[Install]\n"
        "WantedBy=timers.target\n"
        "\n"
        "# systemctl --user daemon-reload && systemctl --user enable --now sekisho-watch.timer\n"
        "# loginctl enable-linger    (so that it runs while nobody is logged in)\n"
    )


def windows(job: Job) -> str:
    """A task for `schtasks /Create /XML`; without an encoding named, any way of saving it is read."""
    hour, minute = job.clock
    program, arguments = escape(job.command[0]), escape(subprocess.list2cmdline(job.command[1:]))
    there = f"    <WorkingDirectory>{escape(job.folder)}</WorkingDirectory>\n" if job.folder else ""
    return (
        '<?xml version="1.0"?>\n'
        "<!-- schtasks /Create /TN SekishoWatch /XML sekisho-watch.xml\n"
        "     A key for the server: setx SEKISHO_ENDPOINT_KEY ... for the user that the task runs as. -->\n"
        '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">\n'
        "  <RegistrationInfo><Description>Sekisho: ask the watched model again</Description></RegistrationInfo>\n"
        "  <Triggers><CalendarTrigger>\n"
        f"    <StartBoundary>2026-01-01T{hour}:{minute}:00</StartBoundary>\n"
        f"    <Enabled>true</Enabled><ScheduleByDay><DaysInterval>{job.every_days}</DaysInterval></ScheduleByDay>\n"
        "  </CalendarTrigger></Triggers>\n"
        "  <Settings>\n"
        "    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n"
        "    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n"
        "    <StartWhenAvailable>true</StartWhenAvailable>\n"
        "    <ExecutionTimeLimit>PT12H</ExecutionTimeLimit>\n"
        "  </Settings>\n"
        '  <Actions Context="Author"><Exec>\n'
        f"    <Command>{program}</Command>\n"
        f"    <Arguments>{arguments}</Arguments>\n"
        f"{there}"
        "  </Exec></Actions>\n"
        "</Task>\n"
    )


def _systemd(argument: str) -> str:
    """One argument of ExecStart: backslash and quote are C's, % and $ are systemd's own."""
    plain = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"'


def _days(days: int) -> str:
    """Days of the month that are never further apart than so many days."""
    if days < HALF:
        return f"*/{days}"
    return "1,16" if days < MONTH else "1"


def _cron_days(days: int) -> str:
    if days == 1:
        return "* * *"
    return "* * 1" if days == WEEK else f"{_days(days)} * *"


def _systemd_days(days: int) -> str:
    if days == 1:
        return "*-*-*"
    return "Mon *-*-*" if days == WEEK else f"*-*-{_days(days).replace('*/', '1/')}"
