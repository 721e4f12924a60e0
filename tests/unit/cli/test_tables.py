"""Tables that commands write."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from kineme.cli.tables import csv_text

TEXT = st.text(st.characters(blacklist_categories=("Cc", "Cs")))


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_names_stay_as_they_are(rows: list[tuple[str, str]]) -> None:
    rows = [*rows, ("=cmd|' /C calc'!A0", '+1,"2"'), ("@x", "'quoted'")]
    read = list(csv.reader(io.StringIO(csv_text(("file", "label"), rows), newline="")))
    assert read == [["file", "label"], *map(list, rows)]
