"""Makes, changes and dumps tables with a DyscoStMan as casacore does, with values that are given.

    dysco_write.py JOBS.json

JOBS.json has a list of jobs, done in order:
    do        make: a new table with "spec", "columns" [{name, correlations, channels}] and "rows", keys and columns filled
              put: rows from "start" on are given other values, after "add" rows were added
              dump: each of "columns" goes to PREFIX.COLUMN.raw
    table     path
    prefix    files PREFIX.COLUMN.raw with the values, first axis fastest; PREFIX.TIME.raw has doubles, the other keys int32
"""

import json
import sys

import casacore.tables as ct
import numpy as np

KEYS = ("ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID")


def values(job, name, shape):
    dtype = np.float64 if name == "TIME" else np.int32 if name in KEYS else (
        np.float32 if name == "WEIGHT_SPECTRUM" else np.complex64)
    return np.fromfile(f"{job['prefix']}.{name}.raw", dtype).reshape(shape)


def put(job, table, start, rows, columns):
    for name in (*KEYS, "TIME"):
        table.putcol(name, values(job, name, (rows,)), start, rows)
    for column in columns:
        shape = (rows, column["channels"], column["correlations"])
        table.putcol(column["name"], values(job, column["name"], shape), start, rows)


def make(job):
    columns = [ct.makescacoldesc(name, 0) for name in KEYS] + [ct.makescacoldesc("TIME", 0.0)]
    for column in job["columns"]:
        weights = column["name"] == "WEIGHT_SPECTRUM"
        columns.append(ct.makearrcoldesc(
            column["name"], 0.0 if weights else 0j, valuetype="float" if weights else "complex",
            shape=[column["channels"], column["correlations"]], options=5,
        ))
    manager = {
        "TYPE": "DyscoStMan", "NAME": "Dysco", "SEQNR": 0, "SPEC": job["spec"],
        "COLUMNS": [column["name"] for column in job["columns"]],
    }
    with ct.table(
        job["table"], ct.maketabdesc(columns), nrow=job["rows"], dminfo={"*1": manager}, ack=False,
    ) as table:
        put(job, table, 0, job["rows"], job["columns"])


def change(job):
    with ct.table(job["table"], readonly=False, ack=False) as table:
        table.addrows(job["add"])
        put(job, table, job["start"], job["rows"], job["columns"])


def dump(job):
    with ct.table(job["table"], ack=False) as table:
        for column in job["columns"]:
            np.ascontiguousarray(table.getcol(column["name"])).tofile(f"{job['prefix']}.{column['name']}.raw")


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        jobs = json.load(file)
    for job in jobs:
        {"make": make, "put": change, "dump": dump}[job["do"]](job)
