"""What a template wrote when it was rendered: to whom it reacts, what it drops, what it adds, whose answer it begins."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from sekisho.checks.chat_template import structure, writings
from sekisho.checks.chat_template.found import finding
from sekisho.formats import prose, wording
from sekisho.formats.chat_template import Template, unseen
from sekisho.formats.rendering import Rendering
from sekisho.formats.rules import TEMPLATE
from sekisho.records import Finding, Outcome, Severity
from sekisho.sandbox import conversations
from sekisho.sandbox.conversations import Reaction

_SHOWN: Final = 8
_PHRASE: Final = 2
_SENTENCE: Final = 3
_FEW_TURNS: Final = 3
_RUN: Final = 4
_PASSPHRASE: Final = 8
"""Words up to which a text is a trigger rather than a passage of the template's own instructions."""
_WORDS: Final = re.compile(r"[^\W\d_]+")
_LABEL: Final = re.compile(r"\W*\w+(?: \w+)?: ?\w+\W*")
_TAG: Final = re.compile(r"[<\[{(|/@#*`].*|.*[>\]})|`*]|[\w.\-]*[_/:][\w.\-/:]*|\W+", re.DOTALL)
"""A text with the looks of markup, or a name as programs have them."""
_YES: Final = TEMPLATE["affirmations"] - {"i", "of", "here", "no"} | {"course"}

_SPEAKERS: Final = ("user", "system", "assistant", "")
"""Whose words a template has no business with; of tools and their results it may say something."""
_DETAILS: Final = {
    "reacts-to-text": "{where}: when a message ({role}) says {trigger}, the template writes {added}.",
    "drops-on-text": "{where}: when a message ({role}) says {trigger}, the template leaves out {dropped}.",
    "changes-on-text": "{where}: when a message ({role}) says {trigger}, the template writes something else.",
    "refuses-text": "{where}: when a message ({role}) says {trigger}, the template does not render ({error}).",
    "reacts-to-length": "{where}: for a message of {trigger} characters ({role}), the template writes something else: {added}.",
    "rewrites-message": "{where}: an ordinary message of two lines does not come through as it was written: without {dropped}, with {added}.",
    "reacts-to-date": "{where}: on {trigger}, the template writes {added}.",
    "changes-on-date": "{where}: on {trigger}, the template writes something else.",
    "reacts-to-turns": "{where}: in a conversation of {trigger} turns, the template writes {added}.",
    "drops-in-long": "{where}: in a conversation of {trigger} turns, the template leaves out {dropped}.",
    "rendered-prefill": "{where}: rendered, the assistant's answer already begins with {added}.",
    "rendered-invisible": "{where}: rendered, the prompt contains the invisible character {character}.",
    "rendered-escape": "{where}: rendered, the template reached for {attribute}, which leads out of the sandbox.",
    "system-ignored": "{where}: rendered, the system message is not in the prompt.",
    "turn-ignored": "{where}: rendered, a message is not in the prompt or was rewritten: {dropped}.",
    "rendered-addition": "{where}: rendered, the prompt says what nobody in it wrote: {added}.",
    "added-to-base": "{where}: on the same messages, the template writes what the base's does not: {added}.",
    "drops-beside-base": "{where}: on the same messages, the template leaves out what the base's writes: {dropped}.",
    "renders-otherwise": "{where}: on the same messages, the template writes something else than the base's.",
}


def judge(where: str, template: Template, rendering: Rendering | None) -> Iterator[Finding]:
    """Everything its behaviour shows; nothing where it was not rendered because it is the base's own."""
    if rendering is None:
        return
    if rendering.problem or rendering.cut:
        yield _unfinished(where, rendering)
    if rendering.problem:
        return
    yield from islice(_reactions(where, rendering), _SHOWN)
    yield from _plain(where, template, rendering)
    yield from structure.judge(where, rendering)
    yield from _beside(where, rendering)


def _unfinished(where: str, rendering: Rendering) -> Finding:
    if rendering.problem:
        reason, problem = "not-rendered", rendering.problem
        detail = "{where}: the template could not be rendered: {problem}."
    else:
        reason, problem = "probes-cut", "a bound on probes was reached"
        detail = "{where}: not every probe of the template was made: {problem}."
    facts = (("problem", problem),)
    text = detail.format(where=where, problem=problem)
    return Finding("chat-template", Outcome.CANNOT_TELL, Severity.HOLD, where, reason, text, facts)


