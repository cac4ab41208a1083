#!/usr/bin/env python3
"""Makes or changes a table with casacore as a JSON job on standard input says.

    table        path; made new unless "open" is true (an old one is replaced)
    rows, seed   number of rows; seed of the values (values.py)
    byteOrder    "little" (as casacore's default here) or "big"
    columns      [{ name, dtype, kind: "scalar" | "array" | "record", shape | ndim, direct, maxLength, comment,
                    keywords, managerType (the type that the description wishes for), and for the values: undefinedEvery, shapes, axes, longest, specials, repeat, like }]
                 shapes in casacore order; ndim -1 or left out: any
    managers     [{ type, name, columns, spec }]; columns in none of them go to casacore's default
    hypercolumns { name: { ndim, data, coord, id } }
    keywords     { key: value }, set as `setkeyword` below does
    info         { type, subType, readme }
    storage      "multifile" puts the managers' files into one; blockSize its block size in bytes
    fill         false leaves the cells unset; else every cell of every column that is not "fill": false is put
    parts        instead of all that: the tables of which this one is a concatenation, and in
    concatSubtables    the keywords whose subtables are concatenated too
    operations   done in order:
        { op: "addrows", count }                         { op: "removerows", rows }
        { op: "fill", columns?, rows?, seed? }           put generated values
        { op: "put", column, row, value }                a cell as `table cat` prints it
        { op: "putcol", column, start, shape, data }     array with the row axis last, in storage order
        { op: "setkeyword", key, value, dtype?, column?, comment? }    value as printed, dtype e.g. "int16", "float32[]"
        { op: "removekeyword", key, column? }            { op: "subtable", key, table }
        { op: "addcolumns", columns, managers, fill? }   { op: "removecolumns", columns }
        { op: "renamecolumn", from, to }                 { op: "taql", command }
        { op: "flush" }                                  { op: "reopen" }
        { op: "select", rows, giving }                   a reference table of those rows

A table with a uint16 column is made and filled through TaQL, as the Python binding can't open it (so name such a column
in `columns` when such a table is opened). Its operations are addrows, removerows, fill, put and taql, its values finite
numbers and bools.
"""

import json
import os
import re
import shutil
import sys
import tempfile

import casacore.tables as ct
import numpy as np

sys.dont_write_bytecode = True

import cells  # noqa: E402
import schema as schemas  # noqa: E402
import values  # noqa: E402

VALUE_TYPES = {dtype: name for name, dtype in schemas.DTYPES.items()}
TAQL_TYPES = {
    "bool": "B", "uint8": "U1", "int16": "I2", "uint16": "U2", "int32": "I4", "uint32": "U4", "int64": "I8",
    "float32": "R4", "float64": "R8", "complex64": "C4", "complex128": "C8", "string": "S",
}


def column_description(column):
    """The binding's description of a column."""
    described = {
        "valueType": VALUE_TYPES[column["dtype"]],
        "dataManagerType": column.get("managerType", "StandardStMan"),
        "dataManagerGroup": column.get("managerType", "StandardStMan"),
        "option": 0,
        "maxlen": column.get("maxLength", 0),
        "comment": column.get("comment", ""),
        "keywords": {},
    }
    if column.get("kind") == "array":
        described["_c_order"] = True
        described["ndim"] = column.get("ndim", -1)
        if column.get("shape"):
            described["ndim"] = len(column["shape"])
            described["shape"] = [int(n) for n in reversed(column["shape"])]
            described["option"] = 5 if column.get("direct") else 4
    return ct.makecoldesc(column["name"], described)


def description(job):
    """The binding's description of a table."""
    described = ct.maketabdesc([column_description(column) for column in job["columns"]])
    hypercolumns = {
        name: {
            "HCndim": given["ndim"],
            "HCdatanames": given["data"],
            # An empty list would pass for one of numbers.
            **({"HCcoordnames": given["coord"]} if given.get("coord") else {}),
            **({"HCidnames": given["id"]} if given.get("id") else {}),
        }
        for name, given in job.get("hypercolumns", {}).items()
    }
    if hypercolumns:
        described["_define_hypercolumn_"] = hypercolumns
    return described


