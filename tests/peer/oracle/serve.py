#!/usr/bin/env python3
"""The oracle as a process that stays: one JSON request a line in, an answer out.

    in   { "do": "rows", "table", "columns"?, "rows"? [start, end] }     lines of the answer: the rows
         { "do": "schema", "table" }                                     one line: the description
         { "do": "write", "job" }                                        no lines
         { "do": "several", "requests" }                                 of each request the number of its lines, and them
    out  { "ok": true, "lines": n } and n lines, or { "ok": false, "error": text }

Each request is served by a forked child, so that casacore's aborts, caches and locks end with it, while Python,
numpy and casacore are loaded once.
"""

import json
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True

import dump  # noqa: E402
import schema  # noqa: E402
import write  # noqa: E402


def serve(request):
    """Yields the lines of an answer."""
    if request["do"] == "rows":
        yield from dump.dump_rows(request["table"], request.get("columns"), request.get("rows"))
    elif request["do"] == "schema":
        with dump.Locks(request["table"]):
            yield dump.encode(schema.describe(request["table"]))
    elif request["do"] == "write":
        settings = write.container_settings(request["job"])
        try:
            write.perform(request["job"])
        finally:
            if settings:
                os.remove(settings)
    elif request["do"] == "several":
        for one in request["requests"]:
            lines = list(serve(one))
            yield str(len(lines))
            yield from lines
    else:
        raise ValueError(f"unknown request {request['do']}")


def child(request, answer, log):
    """Serves one request in this process: lines to the file `answer`, everything else to `log`."""
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    try:
        for line in serve(request):
            answer.write(line.encode() + b"\n")
        answer.flush()
        os._exit(0)
    except BaseException as error:  # whatever it is, the test wants to read it
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def answer_to(request, out):
    """Forks, waits, and copies the answer to `out`."""
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as log:
        pid = os.fork()
        if pid == 0:
            child(request, answer, log)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == 0:
            answer.seek(0)
            count = sum(1 for _ in answer)
            out.write(json.dumps({"ok": True, "lines": count}).encode() + b"\n")
            answer.seek(0)
            shutil.copyfileobj(answer, out)
        else:
            log.seek(0)
            said = log.read().decode(errors="replace").strip()[-4000:]
            died = f"casacore ended with signal {-status}" if status < 0 else "casacore failed"
            out.write(json.dumps({"ok": False, "error": f"{died}: {said}"}).encode() + b"\n")
        out.flush()


def main():
    out = os.fdopen(os.dup(1), "wb")
    for line in sys.stdin:
        if line.strip():
            answer_to(json.loads(line), out)


if __name__ == "__main__":
    main()
