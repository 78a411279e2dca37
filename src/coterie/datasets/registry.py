"""The benchmark sets coterie knows: where they come from and how to tell that a copy is genuine."""

from __future__ import annotations

from dataclasses import dataclass

from coterie.errors import InputError

__all__ = ["DATASETS", "Dataset", "RemoteFile", "find"]


@dataclass(frozen=True)
class RemoteFile:
    """One file as its host serves it.

    Parameters
    ----------
    name : str
        File name; appended to each mirror's address, and its name in the data home.
    sha256 : str or None
        Published checksum, 64 hexadecimal digits. None where the host rebuilds its archives: the decoded rows are
        checked instead.

    Examples
    --------
    >>> RemoteFile("digits.gz", sha256=None).name
    'digits.gz'
    """

    name: str
    sha256: str | None


@dataclass(frozen=True)
class Dataset:
    """What is known about one benchmark set.

    Parameters
    ----------
    name : str
        The name to load it by.
    title : str
        One line for people.
    rows : int
        Number of rows, train and test parts together.
    shape : tuple of int
        Shape of one row: (height, width) in pixels, or (features,).
    classes : tuple of str
        Names of the classes; label k belongs to the k-th.
    origin : str
        Who made it, and the page that describes it.
    licence : str
        Under which terms it may be used.
    archive : str
        Name of the file in the data home that is taken where there is one: ``.npz``, or in the layout of the set.
    digest : str
        sha256 over the rows and labels in any order; see :func:`coterie.datasets.rows_digest`. For texts, whose rows
        are made on reading, that of the archive itself.
    mirrors : tuple of str
        Addresses of folders that serve `files`, tried in this order; one that does not end in a slash is that of the
        only file. Empty for a set that cannot be downloaded.
    files : tuple of RemoteFile
        The files to download.
    layout : str
        How the files are written; a key of ``coterie.datasets.formats.READERS``.
    feature_names : tuple of str or None
        Names of the columns of a table; None for images, and for texts, whose columns are words.
    embedded : bool
        Whether coterie ships the set, so that it needs neither a download nor a data home.
    advice : str
        For a set without mirrors, why there is none and where its archive comes from.

    Examples
    --------
    >>> DATASETS["usps"].rows, DATASETS["usps"].shape
    (9298, (16, 16))
    """

    name: str
    title: str
    rows: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    origin: str
    licence: str
    archive: str
    digest: str
    mirrors: tuple[str, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    layout: str = "idx"
    feature_names: tuple[str, ...] | None = None
    embedded: bool = False
    advice: str = ""


def find(name: str) -> Dataset:
    """Look up a data set by its name.

    Parameters
    ----------
    name : str
        One of the keys of ``DATASETS``.

    Returns
    -------
    Dataset
        What is known about it.

    Raises
    ------
    InputError
        If there is no set of that name.

    Examples
    --------
    >>> find("mnist").rows
    70000
    """
    if name not in DATASETS:
        raise InputError(f"There is no data set named {name!r}; choose one of {', '.join(DATASETS)}.")
    return DATASETS[name]


_DIGITS = tuple("0123456789")
_CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
_PEN_COLUMNS = tuple(f"{axis}{point}" for point in range(1, 9) for axis in "xy")
_BALANCED = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt")
_LETTER_COLUMNS = (
    *("x box", "y box", "width", "height", "on pixels", "x mean", "y mean", "x variance", "y variance"),
    *("xy correlation", "x²y mean", "xy² mean", "x edges", "x edges with y", "y edges", "y edges with x"),
)
_COLLEGE_COLUMNS = (
    *("Apps", "Accept", "Enroll", "Top10perc", "Top25perc", "F.Undergrad", "P.Undergrad", "Outstate", "Room.Board"),
    *("Books", "Personal", "PhD", "Terminal", "S.F.Ratio", "perc.alumni", "Expend", "Grad.Rate"),
)
_GROUPS = (
    *("alt.atheism", "comp.graphics", "comp.os.ms-windows.misc", "comp.sys.ibm.pc.hardware"),
    *("comp.sys.mac.hardware", "comp.windows.x", "misc.forsale", "rec.autos", "rec.motorcycles"),
    *("rec.sport.baseball", "rec.sport.hockey", "sci.crypt", "sci.electronics", "sci.med", "sci.space"),
    *("soc.religion.christian", "talk.politics.guns", "talk.politics.mideast", "talk.politics.misc"),
    "talk.religion.misc",
)
_MNIST_ORIGIN = "Y. LeCun, C. Cortes, C. J. C. Burges; http://yann.lecun.com/exdb/mnist/"


def _idx_files(*checksums: str) -> tuple[RemoteFile, ...]:
    """Name the four IDX files, in the order train images, train labels, test images, test labels."""
    names = (f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))
    return tuple(RemoteFile(name, checksum) for name, checksum in zip(names, checksums, strict=True))


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="mnist10k",
            title="MNIST-10k: the 10,000 test images of MNIST, handwritten digits",
            rows=10_000,
            shape=(28, 28),
            classes=_DIGITS,
            origin=_MNIST_ORIGIN,
            licence="CC BY-SA 3.0",
            archive="mnist10k.npz",
            digest="97b756d55950f1841ebd48df7379b9b2fc87a10d63e08d6213dad41d564e8508",
            embedded=True,
        ),
        Dataset(
            name="mnist",
            title="MNIST: handwritten digits",
            rows=70_000,
            shape=(28, 28),
            classes=_DIGITS,
            origin=_MNIST_ORIGIN,
            licence="CC BY-SA 3.0",
            archive="mnist.npz",
            digest="f61a719b6fd94f4e04811e53dda3c78f5cd07b2d48f36c353dd0b453aab660e0",
            mirrors=(
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            files=_idx_files(
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        Dataset(
            name="fashion-mnist",
            title="Fashion-MNIST: pictures of clothes",
            rows=70_000,
            shape=(28, 28),
            classes=_CLOTHES,
            origin="H. Xiao, K. Rasul, R. Vollgraf (Zalando); https://github.com/zalandoresearch/fashion-mnist",
            licence="MIT",
            archive="fashion_mnist.npz",
            digest="c22292c847034e4f0856c3099ca0bd11a118af543994973d473bc732d184ab47",
            mirrors=(
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            ),
            files=_idx_files(
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
        Dataset(
            name="usps",
            title="USPS: digits from envelopes",
            rows=9_298,
            shape=(16, 16),
            classes=_DIGITS,
            origin="J. J. Hull, 1994; https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps",
            licence="public research data, no licence stated",
            archive="usps.npz",
            digest="843174e947be8c456e3928240b9054f9a7c260fbd41c00c3e66b7105770adfea",
            mirrors=("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",),
            files=(
                RemoteFile("usps.bz2", "3771e9dd6ba685185f89867b6e249233dd74652389f263963b3b741e994b034f"),
                RemoteFile("usps.t.bz2", "a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e"),
            ),
            layout="libsvm",
        ),
        Dataset(
            name="pendigits",
            title="Pendigits: eight points of the pen's path while writing a digit",
            rows=10_992,
            shape=(16,),
            classes=_DIGITS,
            origin="E. Alpaydin, F. Alimoglu; https://doi.org/10.24432/C5MG6K",
            licence="CC BY 4.0",
            archive="pendigits.npz",
            digest="6619595933f33bc3921590e3f109984015a7c67756e6208f319b40d6c7d20385",
            mirrors=("https://archive.ics.uci.edu/static/public/81/",),
            files=(RemoteFile("pen+based+recognition+of+handwritten+digits.zip", None),),
            layout="csv-zip",
            feature_names=_PEN_COLUMNS,
        ),
        Dataset(
            name="emnist",
            title="EMNIST-47: digits and letters, a stand-in for EMNIST Balanced drawn from the ByMerge test part",
            rows=48_773,
            shape=(28, 28),
            classes=_BALANCED,
            origin="G. Cohen, S. Afshar, J. Tapson, A. van Schaik, 2017; https://doi.org/10.1109/IJCNN.2017.7966217",
            licence="public domain (NIST Special Database 19)",
            archive="emnist47.npz",
            digest="eae2eebc7b80691e99d233207c9afc8b0923f82ccfca9bba0e783af6523082c0",
            advice="it is a sample of its own that nobody publishes; the genuine EMNIST Balanced is another set",
        ),
        Dataset(
            name="letter",
            title="Letter: 16 measures of distorted capital letters in many fonts",
            rows=20_000,
            shape=(16,),
            classes=tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            origin="D. Slate; https://doi.org/10.24432/C5ZP40",
            licence="CC BY 4.0",
            archive="letter.npz",
            digest="6aaa18469471cd908f1e176d5f35f1cbcfda2f8daa69003d04fad66ddfafc573",
            mirrors=("https://archive.ics.uci.edu/static/public/59/",),
            files=(RemoteFile("letter+recognition.zip", None),),
            layout="letter-zip",
            feature_names=_LETTER_COLUMNS,
        ),
        Dataset(
            name="college",
            title="College: figures of 777 colleges of the United States, public and private",
            rows=777,
            shape=(17,),
            classes=("public", "private"),
            origin="G. James, D. Witten, T. Hastie, R. Tibshirani; https://cran.r-project.org/package=ISLR",
            licence="GPL-2, as part of the R package ISLR",
            archive="College.csv",
            digest="2cf1d1194d6bbce77649e37a7ce8f048e454f5781ed31dc36b50c11d41ee10c8",
            mirrors=("https://www.statlearning.com/s/",),
            files=(RemoteFile("College.csv", None),),
            layout="college",
            feature_names=_COLLEGE_COLUMNS,
        ),
        Dataset(
            name="20newsgroups",
            title="20 Newsgroups: messages by date without their headers, as TF-IDF of 2,000 words",
            rows=18_846,
            shape=(2_000,),
            classes=_GROUPS,
            origin="K. Lang, J. Rennie; http://qwone.com/~jason/20Newsgroups/",
            licence="public messages, no licence stated",
            archive="20newsgroups.json.gz",
            digest="f8dc8ff4d1762c92decd057f4a75dd905ac7475b1853dab68e4eb4edea2a00ad",
            mirrors=("http://qwone.com/~jason/20Newsgroups/", "https://ndownloader.figshare.com/files/5975967"),
            files=(
                RemoteFile("20news-bydate.tar.gz", "8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610"),
            ),
            layout="newsgroups",
        ),
    )
}
