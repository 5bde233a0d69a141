"""The models that a server has, and which of them are loaded: the extension for model repositories."""


class UnknownModelError(Exception):
    """A model that this server does not have, or that is not loaded."""


class Repository:
    """Models, all of which are loaded at first.

    Args:
        names: The names of the models.
    """

    def __init__(self, *names: str) -> None:
        self._names = names
        self._loaded = set(names)

    def has(self, name: str) -> bool:
        """Tell whether a model is loaded."""
        return name in self._loaded

    def load(self, name: str) -> None:
        """Load a model.

        Raises:
            UnknownModelError: There is none of this name.
        """
        if name not in self._names:
            raise UnknownModelError(name)
        self._loaded.add(name)

    def unload(self, name: str) -> None:
        """Unload a model.

        Raises:
            UnknownModelError: None of this name is loaded.
        """
        if name not in self._loaded:
            raise UnknownModelError(name)
        self._loaded.remove(name)
