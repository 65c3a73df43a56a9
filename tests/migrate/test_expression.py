#!/usr/bin/env python3
"""SQL expressions whose columns are field numbers."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "codegen"))

from varve_codegen import expression

NUMBERS = {"weight": 5, "old name": 7, "text": 9, "order": 11}
NAMES = {number: name for name, number in NUMBERS.items()}


class ExpressionTest(unittest.TestCase):
    def expect(self, written, numbered):
        found = expression.by_number(written, NUMBERS)
        self.assertEqual(found, numbered)
        again = expression.by_number(expression.by_name(found, NAMES), NUMBERS)
        self.assertEqual(again, numbered, "its SQL means another expression")

    def test_columns_become_numbers_however_they_are_written(self):
        self.expect("weight > 0", "{5} > 0")
        self.expect('"WEIGHT">0', "{5} > 0")
        self.expect("`weight`  >\n0", "{5} > 0")
        self.expect("[old name] IS NOT NULL", "{7} IS NOT NULL")
        self.expect("sample.weight > 0", "sample.{5} > 0")

    def test_what_is_no_column_stays(self):
        self.expect("length(weight) < 9", "length({5}) < 9")
        self.expect("weight(1) > text", "weight(1) > {9}")
        self.expect("CAST(weight AS text) = 'weight'", "CAST ({5} AS text) = 'weight'")
        self.expect("weight = '{5} ''weight'''", "{5} = '{5} ''weight'''")
        self.expect("weight = x'00' ORDER", "{5} = x'00' ORDER")
        self.expect('"order" = 1', "{11} = 1")

    def test_spaces_do_not_matter(self):
        for text in ("weight IN(1,-2)and not(text)", "weight  IN ( 1 , - 2 )  and  not ( text )"):
            self.expect(text, "{5} IN (1, -2) and not ({9})")
        self.expect("weight-1>-1", "{5} - 1 > -1")
        self.expect("weight||text", "{5} || {9}")
        self.expect("weight>>1<=1.5e-3", "{5} >> 1 <= 1.5e-3")

    def test_names_come_back_quoted(self):
        self.assertEqual(expression.by_name("{5} > '{5}'", {5: 'a "b"'}), "\"a \"\"b\"\"\" > '{5}'")

    def test_columns_of_an_expression(self):
        self.assertEqual(expression.columns("{5} > {7} or {5} = '{9}'"), {5, 7})


if __name__ == "__main__":
    unittest.main()