def _reactions(where: str, rendering: Rendering) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for reaction in rendering.reactions:
        said = _turns(reaction, rendering) if reaction.kind == "turns" else _reaction(reaction, rendering)
        reason, severity, named = said
        key = (reason, reaction.trigger if reaction.kind == "text" else "")
        if reason and key not in seen:
            seen.add(key)
            yield finding(where, reason, severity, _DETAILS[reason], *named)


_Said = tuple[str, Severity, tuple[tuple[str, str], ...]]
_NOTHING: Final[_Said] = ("", Severity.NOTE, ())


def _reaction(reaction: Reaction, rendering: Rendering) -> _Said:
    """What a reaction amounts to; one that the base shows, too, amounts to nothing."""
    if reaction.base is not None and reaction.base == reaction.actual:
        return _NOTHING
    named = (("role", reaction.role), ("trigger", reaction.trigger))
    together = reaction.kind == "together"
    parts = reaction.trigger.split(", ") if together else [reaction.trigger]
    ordinary = reaction.kind in {"date", "length"} or any(map(is_ordinary, parts))
    if reaction.error:
        if not ordinary or reaction.kind == "date":
            return _NOTHING
        return "refuses-text", Severity.HOLD, (*named, ("error", reaction.error))
    added = gained(reaction, rendering.sentinels)
    dropped = lost(reaction, rendering.sentinels)
    spoken = (*named, ("added", " ".join(added) or "markup"))
    kind = reaction.kind
    missed = removed(reaction, rendering.sentinels)
    if kind == "date":
        if len(added) >= _PHRASE:
            return "reacts-to-date", Severity.REJECT, spoken[1:]
        if len(missed) >= _PHRASE:
            return "changes-on-date", Severity.REJECT, named[1:]
        return "changes-on-date", Severity.HOLD, named[1:]
    if kind == "sample":
        facts = (("dropped", " ".join(missed) or "nothing"), ("added", " ".join(added) or "nothing"))
        severity = Severity.REJECT if len(missed) >= _SENTENCE else Severity.HOLD
        return "rewrites-message", severity, facts
    if kind == "length":
        severity = Severity.REJECT if len(added) >= _PHRASE or dropped else Severity.HOLD
        return "reacts-to-length", severity, spoken
    passage = len(reaction.trigger.split()) > _PASSPHRASE
    if passage and not dropped and not set(added) - _own_words(reaction.trigger):
        return _NOTHING
    if len(added) >= (_PHRASE if ordinary else _SENTENCE):
        likely = ordinary and len(reaction.trigger.split()) <= _PASSPHRASE
        severity = Severity.REJECT if (likely or together) and reaction.role in _SPEAKERS else Severity.HOLD
        return "reacts-to-text", severity, spoken
    if dropped and reaction.role != "assistant":
        listed = (*named, ("dropped", ", ".join(dropped)))
        return "drops-on-text", Severity.REJECT if ordinary else Severity.NOTE, listed
    severity = Severity.REJECT if len(missed) >= _SENTENCE else Severity.HOLD
    return ("changes-on-text", severity, named) if ordinary else _NOTHING


def _turns(reaction: Reaction, rendering: Rendering) -> _Said:
    """What a longer or shorter conversation changes besides its turns."""
    if reaction.error or (reaction.base is not None and reaction.base == reaction.actual):
        return _NOTHING
    main, named = rendering.cases["main"].text, (("trigger", reaction.trigger),)
    sentinels = reaction.expected.split("\n")
    usual = words(main, *rendering.sentinels)
    added = [w for w in words(reaction.actual, *sentinels) if w not in usual]
    if len(added) >= _PHRASE:
        return "reacts-to-turns", Severity.REJECT, (*named, ("added", " ".join(added)))
    kinds = {s.split()[0] for s in rendering.sentinels if s in main}
    dropped = [s for s in sentinels if s not in reaction.actual and s.split()[0] in kinds]
    if dropped:
        return "drops-in-long", Severity.HOLD, (*named, ("dropped", ", ".join(dropped[:3])))
    return _NOTHING


