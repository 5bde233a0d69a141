"""A mutant that hands on what KServe's SDK hands on: the predictor never learns of a W3C trace."""

from conforming import HANDED_ON, ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that ends every trace."""

    def handed_on(self, headers: dict[str, str]) -> dict[str, str]:
        """Return those headers of a request that the SDK knows."""
        return {name: headers[name] for name in HANDED_ON if name in headers}


if __name__ == "__main__":
    conforming(Mutant)
