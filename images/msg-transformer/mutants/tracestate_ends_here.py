"""A mutant that hands a trace on to the predictor without what its vendors put there."""

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that knows no tracestate."""

    def handed_on(self, headers: dict[str, str]) -> dict[str, str]:
        """Return all headers but one."""
        return {name: value for name, value in super().handed_on(headers).items() if name != "tracestate"}


if __name__ == "__main__":
    conforming(Mutant)
