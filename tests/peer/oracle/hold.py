#!/usr/bin/env python3
"""Holds a table open with casacore and does what standard input says, a line each; answers each line with one.

    sum COLUMN               the sum of a real column
    put COLUMN ROW VALUE     fills a cell of an array column
    close                    ends
"""

import sys

import casacore.tables as ct
import numpy as np

table = ct.table(sys.argv[1], readonly=False, ack=False, lockoptions="auto")
# What a process does first decides which cubes it has looked at.
if sys.argv[2] == "read":
    table.getcol(sys.argv[3])
table.unlock()
print("open", flush=True)
for line in sys.stdin:
    words = line.split()
    if words[0] == "close":
        break
    table.lock(words[0] == "put")
    if words[0] == "sum":
        answer = repr(float(np.sum(table.getcol(words[1]), dtype=np.float64)))
    else:
        row = int(words[2])
        table.putcell(words[1], row, np.full_like(table.getcell(words[1], row), float(words[3])))
        answer = "put"
    # Unlocking flushes.
    table.unlock()
    print(answer, flush=True)
table.close()
print("closed", flush=True)
