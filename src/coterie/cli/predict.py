"""``coterie predict``: clusters of further rows."""

from __future__ import annotations

from coterie.cli import options


def predict(
    run: options.RunOrModel, data: options.NewData, *, out: options.LabelsOut, strict: options.Strict = False
) -> None:
    """Write the clusters of further rows.

    For each row of DATA: its number, its name if it has one, its cluster, and how sure that is, from 0 to 1.
    """
    from coterie.cli.apply import apply_model
    from coterie.cli.console import Screen
    from coterie.cli.labelfile import write_labels

    model, rows = apply_model(run, data, strict=bool(strict))
    q = model.predict_proba(rows.source)
    write_labels(out, q.argmax(1), q.max(1), names=rows.names)
    Screen().say(f"Wrote the clusters of {len(q):,} rows to {out}")