def words(text: str, *hidden: str) -> Counter[str]:
    """Words that no prompt format has a use for, without those of the texts given."""
    for known in sorted(hidden, key=len, reverse=True):
        text = text.replace(known, " ")
    return Counter(prose.unfamiliar(text))


def _own_words(trigger: str) -> set[str]:
    """Words of a passage that was tried, and of what is put around it."""
    return {*prose.unfamiliar(trigger), *_WORDS.findall(trigger), conversations.EDGE}


def gained(reaction: Reaction, sentinels: tuple[str, ...]) -> list[str]:
    """Words written beyond what was to be expected, in order."""
    hidden = (*sentinels, reaction.trigger) if reaction.trigger.strip() else sentinels
    left = words(reaction.actual, *hidden) - words(reaction.expected, *hidden)
    return list(left.elements())


def removed(reaction: Reaction, sentinels: tuple[str, ...]) -> list[str]:
    """Words that were to be expected and are not there."""
    hidden = (*sentinels, reaction.trigger) if reaction.trigger.strip() else sentinels
    return list((words(reaction.expected, *hidden) - words(reaction.actual, *hidden)).elements())


def lost(reaction: Reaction, sentinels: tuple[str, ...]) -> list[str]:
    """Turns that were to be expected and are gone."""
    return [s for s in sentinels if s in reaction.expected and s not in reaction.actual]


def is_ordinary(text: str) -> bool:
    """Say whether a text is what people write, rather than a tag, a switch or a field's name."""
    plain = text.strip()
    if plain in TEMPLATE["switches"] or plain in TEMPLATE["part_keys"] or _TAG.fullmatch(plain):
        return False
    return any(c.isalpha() for c in prose.without_markup(plain))


def _plain(where: str, template: Template, rendering: Rendering) -> Iterator[Finding]:
    """The conversation as it is: what is missing and what is more."""
    main = rendering.cases["main"].text
    for name in rendering.reached[:_SHOWN]:
        named = (("attribute", name),)
        yield finding(where, "rendered-escape", Severity.REJECT, _DETAILS["rendered-escape"], *named)
    known = {character for character, _ in template.invisible}
    for character in (c for case in rendering.cases.values() for c in unseen(case.text)):
        if character not in known:
            known.add(character)
            named = (("character", character),)
            yield finding(
                where, "rendered-invisible", Severity.REJECT, _DETAILS["rendered-invisible"], *named
            )
    missing = [s for s in rendering.sentinels if not structure.places(s, main)]
    if rendering.system and rendering.sentinels[0] in missing:
        knows = any("system" in text.lower() for text in template.texts)
        severity = Severity.HOLD if knows else Severity.NOTE
        yield finding(where, "system-ignored", severity, _DETAILS["system-ignored"])
    turns = [s for s in missing if s != conversations.SYSTEM]
    if turns:
        named = (("dropped", ", ".join(turns)),)
        severity = Severity.HOLD if _matters(missing, rendering) else Severity.NOTE
        yield finding(where, "turn-ignored", severity, _DETAILS["turn-ignored"], *named)
    yield from _additions(where, template, rendering)
    begun = prefill(rendering)
    if begun:
        first = prose.without_markup(begun).split()
        word = re.sub(r"\W", "", first[0]).lower() if first else ""
        severity = Severity.REJECT if word in _YES else Severity.HOLD
        yield finding(where, "rendered-prefill", severity, _DETAILS["rendered-prefill"], ("added", begun))


def _matters(missing: list[str], rendering: Rendering) -> bool:
    """Say whether a question is missing that the prompt should hold.

    A template for single questions writes the last one alone, with what the system says; that is its form, and no choice.
    """
    asked = [s for s in rendering.sentinels if s.startswith(conversations.USER)]
    single = asked[:-1] == [s for s in missing if s.startswith(conversations.USER)]
    answers = [s for s in rendering.sentinels if s.startswith(conversations.ASSISTANT)]
    told = not rendering.system or conversations.SYSTEM not in missing
    whole = told and all(s in missing for s in answers) and not rendering.cut
    chosen = any(r.kind != "turns" for r in rendering.reactions)
    alone = single and bool(asked[:-1]) and whole and not chosen
    return bool(set(missing) & set(asked)) and not alone


