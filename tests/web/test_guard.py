"""Nothing of a page is given to another site, another name, or somebody who is not signed in."""

import re

import pytest

from sekisho.limits import DEFAULT
from sekisho.web import pages, people
from web.conftest import HOST, MODEL, Browser


def paths():
    given = {"subject": MODEL, "run": "0" * 16, "view": "management", "action": "approve"}
    named = [re.sub(r"\{(\w+)\}", lambda m: given.get(m[1], "0"), p.path) for p in pages.PAGES if not p.open]
    assert len(named) > 8
    return named


@pytest.mark.parametrize("path", paths())
def test_nobody_sees_a_page_without_signing_in(browser, path):
    answer = browser.client.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", paths())
def test_nobody_sends_a_form_without_signing_in(browser, path):
    browser.get("/login")
    assert browser.send(path).status_code in (403, 405)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8765.evil.example", ""],
)
def test_another_name_that_leads_here_is_refused(mori, host):
    answer = mori.client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "mori" not in answer.text


def test_two_host_headers_are_refused(mori):
    answer = mori.client.get("/", headers=[("host", HOST), ("host", "evil.example")])
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_another_site_is_refused(mori, headers):
    token = mori.csrf
    answer = mori.client.post("/logout", data={"csrf": token}, headers=headers)
    assert answer.status_code == 403
    assert "mori" in mori.get("/").text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(mori, method):
    assert mori.client.request(method, "/").status_code == 405


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_a_form_without_its_token_is_refused(mori, token):
    assert mori.send("/logout", csrf=token).status_code == 403
    assert "mori" in mori.get("/").text


def test_the_token_of_one_session_is_worth_nothing_in_another(mori, sato):
    assert mori.send("/logout", csrf=sato.csrf).status_code == 403
    assert mori.send("/logout").url.path == "/login"


def test_every_page_runs_nothing_and_is_not_kept(mori):
    answer = mori.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site):
    browser = Browser(site)
    token = site.sessions.once("mori")
    browser.get(f"/login?token={token}")
    before = browser.client.cookies["sekisho"]
    answer = browser.client.post(
        "/login", data={"csrf": browser.csrf, "token": token}, follow_redirects=False
    )
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert browser.client.cookies["sekisho"] != before


def test_a_form_over_the_limit_is_refused(mori):
    answer = mori.send("/logout", more="x" * DEFAULT.web_form_bytes)
    assert answer.status_code == 413
    fields = {f"f{i}": "1" for i in range(DEFAULT.web_form_fields + 1)}
    assert mori.client.post("/logout", data=fields).status_code == 400
    assert "mori" in mori.get("/").text


@pytest.mark.parametrize("body", [b"csrf=%ff", b"\xff=1"])
def test_a_form_that_is_no_text_is_refused(mori, body):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert mori.client.post("/logout", content=body, headers=headers).status_code == 400


def test_a_form_of_another_kind_is_refused(mori):
    assert mori.client.post("/logout", json={"csrf": mori.csrf}).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/models/../../etc/passwd",
        "/models/..%2f..%2fetc%2fpasswd",
        "/models/" + "zz" * 32,
        "/models/" + MODEL,
        "/style-x.css",
    ],
)
def test_what_is_not_there_is_not_found(mori, path):
    answer = mori.get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_a_fault_of_ours_says_nothing_of_the_inside(site, monkeypatch):
    browser = Browser(site).sign_in("mori")
    browser.client._transport.raise_server_exceptions = False

    def broken(*_):
        raise ZeroDivisionError("a path such as /home/mori/secret")

    monkeypatch.setattr(type(site.shelf), "refresh", broken)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_a_person_whose_token_was_taken_back_is_signed_out(site, browser):
    token = people.add(site.home / people.NAME, "sato", "2026-11-22T12:00:00Z")
    browser.get("/login")
    browser.send("/login", token=token, next="/")
    assert "sato" in browser.text
    people.remove(site.home / people.NAME, "SATO")
    assert browser.get("/").url.path == "/login"
