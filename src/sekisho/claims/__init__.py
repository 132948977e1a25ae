"""Files and models of a claim: what `ownership` decides on is read, asked and written here."""