def manager_info(managers):
    """The binding's data manager info."""
    return {
        f"*{i + 1}": {
            "TYPE": manager["type"],
            "NAME": manager.get("name", manager["type"]),
            "SEQNR": i,
            "SPEC": manager.get("spec", {}),
            "COLUMNS": manager["columns"],
        }
        for i, manager in enumerate(managers)
    }


def numeric(dtype, shape, data):
    """A numpy array, axes reversed, from flat JSON data in storage order."""
    if dtype == "int64":
        flat = np.array([int(x) for x in data], dtype=np.int64)
    elif dtype in ("complex64", "complex128"):
        part = np.float32 if dtype == "complex64" else np.float64
        flat = np.array([float(x) for x in data], dtype=part).view(values.NUMPY[dtype])
    elif dtype in ("float32", "float64"):
        flat = np.array([float(x) for x in data], dtype=values.NUMPY[dtype])
    else:
        flat = np.array(data, dtype=values.NUMPY[dtype])
    return flat.reshape(shape[::-1])


def parsed(dtype, value):
    """A cell as `table cat` prints it, as the binding takes it."""
    if isinstance(value, dict) and set(value) == {"shape", "data"}:
        if dtype == "string":
            return {"shape": value["shape"][::-1], "array": value["data"]}
        return numeric(dtype, value["shape"], value["data"])
    if dtype in ("complex64", "complex128"):
        return complex(float(value[0]), float(value[1]))
    if dtype in ("float32", "float64"):
        return float(value)
    if dtype == "int64":
        return int(value)
    return value


def put(table, column, row, value):
    """Puts a value of values.cell_value."""
    if value is None:
        return
    if isinstance(value, tuple):
        shape, data = value
        value = data if len(shape) == 1 and data else {"shape": shape[::-1], "array": data}
    elif isinstance(value, np.generic):
        value = value.item()
    table.putcell(column["name"], row, value)


def fill(table, columns, rows, seed):
    """Puts generated values, row by row and column by column."""
    for row in rows:
        for column in columns:
            put(table, column, row, values.cell_value(column, seed, row))


def literal(dtype, value):
    """A TaQL literal of a keyword or a cell."""
    if isinstance(value, dict):
        data, shape = value["data"], value["shape"]
        if dtype.startswith("complex"):
            data = [data[i:i + 2] for i in range(0, len(data), 2)]
        items = "[" + ",".join(literal(dtype, x) for x in data) + "]"
        # TaQL in Python style takes the shape with the axes reversed, like numpy.
        return items if len(shape) == 1 else f"array({items},{list(reversed(shape))})"
    if isinstance(value, str) and dtype == "string":
        quote = "'" if "'" not in value else '"'
        return quote + value + quote
    if dtype == "bool":
        return "T" if value else "F"
    if dtype.startswith("complex"):
        return f"({value[0]!r}+({value[1]!r})*1i)"
    return str(value)


def set_keyword(table, path, operation):
    """Sets a keyword; with a dtype through TaQL, which can make every type."""
    key, value, column = operation["key"], operation["value"], operation.get("column")
    dtype = operation.get("dtype")
    if dtype:
        base = dtype.replace("[]", "")
        place = f"{column}::{key}" if column else key
        table.flush()
        ct.taql(f"alter table $1 set keyword {place}={literal(base, value)} as {TAQL_TYPES[base]}", tables=[table])
        return
    value = plain_keyword(value)
    if column:
        table.putcolkeyword(column, key, value)
    else:
        table.putkeyword(key, value)


def plain_keyword(value):
    """A printed value as the binding takes it, types guessed."""
    if isinstance(value, dict):
        if set(value) == {"shape", "data"}:
            data = value["data"]
            if data and isinstance(data[0], str):
                return data if len(value["shape"]) == 1 else {"shape": value["shape"][::-1], "array": data}
            return np.array(data).reshape(value["shape"][::-1])
        return {key: plain_keyword(inner) for key, inner in value.items()}
    return value


