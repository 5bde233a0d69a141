"""The command lines of Kafka's tools: `--name value`, `--name=value` and flags, refused in the tools' own words."""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn


class Options:
    """The options of one command line, each with its values.

    Args:
        arguments: The command line without the program.
        known: The options of this tool: True for one that takes a value.
        others: The options of the real tool that are not here.
    """

    def __init__(self, arguments: Sequence[str], known: Mapping[str, bool], others: Sequence[str]) -> None:
        self._values: defaultdict[str, list[str]] = defaultdict(list)
        left = list(arguments)
        while left:
            word = left.pop(0)
            if not word.startswith("--"):
                continue  # the real tools ignore it
            name, equals, value = word[2:].partition("=")
            if name in others:
                refuse(f"{name} is an option of Kafka's own tool only; this stand-in knows {_listed(known)}")
            if name not in known:
                refuse(f"{name} is not a recognized option")
            if known[name] and not equals:
                if not left or left[0].startswith("--"):
                    refuse(f"Option {name} requires an argument")
                value = left.pop(0)
            self._values[name].append(value)

    def __contains__(self, name: str) -> bool:
        """Return whether the option is there."""
        return name in self._values

    def text(self, name: str, otherwise: str = "") -> str:
        """Return the option's value."""
        given = self._values.get(name, [otherwise])
        if len(given) > 1:
            refuse(f"Found multiple arguments for option {name}, but you asked for only one")
        return given[0]

    def required(self, name: str) -> str:
        """Return the value of an option that must be there."""
        if name not in self:
            refuse(f'Missing required argument "[{name}]"')
        return self.text(name)

    def number(self, name: str, otherwise: int) -> int:
        """Return the option's value as a number."""
        text = self.text(name, str(otherwise))
        if not text.removeprefix("-").isdecimal():
            refuse(f"Cannot parse argument '{text}' of option {name}")
        return int(text)

    def properties(self, name: str) -> dict[str, str]:
        """Return the values of an option like `--property name=value` by name."""
        pairs = {}
        for text in self._values.get(name, []):
            key, equals, value = text.partition("=")
            if not equals or not key:
                refuse(f"Invalid command line properties: {text}")
            pairs[key] = value
        return pairs

    def file(self, name: str) -> dict[str, str]:
        """Return the properties in the file that the option names."""
        if name not in self:
            return {}
        path = Path(self.text(name))
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            refuse(f"{path}: {error.strerror if isinstance(error, OSError) else error}")
        pairs = (line.partition("=") for line in lines if line and line[0] not in "#!")
        return {key.strip(): value.strip() for key, _, value in pairs}


def refuse(why: str) -> NoReturn:
    """End as a tool does whose command line is wrong."""
    sys.stderr.write(f"{why}\n")
    sys.exit(1)


def _listed(known: Mapping[str, bool]) -> str:
    return ", ".join(f"--{name}" for name in known)
