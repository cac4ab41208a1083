"""Other readers' side of the bench, see ../side.ts: those of Python, each where it is installed.

    readers.py python-casacore | casa-formats-io | arcae | casacure

Says its name and version in the first line. Ends at once where it isn't installed. A reader knows the works below that it
has a call for.
"""

import os
import shutil
import sys
import time
from importlib import import_module, metadata

import numpy as np

CELL = (64, 4)


def waited():
    """Seconds that this thread wanted to run and got no processor."""
    try:
        with open("/proc/thread-self/schedstat") as file:
            return int(file.read().split()[1]) * 1e-9
    except OSError:
        return 0.0


def array_of(rows, dtype, *cell):
    """An array of the caller's that has been written to."""
    return np.ones((rows, *cell), dtype)


class Casacore:
    """python-casacore, or casacure, which has the same calls."""

    threads = False

    def __init__(self, module):
        self.tables = import_module(module)
        self.name = module.partition(".")[0] + "-python"

    def open(self, path):
        return self.tables.table(path, ack=False)

    def put(self, folder, rows, argument):
        tables = self.tables
        path = f"{folder}/{self.name}-put.tab"
        data = (np.arange(rows * 512) % 65521).astype(np.float32).view(np.complex64).reshape(rows, *CELL)
        flag = (np.arange(rows * 256) % 7 == 0).reshape(rows, *CELL)
        flag_row = np.arange(rows) % 7 == 0
        columns = [
            tables.makearrcoldesc("DATA", 0j, valuetype="complex", shape=list(CELL), options=5, datamanagertype="TiledShapeStMan", datamanagergroup="TiledData"),
            tables.makearrcoldesc("FLAG", False, valuetype="bool", shape=list(CELL), options=5, datamanagertype="TiledShapeStMan", datamanagergroup="TiledFlag"),
            tables.makescacoldesc("FLAG_ROW", False),
        ]
        tile = {"DEFAULTTILESHAPE": np.array([4, 64, int(argument)], np.int32)}
        managers = {
            f"*{i + 1}": {"NAME": name, "TYPE": "TiledShapeStMan", "SEQNR": i, "COLUMNS": [column], "SPEC": tile}
            for i, (name, column) in enumerate([("TiledData", "DATA"), ("TiledFlag", "FLAG")])
        }

        def run():
            table = tables.table(path, tables.maketabdesc(columns), rows, dminfo=managers, ack=False)
            table.putcol("DATA", data)
            table.putcol("FLAG", flag)
            table.putcol("FLAG_ROW", flag_row)
            table.flush()
            table.close()

        return run, lambda: shutil.rmtree(path)

    def works(self, table, rows, argument):
        """Works on an open table, each made when it is asked for."""
        data = lambda: array_of(rows, np.complex64, *CELL)

        def into(column, array):
            return lambda: table.getcolnp(column, array)

        def box(lower, upper, array):
            return lambda: table.getcolslicenp("DATA", array, lower, upper)

        def chunks():
            names = {"DATA": (np.complex64, *CELL), "FLAG": (np.bool_, *CELL), "UVW": (np.float64, 3)}
            arrays = {name: array_of(1000, *what) for name, what in names.items()}

            def run():
                for start in range(0, rows, 1000):
                    for name, array in arrays.items():
                        table.getcolnp(name, array, start, 1000)
                    table.getcol("TIME", start, 1000)

            return run

        def cells():
            def run():
                for row in range(rows):
                    table.getcell("DATA", row)

            return run

        return {
            "get-into": lambda: into("DATA", data()),
            "big-get-into": lambda: into("DATA", data()),
            "get-fresh": lambda: lambda: table.getcol("DATA"),
            "flag-into": lambda: into("FLAG", array_of(rows, np.bool_, *CELL)),
            "slice": lambda: box([10, 0], [17, 1], array_of(rows, np.complex64, 8, 2)),
            "split-channel": lambda: box([20, 0], [20, 3], array_of(rows, np.complex64, 1, 4)),
            "rows-cell": cells,
            "flag-row": lambda: lambda: table.getcol("FLAG_ROW"),
            "scalars": lambda: lambda: table.getcol(argument),
            "chunks": chunks,
        }

    def close(self, table):
        table.close()


