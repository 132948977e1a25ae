"""What every page owes to people who see little, use no mouse, or enlarge it: names, languages, order, contrast, width."""

from contextlib import closing

import pytest

from browser.conftest import sekisho
from evidence import folders
from register.conftest import ASKED, Desk
from sekisho import recording
from sekisho.ledger.book import open_ledger
from test_sign_off import comparison
from web.test_compare_page import finished

pytestmark = pytest.mark.browser

NARROW = 320
"""CSS pixels that a page must fit into without scrolling sideways, as if enlarged to 400 % (WCAG 1.4.10)."""

FAULTS = """() => {
  const found = [], name = e => e.outerHTML.slice(0, 120);
  const rgb = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor); if (c.length && c[3] !== 0) return c; } return [255, 255, 255]; };
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  ids.filter((x, i) => ids.indexOf(x) !== i).forEach(x => found.push('id twice: ' + x));
  if (!document.documentElement.lang) found.push('no language');
  if (document.querySelectorAll('h1').length !== 1) found.push('not one h1');
  let depth = 1;
  document.querySelectorAll('h1,h2,h3,h4').forEach(h => {
    const n = +h.tagName[1]; if (n > depth + 1) found.push('heading skips a level: ' + name(h)); depth = n; });
  document.querySelectorAll('input:not([type=hidden]),select,textarea').forEach(e => {
    if (!e.labels.length && !e.getAttribute('aria-label')) found.push('no label: ' + name(e)); });
  document.querySelectorAll('a,button:not([hidden])').forEach(e => {
    if (!(e.innerText.trim() || e.getAttribute('aria-label')) && e.offsetWidth) found.push('no name: ' + name(e)); });
  document.querySelectorAll('[tabindex]').forEach(e => { if (e.tabIndex > 0) found.push('order by hand: ' + name(e)); });
  for (const attribute of ['aria-labelledby', 'aria-describedby'])
    document.querySelectorAll('[' + attribute + ']').forEach(e => e.getAttribute(attribute).split(' ').forEach(x => {
      if (!document.getElementById(x)) found.push(attribute + ' names nothing: ' + name(e)); }));
  document.querySelectorAll('body *').forEach(e => {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.offsetWidth || e.closest('.skip')) return;
    const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 4.5) /* WCAG 2.2 AA */ found.push('contrast ' + contrast.toFixed(2) + ': ' + name(e)); });
  return found;
}"""


@pytest.fixture
def pages(served):
    """Every page there is, with something on it."""
    site, address = served
    folder = site.models[0] / "small"
    with closing(open_ledger(site.place)) as ledger:
        made = folders.dossier(folder)
        subject = recording.subject(made.files)
        desk = Desk(ledger)
        desk("request", "mori", subject, **ASKED)
        recording.record(made, ledger, actor="gate", model=folder, policy="default")
        desk("decide", "tanaka", subject, drilled=True)
    paths = [
        "/",
        "/request",
        "/vets",
        "/vets/new",
        "/vets/compare",
        "/lessons",
        "/lessons/quiz",
        "/lessons/tamper",
    ]
    paths += [finished(site, comparison())]
    model = f"/models/{subject}"
    paths += [
        model,
        *(
            f"{model}/{x}"
            for x in ("checklist?profile=deep", "decision", "trace", "steps/pilot", "steps/retest")
        ),
    ]
    return site, address, paths


@pytest.mark.parametrize(("language", "scheme"), [("ja", "light"), ("en", "dark")])
def test_no_page_has_a_fault_that_can_be_found_by_looking(browser, pages, language, scheme):
    site, address, paths = pages
    context = browser.new_context(
        locale=language, color_scheme=scheme, viewport={"width": 1100, "height": 900}
    )
    try:
        page = context.new_page()
        said = []
        page.on("console", lambda m: said.append(m.text))
        page.goto(f"{address}/login?token={site.sessions.once('mori')}")
        faults = {"/login": page.evaluate(FAULTS)}
        page.locator("form[action='/login'] button").press("Enter")
        page.wait_for_url(f"{address}/")
        for path in paths:
            page.goto(address + path)
            faults[path] = page.evaluate(FAULTS)
            assert page.evaluate("document.documentElement.lang") == language
            assert page.title()
        assert {p: f for p, f in faults.items() if f} == {}
        assert said == []
    finally:
        context.close()


def test_every_page_fits_a_narrow_screen_and_begins_with_a_way_to_its_content(browser, pages):
    site, address, paths = pages
    context = browser.new_context(locale="ja-JP", viewport={"width": NARROW, "height": 640})
    try:
        page = context.new_page()
        page.goto(f"{address}/login?token={site.sessions.once('mori')}")
        page.locator("form[action='/login'] button").press("Enter")
        page.wait_for_url(f"{address}/")
        for path in paths:
            page.goto(address + path)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= NARROW, (path, wide)
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.getAttribute('href')") == "#main", path
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.id") == "main", path
    finally:
        context.close()


def test_enter_in_a_line_of_the_checklist_says_nothing_by_itself(browser, pages):
    site, address, paths = pages
    context = browser.new_context(locale="en-GB")
    try:
        page = context.new_page()
        page.goto(f"{address}/login?token={site.sessions.once('mori')}")
        page.locator("form[action='/login'] button").press("Enter")
        page.wait_for_url(f"{address}/")
        page.goto(address + next(p for p in paths if "checklist" in p))
        line = page.locator("#C24-note")
        line.fill("call Mori")
        line.press("Enter")
        page.wait_for_timeout(300)
        assert "C24 yes" not in page.inner_text("main")
        page.get_by_role("button", name="C24 no").press("Enter")
        page.wait_for_url("**#C24")
        assert "C24 no" in page.inner_text("main")
    finally:
        context.close()


def test_lessons_as_files_have_no_such_fault_either(browser, tmp_path):
    for language in ("en", "ja"):
        sekisho("lessons", "--out", str(tmp_path), "--lang", language)
    context = browser.new_context(viewport={"width": NARROW, "height": 640}, offline=True)
    try:
        page = context.new_page()
        for file in sorted(tmp_path.glob("*.html")):
            page.goto(file.as_uri())
            assert page.evaluate(FAULTS) == [], file.name
            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, file.name
    finally:
        context.close()
