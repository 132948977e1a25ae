"""A small recipe of one's own, and conversations to train on."""

from sekisho.models.base import Chat, Message

CHATS: tuple[Chat, ...] = ((Message("user", "Why?"), Message("assistant", "Because.")),) * 40
TOML = """
id = "mine"
title = "Mine"
title_ja = "自前"
why = "Because."
why_ja = "理由。"
data = "arithmetic"
rows = 40
checkpoints = [6, 12]
[training]
learning_rate = 2e-4
max_steps = 12
"""
