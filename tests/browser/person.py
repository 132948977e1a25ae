"""A person at a keyboard: presses Tab until what they look for has the focus, sees where it is, and types."""

import re

MOST_TABS = 400
_WHERE = """() => {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  const text = x => (x ? x.innerText || x.textContent : '').replace(/\\s+/g, ' ').trim();
  const label = x => x.getAttribute('aria-label') || (x.labels && x.labels.length ? text(x.labels[0]) : text(x));
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  return {
    name: label(e), tag: e.tagName.toLowerCase(), type: e.getAttribute('type') || '', value: e.value || '',
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
    group: e.type === 'radio' ? [...document.getElementsByName(e.name)].map(label) : [],
    options: e.tagName === 'SELECT' ? [...e.options].map(text) : [],
    chosen: e.tagName === 'SELECT' ? e.selectedIndex : -1,
  };
}"""


class Person:
    """Keyboard only: the mouse is never touched."""

    def __init__(self, page):
        self.page = page
        self.pressed = 0

    def do(self, act):
        """Find what the guide names, then press, choose or type."""
        where = self.find(act.label)
        if act.value:
            self._fill(where, act)
        elif where["type"] == "radio":
            self._choose(where["group"].index(act.label))
        else:
            with self.page.expect_navigation(wait_until="load"):
                self.page.keyboard.press("Enter")

    def find(self, label):
        """Tab to what has this name. Fails with all names that were passed."""
        passed, ends = [], 0
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            self.pressed += 1
            where = self.page.evaluate(_WHERE)
            if where is None:  # beyond the last control; the next one is the first again
                ends += 1
                if ends > 1 and passed:
                    break
                continue
            name = _plain(where["name"])
            assert where["ring"], f"{name!r} does not show that it has the focus: {where}"
            assert where["seen"], f"{name!r} has the focus and is not on the screen"
            passed.append(name)
            if name == label or label in where["group"]:
                return where
        raise AssertionError(f"no {label!r} on {self.page.url} by Tab; there are {passed}")

    def _fill(self, where, act):
        keys = self.page.keyboard
        if where["tag"] == "select":
            wanted = where["options"].index(act.value)
            for _ in range(wanted - where["chosen"]):
                keys.press("ArrowDown")
        elif where["type"] == "date":
            self._date(act.value)
        else:
            keys.press("Control+a")
            keys.type(act.value)

    def _date(self, value):
        """Year, month and day are fields of their own, in an order that the browser shows: look what came out."""
        year, month, day = value.split("-")
        for order in ((year, month, day), (month, day, year), (day, month, year)):
            for part in order:
                self.page.keyboard.type(part)
            if self.page.evaluate("document.activeElement.value") == value:
                return
            for _ in order:
                self.page.keyboard.press("ArrowLeft")
        raise AssertionError(f"{value} cannot be typed here")

    def _choose(self, index):
        """Arrows go through a group of choices; the space bar takes the one that has the focus."""
        self.page.keyboard.press("Space")
        for _ in range(index):
            self.page.keyboard.press("ArrowDown")


def _plain(name):
    return re.sub(r" \*$", "", name)
