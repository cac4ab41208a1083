"""Takes part in tests/peer/beside_test.ts through casacore: writes or reads a table in locked transactions.

usage: turns.py write|read TABLE SECONDS
prints one line of JSON: transactions done, and what was wrong, if anything.
"""
import json
import sys
import time

import casacore.tables as ct
import numpy as np

ROLE, PATH, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])


def check(table):
    a = table.getcol("A")
    b = table.getcol("B")
    if not (b == b[:, :1]).all():
        return "torn cell"
    if not (b[1:, 0] == a[1:]).all():
        return "A and B differ: %s %s" % (a.tolist(), b[:, 0].tolist())
    if a[0] != a[1:].max():
        return "counter %d, newest %d" % (a[0], a[1:].max())
    return None


def main():
    table = ct.table(
        PATH,
        readonly=ROLE == "read",
        ack=False,
        lockoptions={"option": "user", "interval": 1, "maxwait": 0},
    )
    done, wrong, last = 0, None, 0
    end = time.time() + SECONDS
    while time.time() < end and wrong is None:
        table.lock(ROLE == "write")
        length = table.getcell("B", 0).size
        wrong = check(table)
        n = table.getcell("A", 0)
        if n < last:
            wrong = "the counter went back from %d to %d" % (last, n)
        last = n
        if ROLE == "write" and wrong is None:
            if n % 50 == 49:
                table.addrows(1)
                table.putcell("A", table.nrows() - 1, 0)
                table.putcell("B", table.nrows() - 1, np.zeros(length))
            row = n % (table.nrows() - 1) + 1
            table.putcell("A", 0, n + 1)
            table.putcell("A", row, n + 1)
            table.putcell("B", row, np.full(length, n + 1.0))
        table.unlock()
        done += 1
        time.sleep(0.0005)
    print(json.dumps({"done": done, "wrong": wrong}))


main()
