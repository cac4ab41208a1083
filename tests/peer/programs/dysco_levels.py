"""Dumps what casacore reads for each symbol of a DyscoStMan column, for tables of levels with all sorts of parameters.

    dysco_levels.py FOLDER JOBS.json

JOBS.json has a list of {bits, distribution (its code in the file), nu, truncation}. Job number i goes to FOLDER/i.raw:
the floats of symbols 0, 1, … 2^bits − 1. The files are put together here, byte by byte: one row whose channels hold
the symbols in turn, two each, and a factor of 1.
"""

import glob
import json
import os
import struct
import sys

import casacore.tables as ct
import numpy as np

NAME = b"levels"
ROW = 2  # the normalisation with a factor for each row


def packed(symbols, bits):
    return np.packbits((symbols[:, None] >> np.arange(bits) & 1).astype(np.uint8).reshape(-1), bitorder="little").tobytes()


def empty(path, channels):
    """A table whose Dysco file is empty; gives the file's path."""
    described = ct.maketabdesc(
        [ct.makescacoldesc(name, 0) for name in ("ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID")]
        + [ct.makescacoldesc("TIME", 0.0)]
        + [ct.makearrcoldesc("DATA", 0j, valuetype="complex", shape=[channels, 1], options=5)]
    )
    spec = {
        "dataBitCount": 8, "weightBitCount": 8, "distribution": "Uniform", "normalization": "Row",
        "studentTNu": 0.0, "distributionTruncation": 2.5,
    }
    manager = {"TYPE": "DyscoStMan", "NAME": "levels", "SEQNR": 0, "SPEC": spec, "COLUMNS": ["DATA"]}
    ct.table(path, described, nrow=1, dminfo={"*1": manager}, ack=False).close()
    return next(file for file in glob.glob(f"{path}/table.f*") if os.path.getsize(file) == 0)


def main():
    folder = sys.argv[1]
    with open(sys.argv[2]) as file:
        jobs = json.load(file)
    files = {}
    for i, job in enumerate(jobs):
        bits, path = job["bits"], f"{folder}/levels{job['bits']}"
        if bits not in files:
            files[bits] = empty(path, 2 ** bits // 2)
        body = struct.pack("<f", 1.0) + packed(np.arange(2 ** bits), bits)
        columns_at = 52 + len(NAME)
        header = struct.pack("<4I", columns_at + 12, columns_at, 1, len(NAME)) + NAME
        header += struct.pack("<3I2H4B2d", 1, 1, len(body), 1, 0, bits, 8, job["distribution"], ROW, job["nu"], job["truncation"])
        header += struct.pack("<3I", 12, len(body), 1)
        with open(files[bits], "wb") as file:
            file.write(header + body)
        with ct.table(path, ack=False) as table:
            values = table.getcell("DATA", 0)
        with open(f"{folder}/{i}.raw", "wb") as file:
            file.write(np.ascontiguousarray(values).tobytes())


if __name__ == "__main__":
    main()
