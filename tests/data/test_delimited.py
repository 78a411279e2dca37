"""CSV files as people write them."""

from __future__ import annotations

import gzip
import re
import tracemalloc

import numpy as np
import pytest

from coterie.data import load_file
from coterie.errors import InputError


@pytest.fixture
def write(tmp_path):
    def writer(text: str | bytes, name: str = "t.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return writer


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b\n1,2\n3,4\n", ["a", "b"]),
        ("a;b\n1;2\n3;4", ["a", "b"]),
        ("a\tb\n1\t2\n3\t4\n", ["a", "b"]),
        ("a|b\n1|2\n3|4\n", ["a", "b"]),
        ("\n\na,b\n1,2\n3,4\n", ["a", "b"]),
        ("a|b\n1,0|2,0\n3|4,0\n", ["a", "b"]),
        ("a;b\n1,0;2,0\n3,0;4,0\n", ["a", "b"]),
        ("1,2\n3,4\n", None),
        ("1;2\r\n3;4\r\n", None),
        ('"a","b"\r\n"1","2"\r\n"3","4"\r\n', ["a", "b"]),
        ("\ufeffa,b\n1,2\n3,4\n", ["a", "b"]),
        ("a,b\n\n 1 , 2 \n\n3,4\n\n", ["a", "b"]),
        (" a ,\n1,2\n3,4\n", ["a", "column 1"]),
        ('"a, or ""a""","b\nc"\n1,2\n3,4\n', ['a, or "a"', "b\nc"]),
        ("1.0e0,2\n3,+4\n", None),
    ],
)
def test_separators_headers_and_quotes(write, text, names):
    table = load_file(write(text))
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])
    assert table.feature_names == names and table.y is None and table.names is None


def test_a_header_that_counts_the_columns_is_no_row(write):
    assert load_file(write("0,1,2\n5,6,7\n")).feature_names == ["0", "1", "2"]
    assert load_file(write("0,1\n5,6\n")).feature_names is None


@pytest.mark.parametrize(
    ("header", "column"), [("2019,2020,2021", None), ("2019,2020,2021,kind", "kind"), (",2019,2020,2021", None)]
)
def test_a_header_of_years_is_no_row(write, header, column):
    first, last = ("u," if header[0] == "," else ""), (",oak" if column else "")
    table = load_file(write(f"{header}\n{first}.5,2,3{last}\n{first}4,5,7{last}\n"), column=column)
    assert table.X.tolist() == [[0.5, 2, 3], [4, 5, 7]]
    assert table.feature_names == ["2019", "2020", "2021"]


@pytest.mark.parametrize(
    ("header", "first"),
    [("400,402,404", None), ("400.5,401.0,401.5", None), ("sample,400,402,404", "s{}"), ("2019,2020", None)],
)
def test_a_header_of_measures_is_no_row(write, header, first):
    width = header.count(",") + (first is None)
    X = np.random.default_rng(0).normal(size=(6, width)).round(3)
    lines = [",".join([*([] if first is None else [first.format(i)]), *map(str, row)]) for i, row in enumerate(X)]
    table = load_file(write("\n".join([header, *lines, ""])), names=None if first is None else "sample")
    assert table.X.tolist() == X.tolist()
    assert table.feature_names == header.split(",")[-width:]


def test_a_header_of_measures_may_lie_below_wide_columns(write):
    counts = np.linspace(700, 3900, 40).round()[:, None] + np.random.default_rng(0).integers(0, 40, (40, 3))
    lines = "\n".join(",".join(str(int(value)) for value in row) for row in counts)
    assert load_file(write(f"400,410,420\n{lines}\n")).X.tolist() == counts.tolist()


def test_a_first_row_with_a_gap_is_no_header(write):
    for gap in ("-", "<0.1", ":", "−5", "5%", "1 234", "(12)"):
        with pytest.raises(InputError, match=f"line 1.*'{re.escape(gap)}'"):
            load_file(write(f"5.1,{gap},3\n4.9,3,2\n4.8,3,2\n"))


