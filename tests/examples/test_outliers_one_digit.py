"""The outlier example runs on few rows, compares the scores and draws what it found."""

import re
import warnings

import numpy as np
from PIL import Image

from examples import outliers_one_digit


def test_one_digit_is_left_out_looked_for_and_drawn(tmp_path, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so short a training may collapse
        outliers_one_digit.main(["--digits", "0", "--rows", "300", "--steps", "5", "--out", str(tmp_path)])
    said = capsys.readouterr().out
    table = dict(re.findall(r"^(\w[\w ]*?) +(\d\.\d{3}) +\d\.\d{3} +\d\.\d{3}$", said, flags=re.MULTILINE))
    assert set(table) == {*outliers_one_digit.SCORES, "isolation on pixels"}
    assert list(map(float, table.values())) == sorted(map(float, table.values()), reverse=True)
    with Image.open(tmp_path / "without_0.png") as picture:
        assert len(np.unique(np.asarray(picture))) > 10
