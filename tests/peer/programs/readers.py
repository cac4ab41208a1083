"""
What other readers make of tables.

    readers.py READER          reads every cell of every golden table, tests/fixtures/tables, and compares with what
                               casacore gave when they were made; prints a line for each storage manager
    readers.py READER TABLE    reads every cell of a table and of the tables in its folder, and compares with casacore's

READER is one of casacore (python-casacore), casacure, casa-formats-io, arcae, whichever the Python that runs this has
installed. A reader may abort or hang: each golden table is read in a process of its own. Records are not compared.
"""

import collections
import json
import math
import multiprocessing
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "..", "fixtures")
SECONDS = 60


def version_of(package):
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "?"


class TableReader:
    """casacore.tables, or what looks like it."""

    def __init__(self, module, path):
        try:
            self.table = module.table(path, ack=False)
        except TypeError:
            self.table = module.table(path)

    def cells(self, column, rows, schema):
        return [self.table.getcell(column, row) for row in rows]


class FormatsReader:
    def __init__(self, path, big):
        from casa_formats_io.casa_low_level_io.table import CASATable

        self.table = CASATable.read(path, endian=">" if big else "<")

    def cells(self, column, rows, schema):
        import numpy

        values = self.table.as_astropy_table(data_desc_id="all", include_columns=[column])[column]
        return [numpy.asarray(values[row]) for row in rows]


class ArcaeReader:
    def __init__(self, path):
        import arcae

        self.table = arcae.table(path)

    def cells(self, column, rows, schema):
        import numpy

        return [self.table.getcol(column, (numpy.array([row]),))[0] for row in rows]


def open_with(reader, path, big):
    if reader == "casacore":
        import casacore.tables

        return TableReader(casacore.tables, path)
    if reader == "casacure":
        import casacure.tables

        return TableReader(casacure.tables, path)
    if reader == "casa-formats-io":
        return FormatsReader(path, big)
    if reader == "arcae":
        return ArcaeReader(path)
    raise SystemExit(__doc__)


def flat(value):
    """Values in storage order, complex ones as two numbers."""
    import numpy

    if isinstance(value, dict) and "array" in value and "shape" in value:
        return list(value["array"])
    if isinstance(value, (bytes, numpy.bytes_)):
        return [value.decode("utf8", "replace").rstrip("\0")]
    if isinstance(value, str):
        return [str(value)]
    out = []
    for item in numpy.asarray(value).reshape(-1).tolist():
        if isinstance(item, complex):
            out += [item.real, item.imag]
        elif isinstance(item, bytes):
            out.append(item.decode("utf8", "replace").rstrip("\0"))
        else:
            out.append(item)
    return out


def same_value(found, expected):
    if isinstance(expected, str) and not isinstance(found, str):
        special = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
        expected = special[expected] if expected in special else int(expected)
    if isinstance(found, float) and isinstance(expected, float) and math.isnan(expected):
        return math.isnan(found)
    return found == expected


def same(found, expected, dtype):
    if isinstance(expected, dict) and "data" in expected:
        numbers = []
        for item in expected["data"]:
            numbers += item if isinstance(item, list) else [item]
        import numpy

        shape = list(numpy.asarray(found).shape) if not isinstance(found, dict) else None
        if shape is not None and not dtype == "string":
            wanted = [n for n in expected["shape"] if n != 1]
            if [n for n in shape if n != 1] != wanted[::-1] and math.prod(expected["shape"]) > 0:
                return False
    elif isinstance(expected, list):
        numbers = expected
    else:
        numbers = [expected]
    values = flat(found)
    return len(values) == len(numbers) and all(same_value(a, b) for a, b in zip(values, numbers))


def is_value(expected):
    """Only defined cells are compared, and no records."""
    return expected is not None and (not isinstance(expected, dict) or "data" in expected)


def columns_of(fixture):
    """The columns of a golden table, each with its manager, or the kind of table or container where that matters more."""
    path = os.path.join(FIXTURES, "expected", fixture["name"].replace("/", ".") + ".schema.json")
    schema = json.load(open(path, encoding="utf8"))
    names = {"multifile": "MultiFile", "concat": "concatenated table", "reftable": "reference table"}
    place = None
    for need, name in names.items():
        place = name if need in fixture["needs"] else place
    kinds = {manager["sequence"]: manager["type"] for manager in schema["managers"]}
    return [(place or kinds.get(column["manager"], "?"), column["name"]) for column in schema["columns"]]