def test_a_header_without_a_field_for_the_names_of_rows(write):
    table = load_file(write('a\tb\n"r1"\t1\t2\n"r2"\t3\t5\n', "t.tsv"))
    assert table.names == ["r1", "r2"] and table.feature_names == ["a", "b"]
    assert table.X.tolist() == [[1, 2], [3, 5]]
    for text in ("a b\n1 1 2\n2 3 5\n", "RI Na\n3 1 2\n7 3 5\n", "400 410\ns1 1 2\nNAN 3 5\n"):
        table = load_file(write(text.replace(" ", "\t"), "n.tsv"))
        assert table.X.tolist() == [[1, 2], [3, 5]]
        assert table.names == [line.split()[0] for line in text.splitlines()[1:]]


@pytest.mark.parametrize(
    "text",
    [
        "Temperatur\n21,5\n22,7\n23,1\n19,0\n",  # decimal commas in a file of one column
        "# x y\n1.5,2.0\n3.0,4.0\n",
        "Measured in 2020\n1.5,2.0\n3.0,4.0\n",
        "5.1,3.5,1.4\n4.9,3.0,1.4,0\n4.7,3.2,1.3,0\n",
        "x,y\n1,5,2\n2,5,3\n3,7,4\n",
    ],
)
def test_rows_longer_than_the_header_are_refused(write, text):
    with pytest.raises(InputError, match="fields where"):
        load_file(write(text))


def test_headers_of_signs_and_numbers(write):
    for header in ("#,1,2", "№,2019,2024", "0,10+,%"):
        assert load_file(write(f"{header}\n1,5.5,6\n2,3,4\n")).feature_names == header.split(",")


def test_signs_between_thousands_are_no_decimals(write):
    with pytest.raises(InputError, match="holds '1,100' beside numbers without a comma"):
        load_file(write("a\tb\n950\t1,200\n1,100\t2,500\n980\t700\n", "t.tsv"))
    for means in ("a;b\n0,25;1,333\n0,5;2\n", "a;b\n1,667;1,333\n1;2\n", "kg;n\n1,125;1\n2;2\n"):
        assert load_file(write(means)).X.shape == (2, 2)
    table = load_file(write("a\tb\n0,950\t1,200\n1,100\t2,500\n", "t.tsv"))
    assert table.X.tolist() == [[0.95, 1.2], [1.1, 2.5]]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("0,1,2\n3,4,5\n6,7,8\n", 3),  # counting on
        ("1,2,3\n2,3,4\n3,4,5\n", 3),
        ("5,6,7\n15,16,17\n", 2),
        ("3,4,5\n1,4,2\n5,3,1\n", 3),  # a value comes again
        ("3,4,5\n", 1),
        ("2019,2020,2022\n1,2,3\n", 2),
        ("2019,2020\n1,2\n", 2),
        ("5,10,15\n6,9,17\n4,11,13\n", 3),  # even steps amid their columns
        ("10,20,30\n9,19,29\n8,18,28\n", 3),  # that go on below
        ("0,10,20\n1,12,25\n2,15,31\n3,19,40\n", 4),  # the first of rows that grow
        ("0.0,10.000,20.000\n0.1,9.857,20.111\n.2,9.7,20.2\n", 3),
        ("1950,1961\n1952,1970\n1960,1968\n1971,1999\n", 4),
    ],
)
def test_rows_that_only_look_like_counting_stay_rows(write, text, rows):
    table = load_file(write(text))
    assert (len(table.X), table.feature_names) == (rows, None)


def test_other_points_beside_decimal_commas_are_decimal(write):
    assert load_file(write("a;b\n1,5;980\n2,5;.5\n0,001;1.0005\n")).X.tolist() == [
        [1.5, 980],
        [2.5, 0.5],
        [0.001, 1.0005],
    ]


@pytest.mark.parametrize("name", ["size\u2028cm", "a\x0cb", "a\x0bb", "a\x85b"])
def test_a_header_may_hold_what_others_take_for_the_end_of_a_line(write, name):
    assert load_file(write(f"{name},c\n1,2\n3,4\n")).feature_names == [name, "c"]


def test_one_column(write):
    assert load_file(write("a\n1\n2\n")).X.tolist() == [[1], [2]]


def test_a_column_as_labels(write):
    path = write("kind,a,b,size\nx,1,2,0\ny,3,4,1\n")
    table = load_file(path, column="kind")
    assert table.y.tolist() == ["x", "y"] and table.y_name == "kind"
    assert table.feature_names == ["a", "b", "size"]
    for column in (0, -4, "0"):
        assert load_file(path, column=column).y.tolist() == ["x", "y"]
    assert load_file(write("1,2,7\n3,4,8\n"), column="-1").y.tolist() == [7, 8]


