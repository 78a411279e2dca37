"""Documentation of what every system has, written once and filled into each docstring."""

from __future__ import annotations

COMMON_PARAMETERS = """n_clusters : int, "auto" or (int, int), default=8
        K, the number of clusters; 1 <= K <= n. "auto", or the best within a range, is decided without labels before
        the fit (:func:`coterie.algorithms.counting.count`).
    image_shape : tuple of int or None, default=None
        (H, W) or (H, W, C) of images that come as flat rows.
    scaling : {"auto", "none", "unit", "standard"}, default="auto"
        How raw values become the network's: "unit" maps the type's or the set's range to [0, 1], "standard" gives
        each column mean 0 and variance 1; "auto" chooses by dtype and range (:func:`coterie.data.make_source`).
    random_state : int, RandomState or None, default=None
        Seed of everything random. An int gives the same labels again on one machine."""

AUGMENT = """augment : "auto", "none", Augment or str, default="auto"
        Random changes that a row's cluster should not depend on, such as "shift-rotate"."""

START = """start : {"auto", "kmeans", "mixture", "manifold"}, default="auto"
        The first partition of the code (:func:`coterie.starts.make_start`)."""

CODE_SIZE = """code_size : int, default=10
        d, the number of entries of the code; PooledConv or a pair of modules as ``network`` brings its own."""

NETWORK = """network : str, MLP, Conv, PooledConv or pair of nn.Module, default="auto"
        The autoencoder. "auto" follows :mod:`coterie.algorithms.defaults`; "mlp" is the classic one, "conv" the usual
        convolutional one; "depict" and "depict-small" are those of :class:`coterie.DEPICT`'s authors. A pair
        ``(encoder, decoder)`` maps (b, \\*shape) to (b, d) and back; it is copied, never changed."""

RECONSTRUCTION = """reconstruction : {"mse", "bce"}, default="mse"
        Error of reconstructing a row, as a mean over its values: squared error, or binary cross entropy in nats, for
        which ``scaling`` must bring rows into [0, 1] and a sigmoid follows the decoder (a decoder of your own gives
        logits)."""

TRAINING = f"""{AUGMENT}
    {START}
    pretrain : "auto", "none", Schedule or Layerwise, default="auto"
        Training of the autoencoder: all of it at once, or one layer after another. Without it, "none" or None, the
        start is one of the untrained network's codes.
    train : "auto" or Schedule, default="auto"
        Training of the clusters."""

SHARED_PARAMETERS = f"""{COMMON_PARAMETERS}
    {CODE_SIZE}
    {NETWORK}
    {RECONSTRUCTION}
    {TRAINING}"""

N_INIT = """n_init : int, default=1
        Times that clustering is done, each from another start in the same code; the run is kept in which a row's
        neighbours in the code of pretraining tell most about its cluster, without labels. >= 1."""

GATHER_PARAMETERS = """gather : "auto", "none", Schedule or None, default="auto"
        Training between pretraining and clustering that gathers the rows around small clusters, four for each of the K,
        found by the same ``start``, by a Student-t kernel of one degree of freedom and their own spread: it widens the
        gaps that the final start looks for. "none" or None leaves it out.
    gather_rounds : int, default=2
        How often that is done, each time around clusters found anew; >= 1."""

DEC_PARAMETERS = f"""alpha : float, default=1.0
        Degrees of freedom of the Student-t kernel; positive, unitless.
    unit : float or "auto", default="auto"
        Distance that counts as one in Q; positive, in units of the code. "auto" is the root of the mean squared
        distance of the start's rows to their centres, so that Q means the same for a wide and a narrow code.
    update_interval : int, default=100
        Optimiser steps between two recomputations of P over all rows; >= 1.
    tol : float or None, default=0.001
        Training ends when fewer than this share of the rows changed cluster between two recomputations; None never.
    warmup : int or "auto", default="auto"
        Optimiser steps in which P is the start's partition itself, up to the next recomputation. The clusters of a
        mixture or a manifold are not round, and Q around their means would not be them: 0 for ``start="kmeans"``.
    {GATHER_PARAMETERS}
    warm_start : bool, default=False
        Whether a second ``fit`` goes on from the network, the scaling and the clusters of the first, as they were
        fitted, without pretraining and gathering: for labels that came later, or more rows like those."""

FOUND_ATTRIBUTES = """labels_ : ndarray of shape (n,)
        Cluster of each row, int64; the same as ``predict`` of those rows.
    cluster_centers_ : ndarray of shape (K, d)
        Centres in the code, float32.
    cluster_names_ : list of str or None
        Names that clusters were given, or have from classes that were learned from; None for those without.
    edits_ : Edits
        What was changed about the clusters since the fit, with ``rename``, ``merge`` and ``split``.
    history_ : list of dict
        Records of the training: phase, step, seconds, each term's mean over the steps since the last record, the
        learning rate, and at refreshes the share of rows that changed cluster.
    spec_ : DataSpec
        Shape and scaling of a row.
    settings_ : dict
        Every parameter with "auto" resolved, but for a ``unit`` that is the spread of the start.
    familiarity_ : Familiarity or None
        Training rows that :meth:`strangeness` compares with; None in a model file of an earlier version.
    model_ : nn.Module
        The trained encoder, decoder and head.
    network_summary_ : str
        Layers, shapes and parameter counts.
    seed_ : int
        The seed that was used.
    count_ : Count or None
        How the number of clusters was found, where it was left open; None where it was given.
    calibration_ : Calibration or None
        From a row's margin and cluster to how sure it is, where an independent run was made; None otherwise.
    order_ : ndarray of shape (K,) or None
        The number that the network has for each cluster, where known labels have given it another.
    n_known_ : int
        Labels that were known to the fit; 0 without ``known=``.
    n_pairs_ : int
        Pairs that were known to it; 0 without ``must_link=`` and ``cannot_link=``.
    n_iter_ : int
        Optimiser steps taken.
    fit_seconds_ : float
        Time of the fit, over all processes that worked on it.
    n_features_in_ : int
        Values in a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any."""

FITTED_ATTRIBUTES = f"""{FOUND_ATTRIBUTES}
    pretrained_code_ : ndarray of shape (n, d) or None
        The code before the clusters were trained, which k-means serves as a baseline on."""


def fill(doc: str) -> str:
    """Return a docstring with the marks of shared parts, such as ``{shared}``, replaced by them.

    Parameters
    ----------
    doc : str
        A docstring.

    Returns
    -------
    str
        The whole of it.
    """
    parts = {
        "{common}": COMMON_PARAMETERS,
        "{shared}": SHARED_PARAMETERS,
        "{n_init}": N_INIT,
        "{network}": NETWORK,
        "{training}": TRAINING,
        "{augment}": AUGMENT,
        "{start}": START,
        "{dec}": DEC_PARAMETERS,
        "{gather}": GATHER_PARAMETERS,
        "{found}": FOUND_ATTRIBUTES,
        "{fitted}": FITTED_ATTRIBUTES,
    }
    for mark, part in parts.items():
        doc = doc.replace(mark, part)
    return doc
