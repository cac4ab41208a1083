"""Columns of a table to an Arrow file, by python-casacore's getcol or by arcae, and pyarrow.

Argument: "getcol" or "arcae". Reads lines of JSON {"table", "file", "columns"} and answers each with the seconds it took.
"""
import json
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc


def nested(values):
    """An array of n dimensions as nested lists of fixed size, complex values as pairs."""
    if np.iscomplexobj(values):
        values = values.view(values.real.dtype).reshape(values.shape + (2,))
    array = pa.array(values.ravel())
    for length in reversed(values.shape[1:]):
        array = pa.FixedSizeListArray.from_arrays(array, length)
    return array


def by_getcol(job):
    from casacore.tables import table
    with table(job["table"], ack=False) as opened:
        arrays = [nested(opened.getcol(name)) for name in job["columns"]]
    batch = pa.record_batch(arrays, names=job["columns"])
    with ipc.new_file(job["file"], batch.schema) as writer:
        writer.write(batch)


def by_arcae(job):
    import arcae
    with arcae.table(job["table"]) as opened:
        read = opened.to_arrow(columns=job["columns"])
    with ipc.new_file(job["file"], read.schema) as writer:
        writer.write_table(read)


run = {"getcol": by_getcol, "arcae": by_arcae}[sys.argv[1]]
print(json.dumps({"pyarrow": pa.__version__}), flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    try:
        run(json.loads(line))
        print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)
    except Exception as error:  # said to the bench, which leaves the side out
        print(json.dumps({"error": repr(error)}), flush=True)
