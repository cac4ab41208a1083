"""Makes tables with a DyscoStMan and dumps what casacore reads in them.

    dysco.py JOBS.json

JOBS.json has a list of
    table           path
    spec            of the DyscoStMan
    columns         [{name, correlations, channels}]; WEIGHT_SPECTRUM has weights, others have visibilities
    antennas        their number; a time step has a row for each pair of them
    autos           pairs of an antenna with itself, too
    groups          rows of a time step are repeated for so many DATA_DESC_IDs, each of which is a block
    times           time steps
    holes           blocks that are not written, never the first two or the last
    big             the table is big endian
    seed

For every column of a table the values of all its rows are written to TABLE.COLUMN.raw, first axis fastest.
"""

import itertools
import json
import sys

import casacore.tables as ct
import numpy as np

KEYS = ("ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID")


def describe(job):
    columns = [ct.makescacoldesc(name, 0) for name in KEYS] + [ct.makescacoldesc("TIME", 0.0)]
    for column in job["columns"]:
        weights = column["name"] == "WEIGHT_SPECTRUM"
        columns.append(ct.makearrcoldesc(
            column["name"], 0.0 if weights else 0j, valuetype="float" if weights else "complex",
            shape=[column["channels"], column["correlations"]], options=5,
        ))
    return ct.maketabdesc(columns)


def visibilities(random, scale, shape):
    """Noise of some strength, with everything in it that an encoder must tell apart."""
    values = scale * (random.standard_normal(shape) + 1j * random.standard_normal(shape))
    flat = values.reshape(-1)
    kind = random.randint(12)
    some = random.randint(flat.size)
    if kind == 0:
        flat[some] = np.nan
    elif kind == 1:
        flat[some] = complex(np.inf, 1)
    elif kind == 2:
        flat[some] = complex(1, -np.inf)
    elif kind == 3:
        flat[:] = np.nan
    elif kind == 4:
        flat[:] = 0
    elif kind == 5:
        values[random.randint(shape[0])] = 0
    elif kind == 6:
        flat[some] *= 1000
    return values.astype(np.complex64)


def make(job):
    pairs = list(
        itertools.combinations_with_replacement(range(job["antennas"]), 2) if job["autos"]
        else itertools.combinations(range(job["antennas"]), 2)
    )
    random = np.random.RandomState(job["seed"])
    blocks = job["times"] * job["groups"]
    size = len(pairs)
    manager = {
        "TYPE": "DyscoStMan", "NAME": "Dysco", "SEQNR": 0, "SPEC": job["spec"],
        "COLUMNS": [column["name"] for column in job["columns"]],
    }
    with ct.table(
        job["table"], describe(job), nrow=blocks * size, dminfo={"*1": manager},
        endian="big" if job["big"] else "little", ack=False,
    ) as table:
        number = np.arange(blocks * size)
        block = number // size
        table.putcol("ANTENNA1", np.array([a for a, b in pairs] * blocks, np.int32))
        table.putcol("ANTENNA2", np.array([b for a, b in pairs] * blocks, np.int32))
        table.putcol("FIELD_ID", np.zeros(blocks * size, np.int32))
        table.putcol("DATA_DESC_ID", (block % job["groups"]).astype(np.int32))
        table.putcol("TIME", 5e9 + 10.0 * (block // job["groups"]))
        gains = 0.1 + 3 * random.random_sample(job["antennas"])
        for row in number:
            if row // size in job["holes"]:
                continue
            a, b = pairs[row % size]
            for column in job["columns"]:
                shape = (column["channels"], column["correlations"])
                if column["name"] == "WEIGHT_SPECTRUM":
                    weights = np.abs(random.standard_normal(shape)) + 0.1
                    if random.randint(5) == 0:
                        weights[random.randint(shape[0])] = 0
                    table.putcell(column["name"], row, weights.astype(np.float32))
                else:
                    table.putcell(column["name"], row, visibilities(random, gains[a] * gains[b], shape))


def dump(job):
    with ct.table(job["table"], ack=False) as table:
        for column in job["columns"]:
            values = table.getcol(column["name"])
            with open(f"{job['table']}.{column['name']}.raw", "wb") as file:
                file.write(np.ascontiguousarray(values).tobytes())


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        jobs = json.load(file)
    for job in jobs:
        make(job)
        dump(job)