def operate(table, job, operation, columns):
    """Carries out one operation; gives back the table, which `reopen` replaces."""
    op = operation["op"]
    seed = operation.get("seed", job.get("seed", 0))
    if op == "addrows":
        table.addrows(operation["count"])
    elif op == "removerows":
        table.removerows(operation["rows"])
    elif op == "fill":
        names = operation.get("columns")
        chosen = [c for c in columns.values() if (c["name"] in names if names else c.get("fill", True))]
        fill(table, chosen, operation.get("rows", range(table.nrows())), seed)
    elif op == "put":
        dtype = columns[operation["column"]]["dtype"] if operation["column"] in columns else schemas.DTYPES[
            table.coldatatype(operation["column"])
        ]
        table.putcell(operation["column"], operation["row"], parsed(dtype, operation["value"]))
    elif op == "putcol":
        dtype = schemas.DTYPES[table.coldatatype(operation["column"])]
        data = operation["data"] if dtype == "string" else numeric(dtype, operation["shape"], operation["data"])
        table.putcol(operation["column"], data, operation.get("start", 0), operation["shape"][-1])
    elif op == "setkeyword":
        set_keyword(table, job["table"], operation)
    elif op == "removekeyword":
        if operation.get("column"):
            table.removecolkeyword(operation["column"], operation["key"])
        else:
            table.removekeyword(operation["key"])
    elif op == "subtable":
        table.putkeyword(operation["key"], "Table: " + os.path.abspath(operation["table"]))
    elif op == "addcolumns":
        add_columns(table, operation, columns, seed)
    elif op == "removecolumns":
        table.removecols(operation["columns"])
        for name in operation["columns"]:
            columns.pop(name, None)
    elif op == "renamecolumn":
        table.renamecol(operation["from"], operation["to"])
        columns[operation["to"]] = {**columns.pop(operation["from"]), "name": operation["to"]}
    elif op == "taql":
        table.flush()
        ct.taql(operation["command"].replace("$TABLE", f"'{job['table']}'"))
    elif op == "select":
        table.selectrows(operation["rows"]).copy(operation["giving"])
    elif op == "flush":
        table.flush()
    elif op == "reopen":
        table.close()
        return ct.table(job["table"], readonly=False, ack=False)
    else:
        raise ValueError(f"unknown operation {op}")
    return table


def add_columns(table, operation, columns, seed):
    """Adds columns one manager at a time, those of none first."""
    new = {column["name"]: column for column in operation["columns"]}
    bound = {name for manager in operation.get("managers", []) for name in manager["columns"]}
    free = [column for name, column in new.items() if name not in bound]
    if free:
        table.addcols(ct.maketabdesc([column_description(column) for column in free]))
    for manager in operation.get("managers", []):
        described = ct.maketabdesc([column_description(new[name]) for name in manager["columns"]])
        info = manager_info([manager])["*1"]
        table.addcols(described, info)
    columns.update(new)
    if operation.get("fill", True):
        fill(table, list(new.values()), range(table.nrows()), seed)


def perform(job):
    """Carries out a job."""
    if "parts" in job:
        with ct.table(job["parts"], concatsubtables=job.get("concatSubtables", []), ack=False) as table:
            table.rename(job["table"])
        return
    columns = {column["name"]: column for column in job.get("columns", [])}
    if any(column["dtype"] == "uint16" for column in columns.values()):
        perform_by_taql(job, columns)
        return
    if job.get("open"):
        table = ct.table(job["table"], readonly=False, ack=False)
    else:
        shutil.rmtree(job["table"], ignore_errors=True)
        table = ct.table(
            job["table"], description(job), nrow=job.get("rows", 0), dminfo=manager_info(job.get("managers", [])),
            endian=job.get("byteOrder", "little"), ack=False,
        )
        for column in columns.values():
            for key, value in column.get("keywords", {}).items():
                set_keyword(table, job["table"], {"key": key, "value": value, "column": column["name"]})
        for key, value in job.get("keywords", {}).items():
            set_keyword(table, job["table"], {"key": key, "value": value})
        if "info" in job:
            table.putinfo({"type": "", "subType": "", "readme": "", **job["info"]})
        if job.get("fill", True):
            chosen = [column for column in columns.values() if column.get("fill", True)]
            fill(table, chosen, range(table.nrows()), job.get("seed", 0))
    try:
        for operation in job.get("operations", []):
            table = operate(table, job, operation, columns)
    finally:
        table.close()


