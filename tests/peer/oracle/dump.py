#!/usr/bin/env python3
"""What casacore reads in a table, in the words of `table cat` (see cells.py), one JSON object a row.

    dump.py TABLE [--columns a,b] [--rows start:end]     cells
    dump.py TABLE --schema                               columns, managers, keywords

casacore aborts on some damaged tables: give each table a process of its own.
"""

import argparse
import json
import os
import sys

import casacore.tables as ct
import numpy as np

sys.dont_write_bytecode = True

import cells  # noqa: E402
import schema as schemas  # noqa: E402

# Rows taken at once in a bulk read.
BLOCK = 1 << 10


def encode(value):
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class Locks:
    """Removes the `table.lock` that casacore makes when it only reads a table that has none."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "table.lock")
        self.had = os.path.lexists(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.had and os.path.lexists(self.path):
            os.remove(self.path)


def open_table(path):
    """The table for reading, without casacore's chatter."""
    return ct.table(path, readonly=True, ack=False)


def scalars(table, column, start, count):
    """JSON values of a scalar column's rows; a record column goes cell by cell."""
    if table.coldatatype(column) == "record":
        for row in range(start, start + count):
            yield cells.field(table.getcell(column, row))
        return
    values = table.getcol(column, start, count)
    if isinstance(values, np.ndarray) and values.dtype.kind == "c":
        pairs = cells.flat(values)
        yield from ([pairs[i], pairs[i + 1]] for i in range(0, len(pairs), 2))
    elif isinstance(values, np.ndarray) and values.dtype.kind != "U":
        yield from cells.flat(values)
    else:
        yield from values


def one_cell(table, column, row):
    """JSON value of one array cell; null when it is undefined."""
    return cells.array_cell(table.getcell(column, row)) if table.iscelldefined(column, row) else None


def arrays(table, column, start, count):
    """JSON values of an array column's rows.

    Cell by cell, unless the shape is fixed: at an undefined cell, another shape, a coordinate column or a
    TiledCellStMan column, reading many cells at once fails in casacore 3.5 or even ends the process.
    """
    described = table.getcoldesc(column)
    fixed = described["option"] & 4 and described["valueType"] != "string"
    row = start
    while row < start + count:
        rows = range(row, min(start + count, row + BLOCK))
        block = uniform(table, column, rows) if fixed else None
        yield from block or (one_cell(table, column, r) for r in rows)
        row = rows.stop


def uniform(table, column, rows):
    """Cells that are all defined and of one shape; None where casacore can't give them at once."""
    try:
        block = table.getcol(column, rows.start, len(rows))
    except RuntimeError:
        return None
    shape = [int(n) for n in reversed(block.shape[1:])]
    data = cells.flat(block)
    per = len(data) // len(rows)
    return [{"shape": shape, "data": data[i:i + per]} for i in range(0, len(data), per)] if per else None


def column_values(table, column, start, count):
    """JSON values of a column's rows, in order."""
    if count == 0:
        return iter(())
    return (scalars if table.isscalarcol(column) else arrays)(table, column, start, count)


def pick(names, wanted):
    """The columns asked for, in the order asked, or all of them."""
    if wanted is None:
        return list(names)
    for name in wanted:
        if name not in names:
            raise ValueError(f"no column {name}")
    return wanted


def row_span(rows, total):
    """start and count of a (start, end) pair with open ends."""
    start, end = rows or (None, None)
    start = 0 if start is None else start
    end = total if end is None else min(end, total)
    return start, max(0, end - start)


def opens(path):
    """False for a table with a uShort column, which the binding can't open although casacore can."""
    try:
        open_table(path).close()
        return True
    except RuntimeError as error:
        if schemas.UNSHORT in str(error):
            return False
        raise


def dump_rows(path, columns=None, rows=None):
    """Yields a line of JSON for each row."""
    with Locks(path):
        if not opens(path):
            yield from dump_by_taql(path, columns, rows)
            return
        with open_table(path) as table:
            names = pick(table.colnames(), columns)
            start, count = row_span(rows, table.nrows())
            streams = [column_values(table, name, start, count) for name in names]
            for _ in range(count):
                yield encode({name: next(stream) for name, stream in zip(names, streams)})


def taql_value(path, row, expression):
    """One value of one row of a table that only TaQL can open."""
    # The result has an axis, or a list, for the one row selected.
    return ct.taql(f"calc from [select from '{path}' where rownumber()=={row}] calc {expression}")[0]


def dump_by_taql(path, columns, rows):
    """The same as dump_rows for a table with uShort columns, cell by cell through TaQL."""
    described = schemas.from_text(path)
    by_name = {column["name"]: column for column in described["columns"]}
    start, count = row_span(rows, described["rows"])
    for row in range(start, start + count):
        line = {}
        for name in pick(list(by_name), columns):
            column = by_name[name]
            # Adding 0 takes the value through TaQL's own integer type, which the binding knows. (Not for floats: -0.)
            expression = f"{name}+0" if column["dtype"] == "uint16" else name
            if column["kind"] == "scalar":
                line[name] = cells.scalar(taql_value(path, row, expression))
            elif not taql_value(path, row, f"isdefined({name})"):
                line[name] = None
            else:
                line[name] = cells.array_cell(taql_value(path, row, expression))
        yield encode(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--columns", help="names, separated by commas")
    parser.add_argument("--rows", help="start:end, either may be left out")
    parser.add_argument("--schema", action="store_true")
    options = parser.parse_args()
    path = options.table.rstrip("/")
    if options.schema:
        with Locks(path):
            print(json.dumps(schemas.describe(path), ensure_ascii=False, indent=1))
        return
    rows = None
    if options.rows:
        rows = tuple(int(part) if part else None for part in options.rows.split(":"))
    columns = options.columns.split(",") if options.columns else None
    for line in dump_rows(path, columns, rows):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
