"""WHAT was seen: the history, the strict reader, the checks, the verdicts and the catalogue model."""
