"""A site in a folder of its own, browsers without scripts, and people who are signed in."""

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

pytest.importorskip("starlette")

from starlette.testclient import TestClient

from register.conftest import ASKED, PILOT, Desk
from sekisho.ledger.book import open_ledger
from sekisho.web import app
from sekisho.web.sessions import Sessions
from sekisho.web.site import Site

HOST = "127.0.0.1:8765"
MODEL = "ab" * 32
__all__ = ["ASKED", "PILOT"]


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def later(self, **units):
        self.now += timedelta(**units)


class Browser:
    """One person's browser: follows links, fills in forms as they were shown."""

    def __init__(self, site, made=None):
        self.site = site
        self.client = TestClient(made or app.build(site), base_url=f"http://{HOST}")
        self.shown = None

    def get(self, path, **more):
        self.shown = self.client.get(path, **more)
        return self.shown

    def send(self, to, /, csrf=None, **fields):
        """Send a form; the token is the one that the page shown last holds."""
        fields = {"csrf": self.csrf if csrf is None else csrf, **fields}
        self.shown = self.client.post(to, data=fields)
        return self.shown

    @property
    def csrf(self):
        return re.search(r'name="csrf" value="([0-9a-f]+)"', self.shown.text)[1]

    @property
    def text(self):
        """What is read: no tags, one space between words."""
        body = self.shown.text.partition("<body")[2]
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))

    def hidden(self, name):
        return unescape(re.search(rf'name="{name}" value="([^"]*)"', self.shown.text)[1])

    def sign_in(self, person):
        """Be somebody; tests/web/test_login.py does it as a person would."""
        self.client.cookies.set("sekisho", self.site.sessions.begin(person), domain="127.0.0.1")
        self.get("/")
        assert self.shown.status_code == 200
        return self


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def site(tmp_path, clock):
    models = tmp_path / "models"
    models.mkdir()
    place = str(tmp_path / "home" / "ledger.sqlite")
    return Site(place, frozenset({HOST}), (models.resolve(),), clock, sessions=Sessions(clock))


@pytest.fixture
def ledger(site, clock):
    with closing(open_ledger(site.place, clock=clock)) as opened:
        yield opened


@pytest.fixture
def desk(ledger):
    return Desk(ledger)


@pytest.fixture
def browser(site):
    """Of nobody yet."""
    return Browser(site)


@pytest.fixture
def mori(site):
    return Browser(site).sign_in("mori")


@pytest.fixture
def sato(site):
    return Browser(site).sign_in("sato")
