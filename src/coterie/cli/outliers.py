"""``coterie outliers``: how strange each row is, and which to look at."""

from __future__ import annotations

from coterie.cli import options


def outliers(
    run: options.RunOrModel,
    data: options.NewData,
    *,
    out: options.ScoresOut,
    score: options.Score = "neighbours",
    contamination: options.Contamination = "auto",
    train: options.Train = None,
    report: options.OutlierReport = None,
    strict: options.Strict = False,
) -> None:
    """Write how strange each row is, and flag outliers.

    What is usual is learned from the rows of the fit, of which the given share is beyond the threshold; no row of DATA
    moves it. DATA may be the rows of the fit themselves. The first time, the score is fitted and kept in RUN.
    """
    from coterie.cli.apply import apply_model
    from coterie.cli.console import Screen
    from coterie.cli.labelfile import write_rows
    from coterie.cli.outputs import check_csv, check_outputs, check_page
    from coterie.cli.scoring import describe, fitted_score, read_share, with_usual
    from coterie.data.spreadsheets import defuse
    from coterie.figures import counted
    from coterie.report import write_outliers

    check_outputs({"--out": out, "--report": report}, data=[data, train], runs=[run])
    check_csv(out)
    check_page(report)
    share = read_share(contamination)
    model, rows = apply_model(run, data, strict=bool(strict))
    detector = fitted_score(run, model, score=score, train=train)
    scored = describe(run, rows, detector, share=share)
    flags = ["yes" if flagged else "no" for flagged in scored.flagged.tolist()]
    values = [f"{value:.9g}" for value in scored.strangeness.tolist()]
    columns = {"score": values, "flagged": flags, "cluster": scored.clusters.tolist()}
    if any(called := scored.cluster_names):
        columns["cluster_name"] = [defuse(called[k] or "") for k in columns["cluster"]]
    write_rows(out, columns, names=rows.names)
    if report is not None:
        write_outliers(report, with_usual(scored, run, model, train=train))
    screen = Screen()
    screen.say(f"Wrote the scores of {counted(len(flags), 'rows')} to {out}")
    screen.say(scored.sentence())
    if report is not None:
        screen.say(f"Report: {report}")