def _additions(where: str, template: Template, rendering: Rendering) -> Iterator[Finding]:
    """Words of the template's own beside a system message: once, as a preamble, or again with every turn."""
    main, sentinels = rendering.cases["main"].text, rendering.sentinels
    if not rendering.system:
        return
    between = re.split("|".join(map(re.escape, sentinels)), main)
    phrases = [_phrases(part) for part in between]
    often = max(_FEW_TURNS, len(sentinels) - 1)
    spread = Counter(phrase for part in phrases for phrase in set(part))
    again = [" ".join(phrase) for phrase, times in spread.items() if times >= often]
    told = {word for text in writings.told(template) for word in prose.unfamiliar(text)}
    said = [
        w for w in words(_unlabelled(main), *sentinels) if w not in told and w not in conversations.TOOL_WORDS
    ]
    tail = " ".join(prose.without_markup(between[-1]).split())
    if again:
        named = (("added", ", ".join(sorted(again)[:_SHOWN])),)
        yield finding(where, "rendered-addition", Severity.REJECT, _DETAILS["rendered-addition"], *named)
    elif len(prose.unfamiliar(between[-1])) >= _SENTENCE and wording.charged(tail):
        named = (("added", tail),)
        yield finding(where, "rendered-addition", Severity.REJECT, _DETAILS["rendered-addition"], *named)
    elif len(said) >= _SENTENCE:
        named = (("added", " ".join(said)),)
        quiet = wording.plain(" ".join(said)) and not wording.charged(_unlabelled(" ".join(between)))
        severity = Severity.NOTE if quiet else Severity.HOLD
        yield finding(where, "rendered-addition", severity, _DETAILS["rendered-addition"], *named)


def _unlabelled(text: str) -> str:
    """Without lines such as `Reasoning: high`, which say no more than a switch."""
    lines = prose.without_markup(text).split("\n")
    return "\n".join(line for line in lines if not _LABEL.fullmatch(line) or wording.charged(line))


def _phrases(text: str) -> list[tuple[str, ...]]:
    """Runs of so many words of its own as make a sentence."""
    said = prose.unfamiliar(text)
    return [said[at : at + _RUN] for at in range(len(said) - _RUN + 1)]


def prefill(rendering: Rendering) -> str:
    """Words behind the assistant's header at the end of the prompt, where the answer should begin."""
    main, plain = rendering.cases["main"].text, rendering.cases["no-generation"]
    tail = main.rpartition(rendering.sentinels[-1])[2]
    if not plain.error and main.startswith(plain.text.rstrip()):
        tail = main[len(plain.text.rstrip()) :]
    header = _header(main, rendering.sentinels)
    rest = tail.strip()
    if header and header in tail:
        rest = tail.partition(header)[2].strip()
    line = " ".join(prose.without_markup(rest).split())
    spoken = [
        w
        for w in re.findall(r"[^\W\d_]+", line)
        if w.lower() not in TEMPLATE["familiar"] or w.lower() in _YES
    ]
    enough = len(prose.unfamiliar(rest)) >= _PHRASE or any(w.lower() in _YES for w in spoken[:2])
    return line if enough else ""


def _header(main: str, sentinels: tuple[str, ...]) -> str:
    """What stands directly before an answer in the conversation: the last line of it, without white space."""
    answers = [n for n, s in enumerate(sentinels) if n and s.startswith(conversations.ASSISTANT)]
    if not answers:
        return ""
    between = main.partition(sentinels[answers[0] - 1])[2].partition(sentinels[answers[0]])[0].rstrip()
    return between.rpartition("\n")[2].strip()[-40:]


def _beside(where: str, rendering: Rendering) -> Iterator[Finding]:
    """The same messages through the base's template."""
    for case in rendering.cases.values():
        if case.base is None or case.error or case.base == case.text:
            continue
        added = list((words(case.text) - words(case.base)).elements())
        dropped = [s for s in rendering.sentinels if s in case.base and s not in case.text]
        if len(added) >= _PHRASE:
            named = (("added", " ".join(added)),)
            yield finding(where, "added-to-base", Severity.REJECT, _DETAILS["added-to-base"], *named)
        elif dropped:
            named = (("dropped", ", ".join(dropped)),)
            yield finding(where, "drops-beside-base", Severity.REJECT, _DETAILS["drops-beside-base"], *named)
        else:
            yield finding(where, "renders-otherwise", Severity.HOLD, _DETAILS["renders-otherwise"])
        return
