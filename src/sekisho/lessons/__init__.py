"""Seven short lessons and their quiz: `data/lessons.toml` and `data/lessons/<id>.<language>.toml`, read and marked. No I/O beyond that."""
