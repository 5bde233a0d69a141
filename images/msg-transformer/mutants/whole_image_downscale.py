"""A mutant that averages the whole picture instead of its drawn part: it reads the documentation's 2 as a 7."""

import base64
import io
from typing import Any

from conforming import ConformingTransformer, conforming
from features import averaged, features
from PIL import Image


class Mutant(ConformingTransformer):
    """A transformer without the crop."""

    def features(self, instance: Any) -> list[float]:
        """Return the pixels of one picture."""
        features(instance)  # refuses what is no picture
        return averaged(Image.open(io.BytesIO(base64.b64decode(instance["data"]))).convert("L"))


if __name__ == "__main__":
    conforming(Mutant)