class Arcae:
    """Works with threads of its own: all time that passes counts."""

    threads = True

    def __init__(self):
        self.arcae = import_module("arcae")

    def open(self, path):
        return self.arcae.table(path)

    put = None

    def works(self, table, rows, argument):
        def into(column, array):
            return lambda: table.getcol(column, None, array)

        def box(channels, correlations):
            array = array_of(rows, np.complex64, channels.stop - channels.start, correlations.stop - correlations.start)
            return lambda: table.getcol("DATA", (slice(0, rows), channels, correlations), array)

        def chunks():
            names = {"DATA": (np.complex64, *CELL), "FLAG": (np.uint8, *CELL), "UVW": (np.float64, 3), "TIME": (np.float64,)}
            arrays = {name: array_of(1000, *what) for name, what in names.items()}

            def run():
                for start in range(0, rows, 1000):
                    for name, array in arrays.items():
                        table.getcol(name, (slice(start, start + 1000),), array)

            return run

        return {
            "get-into": lambda: into("DATA", array_of(rows, np.complex64, *CELL)),
            "big-get-into": lambda: into("DATA", array_of(rows, np.complex64, *CELL)),
            "get-fresh": lambda: lambda: table.getcol("DATA"),
            "flag-into": lambda: into("FLAG", array_of(rows, np.uint8, *CELL)),
            "slice": lambda: box(slice(10, 18), slice(0, 2)),
            "split-channel": lambda: box(slice(20, 21), slice(0, 4)),
            "flag-row": lambda: lambda: table.getcol("FLAG_ROW"),
            "scalars": lambda: lambda: table.getcol(argument),
            "chunks": chunks,
        }

    def close(self, table):
        table.close()


class FormatsIo:
    """Reads whole columns, and keeps nothing open."""

    threads = False

    def __init__(self):
        self.table = import_module("casa_formats_io.casa_low_level_io.table").CASATable

    def open(self, path):
        return path

    put = None

    def works(self, path, rows, argument):
        def column(name, endian="<"):
            table = self.table.read(path, endian=endian)
            return table.as_astropy_table(data_desc_id="all", include_columns=[name])[name]

        return {
            "get-fresh": lambda: lambda: column("DATA"),
            "flag-row": lambda: lambda: column("FLAG_ROW"),
            "scalars": lambda: lambda: column(argument),
        }

    def close(self, path):
        pass


READERS = {
    "python-casacore": ("python-casacore", lambda: Casacore("casacore.tables")),
    "casacure": ("casacure", lambda: Casacore("casacure.tables")),
    "arcae": ("arcae", Arcae),
    "casa-formats-io": ("casa-formats-io", FormatsIo),
}


def prepare(reader, name, folder, table, rows, argument):
    """What does a work, and what lets go of it; None when the reader has no call for it."""
    if name == "put":
        return reader.put and reader.put(folder, rows, argument)
    path = f"{folder}/{table}"
    if name == "open":
        if reader.put is None:
            return None

        def run():
            opened = reader.open(path)
            opened.getcell("C19", 500)
            reader.close(opened)

        return run, lambda: None
    if table == "-":
        return None
    opened = reader.open(path)
    make = reader.works(opened, rows, argument).get(name)
    if make is None:
        reader.close(opened)
        return None
    run = make()
    run()  # A reader that can't says so now.
    return run, lambda: reader.close(opened)


def answer(reader, state, line):
    command, *words = line.split()
    if command == "set":
        name, folder, table, rows, argument = words
        # From mapped files or not is Tessera's business; once is enough.
        if name.endswith("-pread"):
            return "none"
        try:
            state["ready"] = prepare(reader, name, folder, table, int(rows), argument)
        except Exception as error:  # It has no such call, or can't read that: a gap in the table.
            print(f"{name}: {error!r}", file=sys.stderr)
            state["ready"] = None
        return "none" if state["ready"] is None else "ok"
    if command == "run":
        total = 0.0
        for _ in range(int(words[0])):
            before, start = waited(), time.perf_counter()
            try:
                got = state["ready"][0]()
            except Exception as error:
                return "error " + repr(error).replace("\n", " ")
            total += time.perf_counter() - start - (0 if reader.threads else waited() - before)
            del got
        return f"{total * 1000 / int(words[0]):.6f}"
    if state["ready"] is not None:
        state["ready"][1]()
    state["ready"] = None
    return "ok"


def main():
    name = sys.argv[1]
    package, make = READERS[name]
    try:
        reader = make()
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        version = "?"
    except Exception:
        return 1
    # What a reader prints of its own accord isn't an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(f"{name} {version}", file=answers, flush=True)
    state = {"ready": None}
    for line in sys.stdin:
        print(answer(reader, state, line), file=answers, flush=True)
    return 0


sys.exit(main())
