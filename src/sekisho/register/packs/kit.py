"""The supplier kit: the tests a vendor can run, and how its signed result is handed over."""

from sekisho import policy, shipped
from sekisho.probes import suite
from sekisho.register import documents
from sekisho.register.documents import Block, Document
from sekisho.register.packs.material import Draft, Material, Wish
from sekisho.register.texts import Texts
from sekisho.report.words import LANGUAGES

_STEPS = ("install", "key", "run", "sign", "send")


def draft(material: Material, wish: Wish) -> Draft:
    """Gather it; a policy that is not valid is refused. Raises DataError."""
    bar = wish.policy or shipped.file("policies", "default").read_bytes()
    policy.parse(bar, "policy")
    files = {"policy.toml": bar}
    for lang in LANGUAGES:
        page = _document(wish, lang)
        files[f"howto.{lang}.md"] = documents.markdown(page).encode()
        files[f"howto.{lang}.html"] = documents.html(page).encode()
    return Draft("supplier-kit", material, files, ("howto", "policy"))


def _document(wish: Wish, language: str) -> Document:
    say = Texts("packs", language)
    facts = {"tool": shipped.version(), "profile": wish.profile}
    sets = tuple(f"{name} (sha256 {suite.load(name).digest})" for name in suite.names())
    blocks = (
        Block("p", say("howto", "intro")),
        Block("ol", items=tuple(say("howto", s, **facts) for s in _STEPS)),
        Block("h2", say("howto", "suites")),
        Block("ul", items=sets),
        Block("h2", say("howto", "customer")),
        Block("p", say("howto", "import")),
    )
    return Document(say("howto", "title"), language, blocks)
