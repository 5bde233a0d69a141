"""The training of the model in `model.json`: `python train.py` (with requirements-train.txt installed).

The data are the 1,797 handwritten digits of 8x8 pixels, values 0 to 16, that scikit-learn carries. A quarter is held
out, stratified, with a fixed seed. The model is StandardScaler, then LogisticRegression, exported as plain numbers, so
that serving needs NumPy alone. The same versions on the same kind of machine write the same file.
"""

import json
import math
from pathlib import Path

import sklearn
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HELD_OUT, SEED = 0.25, 0
# Beyond six significant digits the numbers depend on the CPU's linear algebra.
DIGITS = 6


def rounded(value: float) -> float:
    """Round to `DIGITS` significant digits."""
    return round(value, DIGITS - 1 - math.floor(math.log10(abs(value)))) if value else 0.0


def train() -> dict[str, object]:
    """Return the content of `model.json`: mean and scale (64), coefficients (10 x 64), intercepts (10), and origin."""
    pixels, labels = load_digits(return_X_y=True)
    seen, held_out, seen_labels, held_out_labels = train_test_split(
        pixels, labels, test_size=HELD_OUT, stratify=labels, random_state=SEED
    )
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    pipeline.fit(seen, seen_labels)
    scaler, regression = pipeline.steps[0][1], pipeline.steps[1][1]
    return {
        "about": "StandardScaler + LogisticRegression on scikit-learn's digits; written by train.py",
        "trained_with": f"scikit-learn {sklearn.__version__}",
        "held_out_accuracy": round(pipeline.score(held_out, held_out_labels), 4),
        "classes": [int(label) for label in regression.classes_],
        "mean": [rounded(value) for value in scaler.mean_],
        "scale": [rounded(value) for value in scaler.scale_],
        "coefficients": [[rounded(value) for value in row] for row in regression.coef_],
        "intercepts": [rounded(value) for value in regression.intercept_],
    }


if __name__ == "__main__":
    target = Path(__file__).with_name("model.json")
    model = train()
    target.write_text(json.dumps(model, indent=None, separators=(",", ":")).replace("],", "],\n") + "\n")
    print(f"{target.name}: accuracy on held-out digits {model['held_out_accuracy']}, {target.stat().st_size} bytes")
