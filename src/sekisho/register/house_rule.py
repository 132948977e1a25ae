"""The house rule: a document written from the policy in force and the company's handling; no number is typed by hand."""

from typing import Final

from sekisho.policy import Policy
from sekisho.register.documents import Block, Document
from sekisho.register.governance import ROLES, Governance
from sekisho.register.texts import Texts
from sekisho.report.grounds import behaviour_title
from sekisho.report.words import Words

_STEPS: Final = ("request", "fetch", "vet", "decide", "approve", "produce")


def document(policy: Policy, how: Governance, language: str, tool: str) -> Document:
    """Write it in one language. Raises UsageError for an unknown one."""
    say, words = Texts("house-rule", language), Words(language)
    facts = (
        (say("ui", "policy"), say("ui", "policy_value", name=policy.name, digest=policy.digest)),
        (say("ui", "governance"), say("ui", "governance_value", digest=how.digest)),
        (say("ui", "made"), say("ui", "made_value", tool=tool)),
        (say("ui", "force"), say("ui", "blank")),
    )
    blocks = (
        *_text(say, "scope"),
        *_text(say, "roles", people=str(how.counts["people"])),
        _roles(how, say),
        Block("h2", say("heading", "steps")),
        Block("ol", items=tuple(say("step", s, profile=how.profile) for s in _STEPS)),
        *_criteria(policy, say, words),
        *_after(how, say),
        Block("sign", say("ui", "signed")),
    )
    return Document(say("ui", "title"), language, blocks, facts=facts)


def _text(say: Texts, key: str, **facts: str) -> tuple[Block, ...]:
    return Block("h2", say("heading", key)), Block("p", say("text", key, **facts))


def _roles(how: Governance, say: Texts) -> Block:
    rows = []
    for role in ROLES:
        others = [r for r in ROLES if frozenset((role, r)) in how.apart]
        apart = say.comma.join(say("role", r) for r in others) or "–"
        rows.append((say("role", role), say("duty", role), apart))
    header = (say("ui", "role"), say("ui", "duty"), say("ui", "never_with"))
    return Block("table", header=header, rows=tuple(rows))


def _criteria(policy: Policy, say: Texts, words: Words) -> tuple[Block, ...]:
    rows = tuple(
        (behaviour_title(b, words), words.points(rule.margin, "-"), words.points(rule.ceiling, "-"))
        for b, rule in policy.behaviours.items()
    )
    header = (say("ui", "behaviour"), say("ui", "margin"), say("ui", "ceiling"))
    rates = {
        "reject": words.percent(policy.alpha_reject),
        "admit": words.percent(policy.alpha_admit),
        "abstained": words.percent(policy.max_abstained),
    }
    names = dict.fromkeys((*policy.required, *policy.required_with_base))
    checks = say.comma.join(words.check(c) for c in names)
    return (
        *_text(say, "criteria"),
        Block("table", header=header, rows=rows),
        Block("p", say("text", "errors", **rates)),
        Block("p", say("text", "checks", n=str(len(names)), checks="{checks}").replace("{checks}", checks)),
        Block("p", f"{say('text', f'pickle-{policy.pickle}')} {say('text', 'limits')}"),
    )


def _after(how: Governance, say: Texts) -> tuple[Block, ...]:
    data = Texts("register", say.language)
    facts = {k: str(v) for k, v in how.counts.items()}
    facts["data"] = say.comma.join(data("data", c) for c in how.data_classes)
    return (
        *_text(say, "pilot", **facts),
        Block("p", say("text", "production", **facts)),
        *_text(say, "exceptions", **facts),
        *_text(say, "incident"),
        *_text(say, "records", **facts),
    )
