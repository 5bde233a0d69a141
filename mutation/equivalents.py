"""Mutants that do what the code does: `equivalents.toml`, each entry with its reason."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from common.errors import UsageError
from mutation.sites import Site

FILE = Path("mutation", "equivalents.toml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change that nobody can notice; where a file has its line several times, all of them are meant.

    Attributes:
        file: The path of the module from the root of the checkout.
        operator: The name of the operator.
        line: The line as it is.
        becomes: The line as the operator makes it.
        reason: Why nobody can notice.
    """

    file: str
    operator: str
    line: str
    becomes: str
    reason: str

    def may_fit(self, site: Site) -> bool:
        """Tell whether a change at a site may be this one."""
        return (self.file, self.line) == (site.file, site.text)

    def fits(self, site: Site, operator: str, becomes: str) -> bool:
        """Tell whether what an operator makes of the line at a site is this change."""
        return (self.operator, self.becomes) == (operator, becomes) and self.may_fit(site)


def read(root: Path) -> list[Equivalent]:
    """Read the entries of a checkout; none when it has no such file.

    Raises:
        UsageError: The file cannot be read, or an entry is not as it must be.
    """
    path = root / FILE
    if not path.exists():
        return []
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: expected TOML, got: {error}") from error
    names = [field.name for field in fields(Equivalent)]
    entries = data.pop("equivalent", [])
    if data or not isinstance(entries, list):
        raise UsageError(f"{path}: expected tables [[equivalent]], got {', '.join(data) or type(entries).__name__}")
    for number, entry in enumerate(entries, 1):
        if sorted(entry) != sorted(names) or not all(isinstance(text, str) and text.strip() for text in entry.values()):
            raise UsageError(f"{path}: entry {number}: expected the texts {', '.join(names)}, got {', '.join(entry)}")
    return [Equivalent(**entry) for entry in entries]
