"""The bench of the page runs, and prints what it promises."""

import pytest

from bench.page import Page


@pytest.mark.slow
def test_it_starts_the_page_and_prints_the_budgets_it_measures(capsys):
    Page(runs=2, visits=3).run()
    out = capsys.readouterr().out
    for line in (
        "start to a page that answers",
        "prompt to the first character",
        "memory, ",
        "a visitor trains: to its first loss",
    ):
        assert line in out
