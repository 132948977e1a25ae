"""Each person signs in as themselves: by a link once, or by a token that is kept only as a hash."""

import json
import os
import re
import signal
import socket
import subprocess
import sys

import httpx2
import pytest

from sekisho import cli
from sekisho.errors import DataError, UsageError
from sekisho.limits import DEFAULT
from sekisho.web import people, server
from web.conftest import Browser

NOW = "2026-11-22T12:00:00Z"


def test_the_link_signs_in_once(site, browser):
    token = site.sessions.once("mori")
    browser.get(f"/login?token={token}")
    assert "mori" in browser.text
    browser.send("/login", token=token, next="/")
    assert browser.get("/").status_code == 200

    second = Browser(site)
    second.get(f"/login?token={token}")
    assert "used already" in second.text
    assert second.send("/login", token=token).status_code == 403
    assert second.get("/").url.path == "/login"


def test_looking_at_the_link_does_not_use_it_up(site, browser):
    """A preview of a chat program, or the browser's own, opens it before the person does."""
    token = site.sessions.once("mori")
    browser.get(f"/login?token={token}")
    assert Browser(site).get(f"/login?token={token}").status_code == 200
    assert site.sessions.spend(token) == "mori"


def test_the_link_ends_by_itself(site, browser, clock):
    token = site.sessions.once("mori")
    browser.get(f"/login?token={token}")
    clock.later(seconds=DEFAULT.web_login_s)
    assert browser.send("/login", token=token).status_code == 403


def test_a_session_ends_by_itself(mori, clock):
    clock.later(seconds=DEFAULT.web_session_s)
    assert mori.get("/").url.path == "/login"
    assert mori.send("/logout").status_code == 403


def test_after_signing_out_the_cookie_is_worth_nothing(mori):
    cookie = mori.client.cookies["sekisho"]
    mori.get("/")
    mori.send("/logout")
    mori.client.cookies.set("sekisho", cookie, domain="127.0.0.1")
    assert mori.get("/").url.path == "/login"


def test_each_person_has_a_token_and_only_its_hash_is_kept(site, browser):
    file = site.home / people.NAME
    mori, sato = (people.add(file, n, NOW) for n in ("mori", "sato"))
    assert mori not in file.read_text()
    browser.get("/login")
    browser.send("/login", token=f" {sato} ", next="/")
    assert "sato" in browser.text
    assert "mori" not in browser.text


def test_a_new_token_ends_the_old_one_whatever_the_case_of_the_name(site, browser):
    file = site.home / people.NAME
    old = people.add(file, "Sato Hanako", NOW)
    people.add(file, "ｓａｔｏ　hanako", NOW)
    browser.get("/login")
    assert browser.send("/login", token=old).status_code == 403
    assert len(people.read(file)) == 1


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "\x00"])
def test_a_wrong_token_signs_nobody_in(site, browser, token):
    people.add(site.home / people.NAME, "sato", NOW)
    browser.get("/login")
    assert browser.send("/login", token=token).status_code == 403


def test_the_hash_itself_is_no_token(site, browser):
    people.add(site.home / people.NAME, "sato", NOW)
    browser.get("/login")
    assert browser.send("/login", token=people.read(site.home / people.NAME)[0].token).status_code == 403


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "/login", "/a?b", "x"]
)
def test_signing_in_leads_to_a_page_of_ours(site, to):
    browser = Browser(site)
    token = site.sessions.once("mori")
    browser.get("/login")
    fields = {"csrf": browser.csrf, "token": token, "next": to}
    answer = browser.client.post("/login", data=fields, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_after_signing_in_one_sees_what_one_asked_for(site, browser):
    browser.get("/?page=1")
    assert browser.shown.url.path == "/login"
    browser.get("/models/" + "ab" * 32)
    assert browser.hidden("next") == "/models/" + "ab" * 32


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"people": [{"name": "x"}]}', '{"people": [1]}', "\x00"])
def test_a_broken_list_of_people_lets_nobody_in(tmp_path, text):
    file = tmp_path / people.NAME
    file.write_text(text)
    with pytest.raises(DataError):
        people.read(file)


def test_a_list_of_people_over_the_limit_is_refused(tmp_path):
    file = tmp_path / people.NAME
    file.write_bytes(b" " * (DEFAULT.web_people_bytes + 1))
    with pytest.raises(DataError, match="limit"):
        people.read(file)


def test_removing_nobody_is_refused(tmp_path):
    with pytest.raises(UsageError, match="nobody is called"):
        people.remove(tmp_path / people.NAME, "sato")


def test_many_people_signed_in_are_bounded(site):
    first = site.sessions.begin("mori")
    for _ in range(DEFAULT.web_sessions):
        site.sessions.begin("sato")
    assert site.sessions.get(first).person == ""


def test_the_verb_people(tmp_path, capsys):
    place = ["--ledger", str(tmp_path / "l.sqlite")]
    with pytest.raises(SystemExit) as done:
        cli.main(["people", "add", "森", "--lang", "ja", *place])
    token = capsys.readouterr().out.split()[-1]
    assert done.value.code == 0
    assert people.whose(people.read(tmp_path / people.NAME), token) == "森"
    with pytest.raises(SystemExit):
        cli.main(["people", "list", *place])
    assert "森" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["people", "remove", "森", *place])
    assert json.loads((tmp_path / people.NAME).read_text())["people"] == []


def test_the_greeting_holds_the_link_and_warns_where_others_can_reach_it(site):
    said = server.greeting(site, "mori", "127.0.0.1:8765", "en")
    assert site.sessions.spend(said.partition("token=")[2].split()[0]) == "mori"
    assert "CAUTION" not in said
    assert "CAUTION" in server.greeting(site, "mori", "0.0.0.0:8765", "en")


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_the_link_of_an_ipv6_address_is_one_that_a_browser_follows(site, host):
    made = cli.parser().parse_args(["serve", "--host", host]).host
    said = server.greeting(site, "mori", f"{made}:8765", "en")
    assert "http://[::1]:8765/login?token=" in said
    assert "CAUTION" not in said


def test_without_the_extra_the_verb_says_what_to_install(site, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(UsageError, match=r"pip install 'sekisho\[serve\]'"):
        server.serve(site, "127.0.0.1", 0, print)


def test_a_port_that_is_taken_is_told(site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="another port"):
            server.serve(site, "127.0.0.1", taken.getsockname()[1], print)


def test_a_models_folder_that_is_not_there_is_told(tmp_path, capsys):
    with pytest.raises(SystemExit) as done:
        cli.main(["serve", "--ledger", str(tmp_path / "l.sqlite"), "--models", str(tmp_path / "none")])
    assert done.value.code == 2
    assert "no folder" in capsys.readouterr().err


@pytest.mark.integration
def test_the_verb_serves_until_ctrl_c(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sekisho.cli", "serve", "--port", str(port), "--by", "mori"]
    place = ["--ledger", str(tmp_path / "l.sqlite"), "--models", str(tmp_path)]
    with subprocess.Popen(
        [*command, *place], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as served:
        said = [served.stderr.readline() for _ in range(4)]
        token = said[1].partition("token=")[2].strip()
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=60) as client:
            page = client.get(f"/login?token={token}")
            csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)[1]
            page = client.post("/login", data={"csrf": csrf, "token": token, "next": "/"})
        os.kill(served.pid, signal.SIGINT)
        rest = served.stderr.read()
        code = served.wait()
    assert "mori" in page.text
    assert "Register of models" in page.text
    assert (code, rest) == (0, "")
