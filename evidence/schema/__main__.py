"""`python -m evidence.schema`: write docs/history.md and the JSON Schema of histories from the types of records."""

import sys

from evidence.schema import ROOT, files


def main() -> int:
    """Write both files and name them."""
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
