"""What the files of a run are called: `coterie fit` writes them, and everything else finds them by these names."""

CONFIG = "config.toml"  # what was asked for; it makes the run again
MODEL = "model"  # folder of the fitted system
ARRAYS = "arrays.npz"  # what the report draws, and which classes were known
LABELS = "labels.csv"
METRICS = "metrics.json"
HISTORY = "history.jsonl"
ENVIRONMENT = "environment.json"
REPORT = "report.html"
OUTLIERS = "outliers"  # folder of fitted outlier scores, which `coterie outliers` leaves
KNOWN = "known.csv"  # answers of `coterie label`
EDITED = ".edited"  # what an edit has written and not yet moved into place