def test_columns_that_are_left_out_may_hold_anything(write):
    path = write("id,a,note,b,kind\nx1,1,fine,2,oak\nx2,3,,4,elm\n")
    table = load_file(path, drop=["id", 2], column="kind")
    assert table.feature_names == ["a", "b"]
    assert table.X.tolist() == [[1, 2], [3, 4]]
    assert table.y is not None
    assert table.y.tolist() == ["oak", "elm"]
    again = load_file(path, drop=["id", "note", "kind"], column="kind")  # what evaluates is no feature either way
    assert again.y is not None
    assert again.feature_names == ["a", "b"]


def test_a_column_to_leave_out_must_be_there_only_while_fitting(write):
    path = write("a,b\n1,2\n3,4\n")
    with pytest.raises(InputError, match=r"has no column 'id'; its columns are 'a', 'b'"):
        load_file(path, drop=["id"])
    assert load_file(path, drop=["id"], complete=False).X.shape == (2, 2)
    with pytest.raises(InputError, match="no column of numbers besides those set aside"):
        load_file(path, drop=["a", "b"])


def test_a_column_may_name_the_rows(write):
    path = write("a,id,b,kind\n1, x1,2,oak\n3,7,4,elm\n")
    table = load_file(path, names="id", column="kind")
    assert table.names == ["x1", "7"] and table.feature_names == ["a", "b"]
    assert load_file(path, names=1, drop=["kind"]).names == ["x1", "7"]
    assert load_file(path, names="kind", column="kind", drop=["id"]).names == ["oak", "elm"]
    indexed = write(",a,id\n0,1,x\n1,2,y\n", "indexed.csv")
    assert load_file(indexed, drop=["id"]).names == ["0", "1"]
    table = load_file(indexed, names="id")
    assert table.names == ["x", "y"] and table.feature_names == ["a"]


def test_a_column_of_names_must_be_there_only_while_fitting(write):
    path = write("a,b\n1,2\n3,4\n")
    with pytest.raises(InputError, match=r"has no column 'id'; its columns are 'a', 'b'"):
        load_file(path, names="id")
    table = load_file(path, names="id", complete=False)
    assert table.names is None and table.X.shape == (2, 2)


def test_columns_are_left_out_by_number_where_they_have_no_names(write):
    assert load_file(write("7,1,2\n8,3,4\n"), drop=["0"]).X.tolist() == [[1, 2], [3, 4]]
    named = write("id,a,b\n7,1,2\n8,3,4\n", "named.csv")
    assert load_file(named, drop=[0]).feature_names == ["a", "b"]
    with pytest.raises(InputError, match="has no column '0'"):  # which in other data may be another one
        load_file(named, drop=["0"])


def test_what_is_left_out_has_no_say_in_the_decimal_sign(write):
    text = "pos;where;a\n1,2;3,4;0.123\n2,5;1,1;1.234\n"
    assert load_file(write(text), drop=["pos", "where"]).X.tolist() == [[0.123], [1.234]]


def test_an_unnamed_first_column_names_the_rows(write):
    table = load_file(write(",a,b\nu,1,2\nv,3,4\n"))
    assert table.names == ["u", "v"] and table.feature_names == ["a", "b"]
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n", "has no rows"),
        ("a,a,b\n1,2,3\n", "several columns of the same name: 'a'"),
        ("a,b\n1,2\n3\n", "line 3: 1 fields where 2 are expected"),
        ("a,b\n1,2\n\n3,4,5\n", "line 4: 3 fields where 2 are expected"),
        ("a,b\n1,2\n3,\n", "line 3: the value of column 'b' is missing"),
        ("a,b\n1,2\nN/A,1\n", "line 3: the value of column 'a' is missing"),
        ("a,b\n1,2\nnan,1\n", "contains NaN, first in row 1, column 'a'"),
        ("a,b,c\n1,x,u\n2,y,v\n", "columns that are not numbers: 'b', 'c'"),
        ("a,b\n1,2\n2,2\n3,oops\n", "line 4: column 'b' holds 'oops'"),
        ("a;b\n1,5;980\n2,5;1.000\n", "line 3: column 'b' holds '1.000' beside decimal commas"),
        ("a;b\n1,5;980\n2,5;-1.234.567\n", "line 3: column 'b' holds '-1.234.567' beside decimal commas"),
        ("a,b\n1,2\n2,2\n3,1O\n", "line 4: column 'b' holds '1O'"),
        (b"a,b\n1,2\n\xff\xfe,3\n", "is not UTF-8 text"),
        ("kind,a\nx,1\n", "has no column 'sort'; its columns are 'kind', 'a'"),
        ('a,b\n1,"2\n' + "9" * 140_000, "line .*field limit|field larger"),
    ],
)
def test_what_is_wrong_is_named(write, text, message):
    with pytest.raises(InputError, match=message):
        load_file(write(text), column="sort" if "sort" in message else None)


