"""Static analysis of chat templates: a small taint analysis over the syntax tree; nothing is rendered."""
