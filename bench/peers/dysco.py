"""casacore's side of bench/dysco.ts: makes the tables, then reads them in turn with Tessera.

    dysco.py FOLDER TIMES

Prints a line when the tables are there; after that, for each line on standard input, which is the name of a table, reads
DATA and WEIGHT_SPECTRUM of it and prints the milliseconds as JSON.
"""

import json
import sys
import time

import casacore.tables as ct
import numpy as np

ANTENNAS, CORRELATIONS, CHANNELS = 30, 4, 64
TABLES = [("AF", "TruncatedGaussian", 10), ("RF", "Gaussian", 4), ("Row", "TruncatedGaussian", 8)]
KEYS = ("ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID")


def make(folder, times, normalization, distribution, bits):
    pairs = np.array([(i, j) for i in range(ANTENNAS) for j in range(i, ANTENNAS)], dtype=np.int32)
    rows = len(pairs)
    description = ct.maketabdesc(
        [ct.makescacoldesc(name, 0) for name in KEYS]
        + [
            ct.makescacoldesc("TIME", 0.0),
            ct.makearrcoldesc("DATA", 0j, valuetype="complex", shape=[CHANNELS, CORRELATIONS], options=5),
            ct.makearrcoldesc(
                "WEIGHT_SPECTRUM", 0.0, valuetype="float", shape=[CHANNELS, CORRELATIONS], options=5
            ),
        ]
    )
    spec = {
        "dataBitCount": bits,
        "weightBitCount": 12,
        "distribution": distribution,
        "normalization": normalization,
        "studentTNu": 0.0,
        "distributionTruncation": 2.5,
    }
    columns = ["DATA", "WEIGHT_SPECTRUM"]
    managers = {"*1": {"TYPE": "DyscoStMan", "NAME": "Dysco", "SEQNR": 0, "SPEC": spec, "COLUMNS": columns}}
    table = ct.table(f"{folder}/{normalization}.tab", description, rows * times, dminfo=managers, ack=False)
    table.putcol("ANTENNA1", np.tile(pairs[:, 0], times))
    table.putcol("ANTENNA2", np.tile(pairs[:, 1], times))
    table.putcol("TIME", np.repeat(np.arange(times) * 10.0, rows))
    random = np.random.RandomState(1)
    shape = (rows, CHANNELS, CORRELATIONS)
    for step in range(times):
        data = random.standard_normal(shape) + 1j * random.standard_normal(shape)
        table.putcol("DATA", data.astype(np.complex64), step * rows, rows)
        table.putcol("WEIGHT_SPECTRUM", np.abs(data.real).astype(np.float32), step * rows, rows)
    table.close()


def waited():
    """Seconds that this thread wanted to run and got no processor."""
    try:
        with open("/proc/thread-self/schedstat") as file:
            return int(file.read().split()[1]) * 1e-9
    except OSError:
        return 0.0


def timed(work):
    before, start = waited(), time.perf_counter()
    work()
    return (time.perf_counter() - start - (waited() - before)) * 1000


def read(path):
    table = ct.table(path, ack=False)
    shape = (table.nrows(), CHANNELS, CORRELATIONS)
    data = np.ones(shape, np.complex64)
    weights = np.ones(shape, np.float32)
    times = {"fresh": timed(lambda: table.getcol("DATA"))}
    times["into"] = timed(lambda: table.getcolnp("DATA", data))
    times["weights"] = timed(lambda: table.getcolnp("WEIGHT_SPECTRUM", weights))
    table.close()
    return times


def main():
    folder, times = sys.argv[1], int(sys.argv[2])
    for how in TABLES:
        make(folder, times, *how)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(read(f"{folder}/{line.strip()}.tab")), flush=True)


main()
