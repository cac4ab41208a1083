"""Reads stores as casacore sees them: for each line of standard input, a path, a line of JSON.

Every value follows from the row's sequence number, as tests/ingest-rows.ts has it. Each table is read by a fork, since
casacore keeps tables that were opened once, and may abort.
"""
import json
import os
import sys

import numpy as np
from casacore.tables import table

KEYS = 50


def checked(path):
    t = table(path, ack=False)
    rows = t.nrows()
    if rows == 0:
        return {"rows": 0, "sequences": []}
    n = t.getcol("INGEST_SEQUENCE")
    k = np.arange(16).reshape(1, 16)
    data = ((n[:, None] % 4096) + k / 16).astype(np.float32)
    expected = {
        "TIME": n / 8,
        "KEY": (n * 7) % KEYS,
        "CHECK": n * 2654435761 + 12345,
        "DATA": data.view(np.complex64).reshape(rows, 4, 2),
        "FLAG": ((n[:, None] + np.arange(8)) % 3 == 0).reshape(rows, 4, 2),
    }
    for name, values in expected.items():
        found = t.getcol(name)
        if not np.array_equal(found, values):
            return {"wrong": f"{name}: {found.ravel()[:4]} for {values.ravel()[:4]}, shapes {found.shape} {values.shape}"}
    names = ["" if i % 5 == 0 else f"row {i}" for i in n.tolist()]
    if list(t.getcol("NAME")) != names:
        return {"wrong": "NAME"}
    # Cell by cell is slow: of long tables some.
    for i, row in list(enumerate(n.tolist()))[:: max(1, rows // 5000)]:
        defined = t.iscelldefined("FREE", i)
        if defined != (row % 4 != 0) or (defined and t.getcell("FREE", i).tolist() != [row % 1000] * (row % 4)):
            return {"wrong": f"FREE of row {row}"}
    return {"rows": rows, "sequences": n.tolist()}


for line in sys.stdin:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            answer = checked(line.strip())
        except BaseException as error:  # what casacore throws is the answer
            answer = {"wrong": str(error)}
        with os.fdopen(writer, "w") as out:
            out.write(json.dumps(answer))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    print(text or json.dumps({"wrong": f"casacore ended with status {status}"}), flush=True)
