"""Faulty platforms by name: each changes a policy of the honest one, and cites the real fault that it models.

Every module of this folder is imported, so a mutant is registered as soon as it is written.
"""

import importlib
import pkgutil

from embedded.mutants.personalities import PERSONALITIES, Personality, find_personality
from embedded.mutants.registry import Mutant, MutantError, by_host, combined
from embedded.mutants.selection import Selection

__all__ = [
    "PERSONALITIES",
    "Mutant",
    "MutantError",
    "Personality",
    "Selection",
    "by_host",
    "combined",
    "find_personality",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
