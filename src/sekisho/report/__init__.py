"""Views of a saved dossier; nothing here looks at live objects."""
