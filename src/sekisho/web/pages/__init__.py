"""Every page, one file each; the order is that of the routes."""

from typing import Final

from sekisho.web.pages import (
    checklist,
    compare,
    decision,
    lessons,
    login,
    model,
    register,
    request,
    run,
    runs,
    step,
    trace,
    views,
)
from sekisho.web.visit import Page

PAGES: Final[tuple[Page, ...]] = (
    login.PAGE,
    login.OUT,
    register.PAGE,
    request.PAGE,
    runs.LIST,
    runs.NEW,
    compare.NEW,
    compare.PAGE,
    compare.REPORT,
    run.PAGE,
    run.REPORT,
    model.PAGE,
    checklist.PAGE,
    decision.PAGE,
    lessons.PAGE,
    lessons.QUIZ,
    lessons.ONE,
    step.PAGE,
    trace.PAGE,
    views.PAGE,
)
