"""``coterie systems``: what can be fitted."""

from __future__ import annotations


def systems() -> None:
    """List the systems and their recipes."""
    from coterie.algorithms import SYSTEMS
    from coterie.cli.console import Screen
    from coterie.selection import Auto

    rows = [["auto", Auto.title, "-"]]
    rows += [[name, cls.title, ", ".join(sorted(cls.recipes)) or "-"] for name, cls in SYSTEMS.items()]
    Screen().table(["name", "what it is", "recipes"], rows, numbers=False)
