"""``coterie predict``: clusters of further rows."""

from __future__ import annotations

from coterie.cli import options


def predict(
    run: options.RunOrModel,
    data: options.NewData,
    *,
    out: options.LabelsOut,
    report: options.DriftOut = None,
    strict: options.Strict = False,
) -> None:
    """Write the clusters of further rows, and what is new.

    For each row of DATA: its number, its name if it has one, its cluster, how sure that is, from 0 to 1, and whether
    the row is unlike anything seen in training.
    """
    from coterie.cli.apply import apply_model
    from coterie.cli.console import Screen
    from coterie.cli.labelfile import write_labels
    from coterie.cli.newrows import is_page, write_differences
    from coterie.cli.outputs import check_csv, check_outputs, check_page
    from coterie.errors import InputError
    from coterie.figures import counted
    from coterie.selection import drift

    check_outputs({"--out": out, "--report": report}, data=[data], runs=[run])
    check_csv(out)
    check_page(report, or_json=True)
    model, rows = apply_model(run, data, strict=bool(strict))
    if report is not None and model.familiarity_ is None:
        raise InputError(f"{run} was saved without training rows to compare with; fit it again for a --report.")
    if report is not None and is_page(report) and len(model.labels_) < 2:
        raise InputError("--report needs at least 2 training rows for a page. Got 1; give a FILE that ends in .json.")
    found = drift(model, rows.source) if model.familiarity_ is not None else None
    labels = model.predict(rows.source) if found is None else found.labels
    more = None if found is None else {"strange": ["yes" if strange else "no" for strange in found.strange.tolist()]}
    sure, called = model.predict_confidence(rows.source), model.cluster_names_
    write_labels(out, labels, sure, names=rows.names, more=more, cluster_names=called)
    if report is not None and found is not None:
        write_differences(report, run, model=model, rows=rows, found=found)
    screen = Screen()
    noun = "image" if rows.source.spec.kind == "images" else "row"
    screen.say(f"Wrote the clusters of {counted(len(labels), noun + 's')} to {out}")
    if found is not None:
        screen.say(found.sentence(noun=noun, names=called))
        if report is not None:
            screen.say(f"Report: {report}")
