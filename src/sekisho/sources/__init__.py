"""Where a model comes from; each source yields local files and provenance facts."""
