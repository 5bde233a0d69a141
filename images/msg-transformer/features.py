"""A picture of one handwritten digit, bright on black, as the 64 pixels that the predictor was trained on."""

import base64
import binascii
import io
from typing import Any

from PIL import Image, UnidentifiedImageError

SIDE = 8
BRIGHTEST = 16
MOST_BYTES = 1 << 20
MOST_PIXELS = 1 << 22


class NotAnImageError(ValueError):
    """An instance without a readable picture."""


def features(instance: Any) -> list[float]:
    """Return the 64 pixels, row by row, 0 black to 16 white, of `{"data": "<base64 of a PNG>"}`.

    Raises:
        NotAnImageError: The instance has another shape, or its data is not base64, not a picture, or too large.
    """
    data = instance.get("data") if isinstance(instance, dict) else None
    if not isinstance(data, str):
        raise NotAnImageError('every instance is {"data": "<base64 of a PNG>"}')
    if len(data) > MOST_BYTES:
        raise NotAnImageError(f"an instance has more than {MOST_BYTES} characters of base64")
    try:
        image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        if image.width * image.height > MOST_PIXELS:
            raise NotAnImageError(f"a picture of {image.width}x{image.height} is too large")
        return pixels(image.convert("L"))
    except binascii.Error as error:
        raise NotAnImageError(f"an instance's data is no base64: {error}") from error
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, NotAnImageError):
            raise
        raise NotAnImageError("an instance's data is no readable picture") from error


def pixels(image: Image.Image) -> list[float]:
    """Crop to what is drawn, pad to a square, and average down to 8x8: the way the training digits were made."""
    drawn = image.crop(image.getbbox())
    side = max(drawn.size)
    square = Image.new("L", (side, side))
    square.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
    return averaged(square)


def averaged(image: Image.Image) -> list[float]:
    """Average down to 8x8 by boxes, on the training data's scale."""
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    return [value / 255 * BRIGHTEST for value in small.tobytes()]