def examine(reader, fixture, send):
    name = fixture["name"]
    path = os.path.join(FIXTURES, "tables", name)
    stem = os.path.join(FIXTURES, "expected", name.replace("/", "."))
    rows = [json.loads(line) for line in open(stem + ".ndjson", encoding="utf8")]
    schema = json.load(open(stem + ".schema.json", encoding="utf8"))
    kinds = {column: kind for kind, column in columns_of(fixture)}
    table, problem = None, None
    try:
        table = open_with(reader, path, fixture["byteOrder"] == "big")
    except BaseException as error:  # what a reader throws is its own affair
        problem = f"{type(error).__name__}: {error}".split("\n")[0][:110]
    for column in schema["columns"]:
        manager = kinds[column["name"]]
        if rows and column["name"] not in rows[0]:
            continue
        defined = [i for i, row in enumerate(rows) if is_value(row[column["name"]])]
        good = 0
        what = problem
        if table is not None:
            try:
                cells = table.cells(column["name"], defined, column)
                for cell, row in zip(cells, defined):
                    good += same(cell, rows[row][column["name"]], column["dtype"])
            except BaseException as error:
                what = f"{type(error).__name__}: {error}".split("\n")[0][:110]
        send((manager, name, column["name"], column["dtype"], good, len(defined), what))


def examine_table(reader, top):
    import casacore.tables
    import numpy

    inside = sorted(name for name in os.listdir(top) if os.path.isfile(os.path.join(top, name, "table.dat")))
    good, reasons = [], collections.Counter()
    for path in [top] + [os.path.join(top, name) for name in inside]:
        peer = casacore.tables.table(path, ack=False)
        for column in peer.colnames():
            defined = [row for row in range(peer.nrows()) if peer.iscelldefined(column, row)]
            try:
                cells = open_with(reader, path, peer.endianformat() == "big").cells(column, defined, None)
                same_cells = all(
                    numpy.array_equal(flat(cell), flat(peer.getcell(column, row))) for cell, row in zip(cells, defined)
                )
                good.append(same_cells)
                if not same_cells:
                    reasons[f"wrong values: {os.path.basename(path)}.{column}"] += 1
            except BaseException as error:
                good.append(False)
                reasons[f"{type(error).__name__}: {error}".split("\n")[0][:110]] += 1
    print(f"{sum(good)} of {len(good)} columns in full")
    for reason, count in reasons.most_common():
        print(f"    {count} × {reason}")


def child(reader, fixture, pipe):
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    examine(reader, fixture, pipe.send)
    pipe.send(None)


def main():
    if len(sys.argv) == 3:
        return examine_table(*sys.argv[1:])
    reader = sys.argv[1] if len(sys.argv) > 1 else ""
    if reader == "casa-formats-io":
        import casa_formats_io.casa_low_level_io.table  # once, for all processes
    manifest = json.load(open(os.path.join(FIXTURES, "manifest.json"), encoding="utf8"))
    found = collections.defaultdict(list)
    for fixture in manifest:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=child, args=(reader, fixture, theirs))
        process.start()
        theirs.close()
        ended = False
        try:
            while ours.poll(SECONDS):
                line = ours.recv()
                if line is None:
                    ended = True
                    break
                found[line[0]].append(line[1:])
        except EOFError:
            pass
        if not ended:
            for manager, column in columns_of(fixture):
                if not any(line[0] == fixture["name"] and line[1] == column for line in found[manager]):
                    found[manager].append((fixture["name"], column, "", 0, 1, "the process ended, or took too long"))
        process.kill()
        process.join()
    package = "python-casacore" if reader == "casacore" else reader
    print(f"{package} {version_of(package)}")
    for manager in sorted(found):
        lines = found[manager]
        whole = sum(1 for line in lines if line[3] == line[4] and line[5] is None)
        print(f"{manager}: {whole} of {len(lines)} columns in full")
        reasons = collections.Counter()
        for name, column, dtype, good, total, what in lines:
            if what is not None:
                reasons[what] += 1
            elif good != total:
                reasons[f"wrong values, {dtype}: {name}.{column} {good} of {total}"] += 1
        for reason, count in reasons.most_common(6):
            print(f"    {count} × {reason}")


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
