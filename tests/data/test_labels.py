"""Labels for evaluation from wherever people keep them."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from coterie.data import Table, load_labels
from coterie.data.labels import load_known, number_classes
from coterie.data.spreadsheets import as_given, defuse
from coterie.data.table import tidy_known, tidy_labels
from coterie.errors import DataWarning, InputError

TABLE = Table(X=np.zeros((3, 2)), y=np.array([5, 6, 7]), y_name="kind", feature_names=["a", "b"])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("l.csv", "2\n0\n1\n", [2, 0, 1]),
        ("l.csv", "label\n2\n0\n1\n", [2, 0, 1]),
        ("l.txt", "cat\ndog\ncat\n", ["cat", "dog", "cat"]),
        ("l.txt", "kind\ncat\ndog\ncat\n", ["cat", "dog", "cat"]),
        ("l.txt", "2.0\n0.0\n1.0", [2, 0, 1]),
        ("l.txt", "1.5\n0.5\n1.5", ["1.5", "0.5", "1.5"]),
        ("l.txt", "New York, NY\nRome\nParis\n", ["New York, NY", "Rome", "Paris"]),
        ("l.csv", "row,cluster,confidence\n0,2,.5\n1,0,.6\n2,1,.7\n", [2, 0, 1]),
        ("l.csv", "row,cluster,confidence,label\n2,0,.5,u\n0,1,.6,v\n1,1,.7,w\n", ["v", "w", "u"]),
        ("l.tsv", "id\tClass\n9\tu\n8\tv\n7\tu\n", ["u", "v", "u"]),
        ("l.csv", "y\ny\nn\ny\n", ["y", "n", "y"]),
        ("l.csv", "y\nn\ny\n", ["y", "n", "y"]),
        ("l.csv", "0\ncat\ndog\ncat\n", ["cat", "dog", "cat"]),
        ("l.csv", "0\n1\n2\n1\n", [1, 2, 1]),
        ("l.txt", "-1\n1\n-1\n", [-1, 1, -1]),
    ],
)
def test_text_files(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_text(text)
    labels = load_labels(path, TABLE)
    assert labels.tolist() == expected
    assert labels.dtype.kind == ("U" if isinstance(expected[0], str) else "i")


@pytest.mark.parametrize("dtype", ["uint8", "float32", "bool", "<U3", "S3"])
def test_array_files(tmp_path, dtype):
    values = np.array([1, 0, 1]).astype(dtype)
    expected = [True, False, True] if dtype == "bool" else [1, 0, 1]  # digits are numbers in whatever form
    np.save(tmp_path / "l.npy", values)
    np.savez(tmp_path / "l.npz", y=values, x=np.zeros(3))
    for name in ("l.npy", "l.npz"):
        assert load_labels(str(tmp_path / name), TABLE).tolist() == expected


def test_a_column_that_was_taken_out():
    assert load_labels("kind", TABLE).tolist() == [5, 6, 7]


def test_names_decide_which_row_a_label_is_for(tmp_path):
    names = ["b/2.png", "a\n1.png", "c.png"]
    with (tmp_path / "l.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["name", "label"], ["c.png", "x"], ["extra.png", "y"], ["b/2.png", "z"], ["a\n1.png", "y"]]
        )
    table = Table(X=np.zeros((3, 2, 2)), names=names)
    assert load_labels(tmp_path / "l.csv", table).tolist() == ["z", "y", "x"]
    with pytest.raises(InputError, match=r"no label for 'new.png'"):
        load_labels(tmp_path / "l.csv", Table(X=table.X, names=[*names[:2], "new.png"]))


@pytest.mark.parametrize("load", [load_labels, load_known])
def test_a_name_has_one_label(tmp_path, load):
    table = Table(X=np.zeros((2, 2, 2)), names=["a.png", "b.png"])
    (tmp_path / "l.csv").write_text("name,label\na.png,x\nb.png,y\na.png, x\n")
    assert load(tmp_path / "l.csv", table).tolist() == ["x", "y"]
    (tmp_path / "l.csv").write_text("name,label\na.png,x\nb.png,y\na.png,z\n")
    with pytest.raises(InputError, match=r"must have one label for 'a.png'. Got 'x', 'z' instead"):
        load(tmp_path / "l.csv", table)


@pytest.mark.parametrize("header", [",label", "id,label", "Name,class", "label,file", "name,species", "plant,y"])
@pytest.mark.parametrize("load", [load_labels, load_known])
def test_a_column_of_names_is_seen_whatever_it_is_called(tmp_path, load, header):
    table = Table(X=np.zeros((3, 2)), names=["p0", "p1", "p2"])
    lines = [("p2", "x"), ("p0", "y"), ("p1", "z")]
    swapped = header.startswith("label")
    text = "\n".join([header, *(",".join(reversed(line) if swapped else line) for line in lines)])
    (tmp_path / "l.csv").write_text(text)
    assert load(tmp_path / "l.csv", table).tolist() == ["y", "z", "x"]


def test_labels_of_a_few_names_have_a_heading_or_none(tmp_path):
    table = Table(X=np.zeros((6, 2)), names=[f"p{i}" for i in range(6)])
    for heading in ("", "id,species\n", "plant,kind\n"):
        (tmp_path / "l.csv").write_text(heading + "p4,elm\np0,oak\n")
        assert load_known(tmp_path / "l.csv", table).tolist() == ["oak", "", "", "", "elm", ""]


@pytest.mark.parametrize("columns", ["label,id,by", "id,label,by", "by,label,id", "id,age,label", "label,name"])
def test_numbers_of_classes_are_not_taken_for_names_of_rows(tmp_path, columns):
    classes = np.arange(60) % 3 + 1  # numbers that rows are called by too
    table = Table(X=np.zeros((60, 2)), names=[str(i) for i in range(1, 61)])
    rows = [
        {"id": i, "name": i, "label": c, "by": "me", "age": 20 + i % 7} for i, c in enumerate(classes.tolist(), start=1)
    ]
    heads = columns.split(",")
    for count in (60, 50):  # whole, and for some of the rows only
        lines = [columns, *(",".join(str(row[head]) for head in heads) for row in rows[:count][::-1])]
        (tmp_path / "l.csv").write_text("\n".join(lines) + "\n")
        found = load_known(tmp_path / "l.csv", table)
        assert found[:count].tolist() == classes[:count].tolist() and (found[count:] == -1).all()


def test_known_rows_may_be_told_by_their_numbers(tmp_path):
    (tmp_path / "k.csv").write_text("row,label\n2,oak\n0,elm\n")
    assert load_known(tmp_path / "k.csv", TABLE).tolist() == ["elm", "", "oak"]
    for lines, told in (("3,oak\n", "row 3"), ("-1,oak\n", "row -1"), ("1,oak\n1,elm\n", "two lines of one number")):
        (tmp_path / "k.csv").write_text("row,label\n" + lines)
        with pytest.raises(InputError, match=f"each row's number from 0 to 2 once in its column 'row'. Got {told}"):
            load_known(tmp_path / "k.csv", TABLE)
    (tmp_path / "k.csv").write_text("row,label\n2,oak\n0,elm\n")
    with pytest.raises(InputError, match="one label for each of the 3 rows. Got 2"):
        load_labels(tmp_path / "k.csv", TABLE)  # to evaluate by, all are needed


@pytest.mark.parametrize("called", [str.upper, "/data/{}".format, lambda name: name.removesuffix(".png")])
def test_names_without_folder_or_ending_are_the_rows_names(tmp_path, called):
    names = [f"{letter}.png" for letter in "abcd"]
    lines = "".join(f"{called(name)},{i}\n" for i, name in reversed(list(enumerate(names))))
    (tmp_path / "k.csv").write_text("image_id,label\n" + lines)
    assert load_labels(tmp_path / "k.csv", Table(X=np.zeros((4, 2)), names=names)).tolist() == [0, 1, 2, 3]


def test_numbers_without_zeros_in_front_are_the_rows_names(tmp_path):
    table = Table(X=np.zeros((12, 2)), names=[f"{i:03}" for i in range(1, 13)])
    (tmp_path / "k.csv").write_text("id,label\n" + "".join(f"{i},{i % 5}\n" for i in range(12, 0, -1)))
    assert load_labels(tmp_path / "k.csv", table).tolist() == [i % 5 for i in range(1, 13)]


@pytest.mark.parametrize(
    ("names", "lines", "labels"),
    [
        # A data frame's index from 0 is no name of the files 001.png and on.
        ([f"{i:03}.png" for i in range(1, 7)], ",label\n0,a\n1,b\n2,c\n3,d\n4,e\n5,f\n", "abcdef"),
        ([f"{i}.png" for i in range(1, 4)], "id,label\n0,a\n1,b\n2,c\n", "abc"),
        # What stands behind the labels may be anything.
        (["x.png", "y.png", "z.png"], "label,when\na,9:00\nb,9:05\nc,9:10\n", "abc"),
        (["x.png", "y.png", "z.png"], "label,score\na,0.5\nb,\nc,0.7\n", "abc"),
        # Folders tell what is called the same.
        (["a/0.png", "b/0.png"], "file,label\nb/0.jpg,2\na/0.jpg,1\n", "12"),
        ([f"{i:03}.png" for i in range(3)], "id,label\n002,c\n000,a\n001,b\n", "abc"),
    ],
)
def test_whose_labels_are_is_taken_from_names_only_where_all_of_them_are(tmp_path, names, lines, labels):
    (tmp_path / "k.csv").write_text(lines)
    found = load_labels(tmp_path / "k.csv", Table(X=np.zeros((len(names), 2)), names=names))
    assert "".join(map(str, found)) == labels


ABC = [f"{letter}.png" for letter in "abc"]


@pytest.mark.parametrize(
    ("lines", "labels"),
    [
        ("a,1\nb,2\nc,0\n", [1, 2, 0]),  # without a heading
        ("x/a.png,1\nx/b.png,2\nx/c.png,0\n", [1, 2, 0]),
        ("c,1\nb,2\n", [-1, 2, 1]),
        ("id,breed\na,1\nc,2\nd,0\n", [1, -1, 2]),  # and a stranger
        ("id,label\nb,2\nb,2\na,1\n", [1, 2, -1]),  # twice the same
    ],
)
@pytest.mark.filterwarnings("ignore:.*that no row has")
def test_known_labels_without_endings_or_folders_may_be_of_some_rows(tmp_path, lines, labels):
    (tmp_path / "k.csv").write_text(lines)
    assert load_known(tmp_path / "k.csv", Table(X=np.zeros((3, 2)), names=ABC)).tolist() == labels


def test_labels_may_be_of_more_than_the_rows(tmp_path):
    (tmp_path / "k.csv").write_text("label,filepath\n3,x/c.png\n9,x/d.png\n2,x/b.png\n1,x/a.png\n")
    assert load_labels(tmp_path / "k.csv", Table(X=np.zeros((3, 2)), names=ABC)).tolist() == [1, 2, 3]
    (tmp_path / "k.csv").write_text("label,filepath\n3,x/e.png\n2,x/f.png\n1,x/g.png\n")
    with pytest.raises(InputError, match=r"names such as 'x/e.png' beside its labels"):
        load_labels(tmp_path / "k.csv", Table(X=np.zeros((3, 2)), names=ABC))


def test_a_heading_is_no_name_of_a_file_that_is_called_like_it(tmp_path):
    table = Table(X=np.zeros((4, 2)), names=["image.png", "b.png", "c.png", "d.png"])
    (tmp_path / "k.csv").write_text("image,kind\nc.png,0\nb.png,1\n")
    assert load_known(tmp_path / "k.csv", table).tolist() == [-1, 1, 0, -1]


def test_exact_names_leave_no_room_for_others(tmp_path):
    names = [f"img{i}.png" for i in range(4)]
    (tmp_path / "k.csv").write_text("file,label\n" + "".join(f"{n},a\n" for n in names) + "old/img0.png,b\n")
    assert load_labels(tmp_path / "k.csv", Table(X=np.zeros((4, 2)), names=names)).tolist() == list("aaaa")


def test_names_that_no_row_has_are_refused(tmp_path):
    table = Table(X=np.zeros((3, 2)), names=["a/1.png", "b/1.png", "c/1.png"])  # without folders these are one
    (tmp_path / "k.csv").write_text("file,label\nx,2\ny,1\nz,0\n")
    with pytest.raises(InputError, match=r"names such as 'x' beside its labels, but no row .* called 'a/1.png'"):
        load_labels(tmp_path / "k.csv", table)
    (tmp_path / "k.csv").write_text("file,label\n7,2\n3,1\n5,0\n")
    with pytest.warns(DataWarning, match="numbers such as '7' .* taken in their order"):
        assert load_labels(tmp_path / "k.csv", table).tolist() == [2, 1, 0]
    (tmp_path / "k.csv").write_text(",label,score\n0,2,.4\n1,1,.3\n2,0,.7\n")  # as a data frame writes it
    assert load_labels(tmp_path / "k.csv", table).tolist() == [2, 1, 0]


def test_what_only_looks_like_a_name_is_none(tmp_path):
    table = Table(X=np.zeros((6, 2)), names=[str(i) for i in range(6)])
    (tmp_path / "folds.csv").write_text("label,fold\n" + "".join(f"{c},{i % 2}\n" for i, c in enumerate("abcabc")))
    assert load_labels(tmp_path / "folds.csv", table).tolist() == list("abcabc")
    (tmp_path / "kinds.csv").write_text("id,name\n" + "".join(f"{i},{c}\n" for i, c in enumerate("abcabc")))
    assert load_labels(tmp_path / "kinds.csv", table).tolist() == list("abcabc")
    (tmp_path / "both.csv").write_text("id,name,label\n" + "".join(f"{5 - i},k,{c}\n" for i, c in enumerate("abcabc")))
    assert load_labels(tmp_path / "both.csv", table).tolist() == list("cbacba")


def test_rows_of_one_name_are_told_apart_by_their_numbers(tmp_path):
    table = Table(X=np.zeros((3, 2)), names=["elm", "elm", "oak"])
    (tmp_path / "l.csv").write_text("row,name,cluster\n2,oak,5\n0,elm,3\n1,elm,4\n")
    assert load_labels(tmp_path / "l.csv", table).tolist() == [3, 4, 5]


def test_numbers_of_rows_are_no_names(tmp_path):
    table = Table(X=np.zeros((6, 2)), names=[str(i) for i in range(1, 7)])  # as R counts
    lines = "".join(f"{i},p{i},{c}\n" for i, c in enumerate("abcabc"))
    (tmp_path / "l.csv").write_text("row,name,label\n" + lines)
    assert load_labels(tmp_path / "l.csv", table).tolist() == list("abcabc")


def test_spaces_around_names_do_not_matter(tmp_path):
    table = Table(X=np.zeros((3, 2)), names=["p0", "p1", "p2"])
    (tmp_path / "l.csv").write_text("id | label\np2 | c\np0 | a\np1 | b\n")
    assert load_labels(tmp_path / "l.csv", table).tolist() == list("abc")


def test_known_names_that_no_row_has_are_told(tmp_path):
    table = Table(X=np.zeros((3, 2)), names=["cat/0.png", "cat/1.png", "dog/0.png"])
    (tmp_path / "l.csv").write_text("name,label\ncat/0.png,x\n1.png,y\nCat/0.png,z\n")
    with pytest.warns(DataWarning, match="names 2 that no row has, such as '1.png'; rows are called 'cat/0.png'"):
        assert load_known(tmp_path / "l.csv", table).tolist() == ["x", "", ""]
    (tmp_path / "l.csv").write_text("name,label\n1.png,y\n")
    with pytest.raises(InputError, match="names 1 that no row has, such as '1.png'; rows are called 'cat/0.png'"):
        load_known(tmp_path / "l.csv", table)


@pytest.mark.parametrize("heading", ["row,name,label", "image,label"])
def test_names_that_were_made_harmless_are_found(tmp_path, heading):
    names = ["-1.png", "@2x.png", "'=x", "plain.png"]
    table = Table(X=np.zeros((4, 2)), names=names)
    numbered = heading.startswith("row")
    lines = [f"{f'{i},' if numbered else ''}{defuse(name)},{'abcd'[i]}" for i, name in enumerate(names)]
    (tmp_path / "l.csv").write_text("\n".join([heading, *reversed(lines)]) + "\n")
    assert load_labels(tmp_path / "l.csv", table).tolist() == ["a", "b", "c", "d"]
    assert load_known(tmp_path / "l.csv", table).tolist() == ["a", "b", "c", "d"]
    assert [as_given(defuse(name)) for name in [*names, "''=x", "'quoted", ""]] == [*names, "''=x", "'quoted", ""]


@pytest.mark.parametrize("load", [load_labels, load_known])
def test_numbers_of_rows_decide_where_rows_have_no_names(tmp_path, load):
    (tmp_path / "l.csv").write_text("row,label,asked\n2,x,\n0,y,yes\n1,z,\n")
    assert load(tmp_path / "l.csv", Table(X=np.zeros((3, 2)))).tolist() == ["y", "z", "x"]
    (tmp_path / "l.csv").write_text("row,label\n2,x\n0,y\n2,z\n")
    with pytest.raises(InputError, match="must have each row's number from 0 to 2 once in its column 'row'"):
        load(tmp_path / "l.csv", Table(X=np.zeros((3, 2))))
    (tmp_path / "l.csv").write_text("row,label\nwindow,x\naisle,y\naisle,z\n")
    assert load(tmp_path / "l.csv", Table(X=np.zeros((3, 2)))).tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("name", ["l.txt", "l.csv"])
def test_a_known_file_may_end_in_an_empty_line_where_that_can_mean_but_one_thing(tmp_path, name):
    (tmp_path / name).write_text("cat\n\ncat\n\n")  # no heading, as the first label comes again
    assert load_known(tmp_path / name, TABLE).tolist() == ["cat", "", "cat"]
    (tmp_path / name).write_text("Label\n\ncat\n\n")
    assert load_known(tmp_path / name, TABLE).tolist() == ["", "cat", ""]
    (tmp_path / name).write_text("kind\n\ncat\n\n")
    with pytest.raises(InputError, match="4 lines for 3 rows: either 'kind' is a heading, or the empty line"):
        load_known(tmp_path / name, TABLE)
    (tmp_path / name).write_text("cat\n\ndog\ncat\n")
    with pytest.raises(InputError, match="each of the 3 rows. Got 4"):
        load_known(tmp_path / name, TABLE)


@pytest.mark.parametrize("last", ["", "  "])
def test_numbers_have_no_heading_among_them(tmp_path, last):
    for name in ("l.txt", "l.csv"):
        (tmp_path / name).write_text(f"3\n1\n2\n{last}\n")
        assert load_known(tmp_path / name, TABLE).tolist() == [3, 1, 2]


def test_what_numpy_writes_is_read(tmp_path):
    np.savetxt(tmp_path / "l.txt", [0, -1, 100000])
    assert load_known(tmp_path / "l.txt", TABLE).tolist() == [0, -1, 100000]


def test_a_field_without_end_is_one_sentence(tmp_path):
    (tmp_path / "l.csv").write_text('"' + "x\n" * 100_000)
    with pytest.raises(InputError, match="cannot be read|is not a table"):
        load_known(tmp_path / "l.csv", TABLE)


def test_a_field_that_is_empty_between_quotes_is_a_row(tmp_path):
    (tmp_path / "l.csv").write_text('kind\n""\ncat\n""\n')
    assert load_known(tmp_path / "l.csv", TABLE).tolist() == ["", "cat", ""]


@pytest.mark.parametrize(("name", "load"), [("l.txt", load_labels), ("l.csv", load_labels), ("l.csv", load_known)])
def test_what_looks_like_the_end_of_a_line_may_stand_within_a_label(tmp_path, name, load):
    (tmp_path / name).write_text("oak\x85x\nelm\x0by\nfir\u2028z\n", encoding="utf-8")
    assert load(tmp_path / name, TABLE).tolist() == ["oak\x85x", "elm\x0by", "fir\u2028z"]


def test_a_known_label_may_have_two_lines(tmp_path):
    (tmp_path / "l.csv").write_text('"oak\nred"\n\nelm\n')
    assert load_known(tmp_path / "l.csv", TABLE).tolist() == ["oak\nred", "", "elm"]


@pytest.mark.parametrize(
    "values",
    [
        ["007", "7", "70"],
        ["1_0", "10", "2"],
        ["9" * 19, "1", "2"],
        ["9" * 5000, "1", "2"],
        ["1e30", "1", "2"],
        ["0x1", "1", "2"],
    ],
)
def test_only_numbers_as_they_are_usually_written_are_numbers(values):
    assert tidy_labels(values, "This").tolist() == values


def test_whole_numbers_may_have_a_point():
    assert tidy_labels(["1.0", "-2.", "+3", "4e0"], "This").tolist() == [1, -2, 3, 4]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.csv", "1\n2\n", "one label for each of the 3 rows. Got 2"),
        ("l.txt", "1\n2\n3\n4\n5\n", "Got 5"),
        ("l.txt", "cat\ndog\ncat\ndog\n", "each of the 3 rows. Got 4"),
        ("l.csv", "2\n0\n1\n2\n", "each of the 3 rows. Got 4"),
        ("l.csv", "3\n0\n1\n2\n", "each of the 3 rows. Got 4"),
        ("l.csv", "label\ncat\ndog\n", "each of the 3 rows. Got 2"),
        ("l.csv", "row,cluster\n0,5\n1,6\n", "each of the 3 rows. Got 2"),
        ("l.txt", "cat\n-1\ndog\n", r": -1 in row 1 stands for a label that is not known.*--known"),
        ("l.csv", "0\n1\n-1\n", r": -1 in row 2 .*--known"),
        ("l.csv", "a,b\n1,2\n3,4\n5,6\n", "must have one column, or name one of label.*'a', 'b'"),
        ("l.csv", "1,2\n3,4\n5,6\n", "It has no header"),
        ("l.csv", "id,y\n1,2\n3,\n5,6\n", "there is no label in row 1"),
        ("l.csv", "", "is empty"),
        ("l.txt", "", "is empty"),
        ("l.json", "[]", r"must end in \.npy"),
        ("l.npy", "not an array", "cannot be read"),
        ("l.npz", "not an archive", "is not a .npz archive"),
    ],
)
def test_files_that_are_refused(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_labels(path, TABLE)


def test_what_is_neither_file_nor_column():
    with pytest.raises(InputError, match=r"'sort' are neither a file nor a label column.*'kind'"):
        load_labels("sort", TABLE)
    with pytest.raises(InputError, match="'a' is still one of the features"):
        load_labels("a", TABLE)


@pytest.mark.parametrize("values", [np.zeros((3, 2)), np.array([1j, 2]), np.array(3), np.array([1.0, np.nan])])
def test_labels_must_be_one_full_column(values):
    with pytest.raises(InputError, match="these labels"):
        tidy_labels(values, "these labels")


@pytest.mark.parametrize("word", ["none", "NA", "null"])
def test_a_word_that_may_be_a_class_is_not_taken_for_a_missing_label_in_silence(word):
    with pytest.warns(DataWarning, match=rf"This: '{word}' in 2 rows stands for no label; if it is a class"):
        assert tidy_known(["mild", word, "severe", word], "This").tolist() == ["mild", "", "severe", ""]


def test_what_can_only_be_missing_needs_no_word():
    assert tidy_known(["mild", "", "-1", "?"], "This").tolist() == ["mild", "", "", ""]
    assert tidy_known(["3", "NA"], "This").tolist() == [3, -1]
    ones = ["-1.0", "-1,0", "-1.000000000000000000e+00"]  # of files that were numbers once
    assert tidy_known(["a", *ones, "-1,000"], "This").tolist() == ["a", "", "", "", "-1,000"]
    labels, names = number_classes(tidy_known(["-1.0", "-1"], "This"))
    assert (labels.tolist(), names) == ([-1, -1], None)


def test_unsigned_whole_numbers_beyond_the_signed_ones_stay_what_they_are():
    large = np.array([2**63 + 1, 5, 2**64 - 1], dtype=np.uint64)
    assert tidy_labels(large, "These").tolist() == ["9223372036854775809", "5", "18446744073709551615"]
    assert tidy_known(large, "These").tolist() == ["9223372036854775809", "5", "18446744073709551615"]


def test_text_of_any_kind_of_array_is_text():
    names = ["elm", " oak", "elm"]
    for array in (np.array(names), np.array(names, dtype=bytes), np.array(names, dtype=np.dtypes.StringDType())):
        assert tidy_labels(array, "These").tolist() == ["elm", "oak", "elm"]


@pytest.mark.parametrize("text", ["row,species\n2,elm\n0,oak\n", "species,row\nelm,2.0\noak,0.0\n"])
def test_the_other_of_two_columns_holds_the_labels_where_one_numbers_the_rows(tmp_path, text):
    (tmp_path / "l.csv").write_text(text)
    assert load_known(tmp_path / "l.csv", TABLE).tolist() == ["oak", "", "elm"]


@pytest.mark.parametrize("load", [load_labels, load_known])
def test_a_label_that_is_called_row_is_no_heading(tmp_path, load):
    (tmp_path / "l.csv").write_text("a.png,row\nb.png,col\nc.png,row\n")
    table = Table(X=np.zeros((3, 2)), names=["a.png", "b.png", "c.png"])
    assert load(tmp_path / "l.csv", table).tolist() == ["row", "col", "row"]
    (tmp_path / "l.csv").write_text("row,seat\nfront,1\nback,2\nfront,2\n")  # which of them are labels?
    with pytest.raises(InputError, match="must have one column, or name one of .*'row', 'seat'"):
        load(tmp_path / "l.csv", TABLE)