def taql(command):
    """Runs a command on a table with a uint16 column: casacore does it, the binding then fails to open the result."""
    try:
        ct.taql(command)
    except RuntimeError as error:
        if schemas.UNSHORT not in str(error):
            raise


def perform_by_taql(job, columns):
    """A job with uint16 columns."""
    path, seed = job["table"], job.get("seed", 0)
    if not job.get("open"):
        create_by_taql(job, columns)
        if job.get("fill", True):
            fill_by_taql(path, columns.values(), range(job.get("rows", 0)), seed)
    for operation in job.get("operations", []):
        op = operation["op"]
        if op == "taql":
            taql(operation["command"].replace("$TABLE", f"'{path}'"))
        elif op == "addrows":
            # INSERT wants a column: a scalar number, put to what an unset one is.
            scalars = [c for c in columns.values() if c.get("kind", "scalar") == "scalar"]
            name = next(c["name"] for c in scalars if c["dtype"] not in ("bool", "string"))
            taql(f"insert limit {operation['count']} into '{path}' ({name}) values (0)")
        elif op == "removerows":
            taql(f"delete from '{path}' where rownumber() in {operation['rows']}")
        elif op == "put":
            column = columns[operation["column"]]
            value = literal(column["dtype"], operation["value"])
            taql(f"update '{path}' set {column['name']}={value} where rownumber()=={operation['row']}")
        elif op == "fill":
            chosen = [columns[name] for name in operation.get("columns", columns)]
            rows = operation["rows"] if "rows" in operation else range(schemas.from_text(path)["rows"])
            fill_by_taql(path, chosen, rows, operation.get("seed", seed))
        else:
            raise ValueError(f"operation {op} on a table with a uint16 column")


def create_by_taql(job, columns):
    """Makes the table, without values."""
    path = job["table"]
    shutil.rmtree(path, ignore_errors=True)
    parts = []
    for column in columns.values():
        options = []
        if column.get("kind") == "array" and column.get("shape"):
            # TaQL in Python style takes shapes with the axes reversed.
            options = [f"shape={list(reversed(column['shape']))}", f"direct={1 if column.get('direct') else 0}"]
        elif column.get("kind") == "array":
            options = [f"ndim={max(0, column.get('ndim', -1))}"]
        declared = f"{column['name']} {TAQL_TYPES[column['dtype']]}"
        parts.append(declared + (f" [{','.join(options)}]" if options else ""))
    managers = ",".join(
        f"[TYPE='{m['type']}',NAME='{m.get('name', m['type'])}',SPEC={taql_record(m.get('spec', {}))},"
        f"COLUMNS={m['columns']}]"
        for m in job.get("managers", [])
    )
    order = job.get("byteOrder", "little")
    taql(
        f"create table '{path}' as [type='plain',endian='{order}'] {', '.join(parts)} limit {job.get('rows', 0)}"
        + (f" dminfo {managers}" if managers else "")
    )


def taql_record(record):
    """A TaQL record literal; the empty one has a sign of its own."""
    if not record:
        return "[=]"
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in record.items()) + "]"


def fill_by_taql(path, columns, rows, seed):
    """Generated values through UPDATE, a row at a time."""
    for row in rows:
        sets = []
        for column in columns:
            value = values.cell_value(column, seed, row)
            if value is None:
                continue
            printed = cells.array_cell(value) if isinstance(value, np.ndarray) else cells.scalar(value)
            sets.append(f"{column['name']}={literal(column['dtype'], printed)}")
        if sets:
            taql(f"update '{path}' set {', '.join(sets)} where rownumber()=={row}")


def container_settings(job):
    """A casacore settings file that puts new tables into MultiFile containers; None if the job doesn't ask for it.

    casacore reads its settings once, so this must come before the first table of the process.
    """
    if job.get("storage") != "multifile":
        return None
    handle, path = tempfile.mkstemp(suffix=".rc")
    with os.fdopen(handle, "w") as settings:
        settings.write("table.storage.option: multifile\n")
        settings.write(f"table.storage.blocksize: {job.get('blockSize', 4096)}\n")
    os.environ["CASARCFILES"] = path
    return path


def main():
    job = json.load(sys.stdin)
    settings = container_settings(job)
    try:
        perform(job)
    finally:
        if settings:
            os.remove(settings)


if __name__ == "__main__":
    main()
