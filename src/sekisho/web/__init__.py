"""`sekisho serve`: a small web app on this machine for people who decide. It shows and asks; the library decides.

A page is one file in `pages/` with `PAGE = Page(name, path, show, act)`, one line in `pages/__init__.py`, a template in
`templates/` that extends `layout.html`, and its sentences in `report/locale/parts/web-NAME.toml`, both languages.
`show(visit)` and `act(visit)` are plain functions from a `Visit` to a `Reply` (see `visit.py`): who is signed in, the
language, the form, an open ledger (`with visit.ledger()`), and `visit.sources(ledger, subject)` for all on file about a
model, its chain checked. Login, CSRF, Host, sizes and headers are dealt with before a page is called; every form holds
`{{ hidden() }}`. What `act` raises as RuleError or UsageError is told above the page as `show` makes it, with the form
as it was typed (`visit.form`), and nothing is written; `Refused` does the same with a sentence in both languages.
"""
