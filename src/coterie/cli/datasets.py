"""``coterie datasets``: the benchmark sets."""

from __future__ import annotations


def datasets() -> None:
    """List the benchmark sets.

    Their names are valid DATA, and their labels are only ever used to evaluate.
    """
    from coterie.cli.console import Screen
    from coterie.datasets import DATASETS, data_home, status

    rows = [
        [name, f"{info.rows:,}", " x ".join(map(str, info.shape)), str(len(info.classes)), status(name), info.title]
        for name, info in DATASETS.items()
    ]
    Screen().table(["name", "rows", "a row", "classes", "here", "what it is"], rows, numbers=False)
    Screen().say(f"Sets that are not stored are downloaded to {data_home()} when they are first used.")
    for name, info in DATASETS.items():
        if not info.embedded and not info.mirrors:
            Screen().say(f"{name} cannot be downloaded: {info.advice}; put {info.archive} there.")
