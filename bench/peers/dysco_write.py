"""casacore's side of bench/dysco_write.ts.

    dysco_write.py FOLDER TIMES

Writes the values of all rows to FOLDER/DATA.raw and FOLDER/WEIGHT_SPECTRUM.raw and prints a line. After that, for each line
on standard input, "COLUMN NORMALIZATION DISTRIBUTION BITS", makes a table, puts the column and closes the table, and prints the
milliseconds that these two took: on the clock, and of the processor, of all threads.
"""

import sys
import time

import casacore.tables as ct
import numpy as np

ANTENNAS, CORRELATIONS, CHANNELS = 30, 4, 64
KEYS = ("ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID")
PAIRS = np.array([(i, j) for i in range(ANTENNAS) for j in range(i, ANTENNAS)], dtype=np.int32)


def make(folder, times, column, normalization, distribution, bits):
    weights = column == "WEIGHT_SPECTRUM"
    description = ct.maketabdesc(
        [ct.makescacoldesc(name, 0) for name in KEYS]
        + [
            ct.makescacoldesc("TIME", 0.0),
            ct.makearrcoldesc(
                column, 0.0 if weights else 0j, valuetype="float" if weights else "complex",
                shape=[CHANNELS, CORRELATIONS], options=5,
            ),
        ]
    )
    spec = {
        "dataBitCount": bits, "weightBitCount": bits, "distribution": distribution,
        "normalization": normalization, "studentTNu": 0.0, "distributionTruncation": 2.5,
    }
    managers = {"*1": {"TYPE": "DyscoStMan", "NAME": "Dysco", "SEQNR": 0, "SPEC": spec, "COLUMNS": [column]}}
    table = ct.table(f"{folder}/casacore.tab", description, len(PAIRS) * times, dminfo=managers, ack=False)
    table.putcol("ANTENNA1", np.tile(PAIRS[:, 0], times))
    table.putcol("ANTENNA2", np.tile(PAIRS[:, 1], times))
    table.putcol("TIME", np.repeat(np.arange(times) * 10.0, len(PAIRS)))
    return table


def main(folder, times):
    shape = (len(PAIRS) * times, CHANNELS, CORRELATIONS)
    random = np.random.RandomState(1)
    gains = 0.3 + 2 * random.random_sample(ANTENNAS)
    scale = np.tile(gains[PAIRS[:, 0]] * gains[PAIRS[:, 1]], times)[:, None, None]
    data = scale * (random.standard_normal(shape) + 1j * random.standard_normal(shape))
    values = {
        "DATA": data.astype(np.complex64),
        "WEIGHT_SPECTRUM": (0.1 + np.abs(random.standard_normal(shape))).astype(np.float32),
    }
    for name, array in values.items():
        array.tofile(f"{folder}/{name}.raw")
    print(flush=True)
    for line in sys.stdin:
        column, normalization, distribution, bits = line.split()
        table = make(folder, times, column, normalization, distribution, int(bits))
        spent, start = time.process_time(), time.perf_counter()
        table.putcol(column, values[column])
        table.close()
        clock = time.perf_counter() - start
        print(clock * 1000, (time.process_time() - spent) * 1000, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
