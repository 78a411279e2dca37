"""``coterie embed``: the code of each row."""

from __future__ import annotations

from coterie.cli import options


def embed(
    run: options.RunOrModel, data: options.NewData, *, out: options.CodesOut, strict: options.Strict = False
) -> None:
    """Write the codes of further rows.

    A code is the few numbers that the network makes of a row, in which the clusters were found.
    """
    import numpy as np

    from coterie.cli.apply import apply_model
    from coterie.cli.console import Screen
    from coterie.cli.outputs import check_outputs
    from coterie.errors import InputError
    from coterie.figures import counted
    from coterie.files import atomic_path

    if out.suffix != ".npy":
        raise InputError(f"--out must end in .npy. Got {str(out)!r} instead.")
    check_outputs({"--out": out}, data=[data], runs=[run])
    model, rows = apply_model(run, data, strict=bool(strict))
    z = model.transform(rows.source)
    with atomic_path(out) as path:
        np.save(path, z)
    Screen().say(f"Wrote {counted(len(z), 'codes')} of {counted(z.shape[1], 'numbers')} to {out}")
