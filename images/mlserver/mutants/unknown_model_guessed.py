"""A mutant that asks a loaded model where a request names one that is not."""

from conforming import ConformingServer, conforming

LOADED = ("sums", "texts")


class Mutant(ConformingServer):
    """A Kafka server that takes a name that it does not know for that of its first model."""

    def asked(self, headers: dict[str, str]) -> tuple[str, str | None]:
        """Return the model that is asked for, else the first one, in the version that is asked for."""
        name, version = super().asked(headers)
        return name if name in LOADED else "sums", version


if __name__ == "__main__":
    conforming(Mutant)
