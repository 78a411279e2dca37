"""``coterie demo``: the main job on the embedded digits."""

from __future__ import annotations

from pathlib import Path

from coterie.cli import options


def demo(
    *, out: options.DemoOut = Path("coterie-demo"), seed: options.DemoSeed = 0, quiet: options.Quiet = False
) -> None:
    """Sort handwritten digits into ten clusters.

    The 10,000 images come with coterie. Nobody tells it which digit is which: their labels only serve to say at the end
    how well it went.
    """
    from coterie.cli.clearing import clear_for_demo
    from coterie.cli.console import Screen
    from coterie.cli.run import make_run
    from coterie.cli.settings import RunSettings

    values = {"data": "mnist10k", "system": "dec", "seed": seed, "made_by": "demo", "parameters": {"n_clusters": 10}}
    settings = RunSettings.from_values(values)
    clear_for_demo(out)
    make_run(settings, out, Screen(quiet=quiet))
