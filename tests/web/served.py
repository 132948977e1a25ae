"""A server of its own process, as `sekisho serve` makes one; what a run starts is named by the test. Never imported."""

import sys
from pathlib import Path

from sekisho.web import server
from sekisho.web.site import Site

place, models, port, *child = sys.argv[1:]
site = Site(place, frozenset({f"127.0.0.1:{port}"}), (Path(models).resolve(),), child=tuple(child))


def ready(number):
    for person in ("mori", "sato"):
        sys.stdout.write(f"{site.sessions.once(person)}\n")
    sys.stdout.flush()


server.serve(site, "127.0.0.1", int(port), ready)