@pytest.mark.parametrize("column", ["--1", "9" * 5000, "-"])
def test_what_is_no_number_of_a_column_is_taken_for_a_name(write, column):
    with pytest.raises(InputError, match=f"has no column '{column}'; its columns are 'kind', 'a'"):
        load_file(write("kind,a\nx,1\n"), column=column)


def test_labels_cannot_be_the_only_column_or_missing(write):
    with pytest.raises(InputError, match="no column of numbers besides"):
        load_file(write("kind\nx\n"), column="kind")
    with pytest.raises(InputError, match=r"The column 'kind' of 't.csv': there is no label in row 1"):
        load_file(write("kind,a\nx,1\n,2\n"), column="kind")


def test_beyond_the_guessing_sample_a_stray_cell_is_still_named(write):
    text = "a,b\n" + "1,2\n" * 20_000 + "3,mild\n"
    with pytest.raises(InputError, match="line 20002: column 'b' holds 'mild'"):
        load_file(write(text))


def test_large_files_are_streamed(write):
    values = np.arange(160_000.0).reshape(-1, 8)
    path = write("\n".join(",".join(map(str, row)) for row in values.tolist()))
    tracemalloc.start()
    table = load_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(table.X, values)
    assert peak < 2.5 * values.nbytes


def test_a_header_may_be_longer_than_what_is_looked_at_first(write):
    names = [f"gene-{j:06d}" for j in range(9000)]
    table = load_file(write("\n".join([",".join(names), ",".join(["1"] * 9000), ",".join(["2"] * 9000)])))
    assert table.X.shape == (2, 9000)
    assert table.feature_names == names


def test_the_names_of_rows_are_no_labels(write):
    with pytest.raises(InputError, match="has the names of its rows in column 0"):
        load_file(write(",a,b\nu,1,2\nv,3,4\n"), column=0)


@pytest.mark.parametrize("ending", ["csv.gz", "TSV.GZ"])
def test_a_compressed_table_is_read_like_a_plain_one(tmp_path, ending):
    text = "height;width;kind\n1,5;2;oak\n3;4,5;elm\n"
    (tmp_path / "t.csv").write_text(text)
    (tmp_path / f"t.{ending}").write_bytes(gzip.compress(text.encode("utf-8-sig")))
    plain, packed = load_file(tmp_path / "t.csv", column="kind"), load_file(tmp_path / f"t.{ending}", column="kind")
    np.testing.assert_array_equal(plain.X, packed.X)
    assert (plain.feature_names, plain.y.tolist()) == (packed.feature_names, packed.y.tolist())


PACKED = gzip.compress(b"a,b\n1,2\n", mtime=0)


@pytest.mark.parametrize(
    "content",
    [b"a,b\n1,2\n", PACKED[:-9], gzip.compress(b"a,b\n\xff,2\n", mtime=0)],
    ids=["plain", "cut off", "no UTF-8"],
)
def test_a_damaged_compressed_table_is_refused(tmp_path, content):
    (tmp_path / "t.csv.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"'t.csv.gz' (cannot be read|is not UTF-8)"):
        load_file(tmp_path / "t.csv.gz")


def test_text_with_underscores_is_no_number(tmp_path):
    path = tmp_path / "plants.csv"
    path.write_text("height,week\n" + "".join(f"{i}.5,202{i}_01\n" for i in range(6)))
    with pytest.raises(InputError, match="'week'"):
        load_file(path)
