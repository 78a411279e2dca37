"""Texts as rows of numbers: the weight of each of the commonest words in each text."""

from __future__ import annotations

import gzip
import json
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from coterie.data.table import Table
from coterie.errors import InputError

__all__ = ["read_newsgroups", "tfidf", "without_header"]

_WORDS = 2_000
_TOKEN = r"(?u)\b[^\W\d_]{3,}\b"  # three letters or more; numbers and initials tell little and crowd words out
_DAMAGE = (EOFError, KeyError, OSError, TypeError, UnicodeDecodeError, ValueError, tarfile.TarError, zlib.error)


def tfidf(texts: Sequence[str], n_words: int = _WORDS) -> tuple[np.ndarray, list[str]]:
    r"""Weigh the commonest words of texts by how often a text has them and how few texts do.

    .. math::
        x_{ij} \propto n_{ij} \Bigl(\log \frac{1 + n}{1 + n_j} + 1\Bigr), \quad \|x_i\| = 1

    with :math:`n_{ij}` the occurrences of word j in text i and :math:`n_j` the texts that hold it.

    Parameters
    ----------
    texts : sequence of str
        The n texts.
    n_words : int, default=2000
        Columns at most: the words that occur most often in all texts together.

    Returns
    -------
    x : ndarray of float32 of shape (n, n_words)
        Weights from 0 to 1; zeros for a text without any of the words.
    words : list of str
        The word of each column, in alphabetical order.

    Raises
    ------
    InputError
        If no text holds a word.

    Notes
    -----
    Computed by scikit-learn's ``TfidfVectorizer`` with these settings: lower case, words of three letters or more
    without digits, its English stop words left out, ``max_features=n_words``, all else at its defaults. The columns do
    not depend on the order of the texts, and labels are not looked at.

    Examples
    --------
    >>> from coterie.datasets.texts import tfidf
    >>> x, words = tfidf(["The ship sails.", "A sailing ship", "Ship and sails!"], 2)
    >>> words, x.astype(float).round(2).tolist()
    (['sails', 'ship'], [[0.79, 0.61], [0.0, 1.0], [0.79, 0.61]])
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(max_features=n_words, stop_words="english", token_pattern=_TOKEN, dtype=np.float32)
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError as error:
        raise InputError(f"The texts hold no words: {error}.") from error
    return weights.toarray(), vectorizer.get_feature_names_out().tolist()


def without_header(message: str) -> str:
    r"""Return what follows the first blank line of a message; all of one that has none.

    Parameters
    ----------
    message : str
        Header lines such as ``From: ...``, a blank line, the text; lines may end in a tab in the place of a newline.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> from coterie.datasets.texts import without_header
    >>> without_header("From: a@b.c\nLines: 1\n\nHello there")
    'Hello there'
    """
    _, blank, body = message.replace("\n", "\t").partition("\t\t")
    return body.replace("\t", "\n") if blank else message


def read_newsgroups(paths: Sequence[Path]) -> Table:
    """Read 20 Newsgroups and weigh its words.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        One file: a gzipped tar archive with a folder for each part, in it one for each group; or gzipped JSON with the
        lists ``text_train`` and ``text_test`` and perhaps ``y_train`` and ``y_test``.

    Returns
    -------
    Table
        TF-IDF of the messages without their headers, training part first, with the words as names of the columns. The
        labels are numbers of the groups in alphabetical order; None if the file has none.

    Raises
    ------
    InputError
        If the file is neither, or damaged.

    Notes
    -----
    Headers are left out because many of them all but name the group.
    """
    (path,) = paths
    try:
        texts, y = _from_json(path) if ".json" in path.suffixes else _from_tar(path)
    except _DAMAGE as error:
        raise InputError(f"{path} cannot be read as the messages of 20 Newsgroups ({error}).") from error
    if not texts or (y is not None and len(y) != len(texts)):
        raise InputError(f"{path} holds no messages, or not one label for each.")
    x, words = tfidf([without_header(text) for text in texts])
    return Table(X=x, y=y, feature_names=words)


def _from_json(path: Path) -> tuple[list[str], np.ndarray | None]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        content = json.load(stream)
    texts = [str(text) for part in ("text_train", "text_test") for text in content[part]]
    labelled = "y_train" in content and "y_test" in content
    return texts, np.array(content["y_train"] + content["y_test"], dtype=np.int64) if labelled else None


def _from_tar(path: Path) -> tuple[list[str], np.ndarray]:
    found: list[tuple[bool, str, str, str]] = []  # whether for testing, group, name, text
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            part, _, rest = member.name.removeprefix("./").partition("/")
            group, _, name = rest.partition("/")
            stream = archive.extractfile(member) if member.isfile() and name else None
            if stream is not None:
                found.append((part.endswith("-test"), group, name, stream.read().decode("latin-1")))
    found.sort()
    groups = sorted({group for _, group, _, _ in found})
    return [text for *_, text in found], np.array([groups.index(group) for _, group, _, _ in found], dtype=np.int64)
