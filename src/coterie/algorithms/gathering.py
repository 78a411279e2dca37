r"""Gathering: between pretraining and clustering, rows are drawn to many small clusters.

The code is partitioned by the system's own ``start`` into small clusters, four for each of the K, and the encoder
learns to tell them for augmented rows, as

.. math::
    \min_f \tfrac1n \sum_i -\log q_{i, y_i}, \quad q_{ik} \propto (1 + \|f(x_i) - \mu_k\|^2 / s^2)^{-1}

with centres :math:`\mu_k` held where they are and s the root of the mean squared distance to them. Rows of one group
move together and the gaps widen that the final start looks for. A few small clusters that straddle a gap do little
harm, where one of K that does is an error for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import nll_loss

from coterie.algorithms import warming
from coterie.nn import student_t
from coterie.starts import SAMPLE, make_start
from coterie.training import Batch, Fit, Phase, Turn, encode

if TYPE_CHECKING:
    from coterie.training import Schedule

NAME = "gather"
SMALL = 4  # small clusters for each of the K
ROWS_OF_SMALL = 20  # rows that each of them should have at least, among those that the start looks at


def phases(fit: Fit, rounds: int) -> list[Phase]:
    """Return as many phases of gathering as asked for; none where the "gather" of the fit's settings is None.

    Parameters
    ----------
    fit : Fit
        Its settings have a Schedule or None for "gather".
    rounds : int
        How often the small clusters are found anew; >= 1.

    Returns
    -------
    list of Phase
        All called "gather".
    """
    schedule: Schedule | None = fit.settings["gather"]
    if schedule is None or warming.is_under_way(fit):
        return []
    return [fit.make_phase(NAME, Turn("gather_terms", ("encoder",), schedule))] * rounds


def enter(fit: Fit, n_clusters: int) -> None:
    """Find the small clusters of the present code.

    Parameters
    ----------
    fit : Fit
        Its memory receives centres, labels and the unit of distance.
    n_clusters : int
        K.
    """
    z = encode(fit.model.decoder_input, fit.source, fit.runtime.device)
    start = fit.settings["start"]
    looked_at = len(z) if start == "kmeans" else min(len(z), SAMPLE)
    k = max(1, min(SMALL * n_clusters, looked_at // ROWS_OF_SMALL))
    seed = fit.streams.integer("gather", fit.clock.phase)
    many = make_start(start, z.numpy(), k, seed=seed, n_init=1)
    fit.memory.setdefault("pretrained_code", z)
    fit.memory["small_centers"] = torch.from_numpy(many.centers)
    fit.memory["small_labels"] = torch.from_numpy(many.labels)
    fit.memory["small_unit"] = torch.tensor(many.spread)


def terms(fit: Fit, batch: Batch) -> dict[str, Tensor]:
    """Return the cross entropy between each row's small cluster and its Student-t assignment to all of them.

    Parameters
    ----------
    fit : Fit
        The fit, in a phase of gathering.
    batch : Batch
        Its rows.

    Returns
    -------
    dict of str to Tensor of shape ()
        The one term, "gather", in nats.
    """
    z, device = fit.model.decoder_input(batch.view).float(), batch.x.device
    mu, unit = fit.memory["small_centers"].to(device), float(fit.memory["small_unit"])
    return {"gather": nll_loss(student_t(z, mu, unit=unit), fit.memory["small_labels"][batch.index].to(device))}
