"""The description of a table as casacore reports it: columns, managers, keywords and their types, as JSON values.

    rows, byteOrder, info                           as casacore has them
    columns[]    name dtype kind ndim shape direct fixed maxLength comment manager keywords keywordTypes
                 shape and ndim are null and -1 where free; `manager` is the sequence number
    managers[]   type name sequence columns spec    in sequence order; spec without run-time figures
    keywords     values as in cells.py; a subtable is {"table": path}
    keywordTypes the same fields with names of types: "int32", "int32[]", "table", or an object for a record

The types of scalar keywords can't be had from the Python binding (an Int and an Int64 are both `int`); they are
taken from the text of TaQL's `show table`.
"""

import os
import re

import casacore.tables as ct
import numpy as np

import cells

# What the binding says of a table with a uShort column.
UNSHORT = "unknown data type 4"

DTYPES = {
    "boolean": "bool", "uchar": "uint8", "short": "int16", "ushort": "uint16", "int": "int32", "uint": "uint32",
    "int64": "int64", "float": "float32", "double": "float64", "complex": "complex64", "dcomplex": "complex128",
    "string": "string", "record": "record",
}
SHOWN = {
    "Bool": "bool", "uChar": "uint8", "Short": "int16", "uShort": "uint16", "Int": "int32", "uInt": "uint32",
    "Int64": "int64", "Float": "float32", "float": "float32", "Double": "float64", "double": "float64",
    "Complex": "complex64", "DComplex": "complex128", "String": "string", "Table": "table",
}
# Specification fields that say how much is cached or indexed just now, not how the table is laid out.
RUNTIME = {"MaxCacheSize", "PERSCACHESIZE", "IndexLength", "IndexSize", "SEQNR"}


def shown(path):
    """TaQL's own description of a table, a text; None where a subtable is missing: it opens them all."""
    try:
        return ct.taql(f"show table '{path}' dm tabkey colkey")[0]
    except RuntimeError as error:
        if "does not exist" in str(error):
            return None
        raise


def keyword_types(lines, keywords, depth):
    """Types of the fields of a record, read from an iterator over the lines that show it; None if none are shown."""
    if lines is None:
        return None
    types = {}
    for name, value in keywords.items():
        start = re.compile("^" + "  " * depth + re.escape(name) + r": (\{|\w+)( array)?")
        for line in lines:
            match = start.match(line)
            if match:
                break
        else:
            raise ValueError(f"keyword {name} is not in the text of show table")
        if match.group(1) == "{":
            types[name] = keyword_types(lines, value, depth + 1)
        else:
            types[name] = SHOWN[match.group(1)] + ("[]" if match.group(2) else "")
    return types


def section(text, title):
    """The lines behind a line that is exactly `title`, in the part that shows keywords."""
    if text is None:
        return None
    lines = text.split("\n")
    keywords = next((i for i, line in enumerate(lines) if line.startswith("Keywords of main table")), len(lines))
    for i in range(keywords, len(lines)):
        if lines[i] == title:
            return iter(lines[i + 1:])
    return iter(())


def plain(value):
    """A specification value as JSON, arrays as plain lists in casacore order."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items() if name not in RUNTIME}
    if isinstance(value, np.ndarray):
        return [cells.scalar(x) for x in value.tolist()]
    if isinstance(value, (list, tuple)):
        return [cells.scalar(x) for x in value]
    return cells.scalar(value)


def managers_of(table):
    """Managers in order of their sequence numbers."""
    found = [
        {
            "type": info["TYPE"],
            "name": info["NAME"],
            "sequence": int(info["SEQNR"]),
            "columns": list(info["COLUMNS"]),
            "spec": plain(info["SPEC"]),
        }
        for info in table.getdminfo().values()
    ]
    return sorted(found, key=lambda manager: manager["sequence"])


def column_of(table, name, text, managers, directory):
    """One entry of `columns`."""
    described = table.getcoldesc(name)
    keywords = table.getcolkeywords(name)
    shape = described.get("shape")
    if shape is not None:
        shape = [int(n) for n in (reversed(shape) if described.get("_c_order") else shape)]
    scalar = table.isscalarcol(name)
    dtype = DTYPES[described["valueType"]]
    return {
        "name": name,
        "dtype": dtype,
        "kind": "record" if dtype == "record" else "scalar" if scalar else "array",
        "ndim": 0 if scalar else int(described.get("ndim", 0)),
        "shape": shape,
        "direct": bool(described["option"] & 1),
        "fixed": bool(described["option"] & 4),
        "maxLength": int(described["maxlen"]),
        "comment": described["comment"],
        "manager": next((m["sequence"] for m in managers if name in m["columns"]), None),
        "keywords": cells.field(keywords, directory),
        "keywordTypes": keyword_types(section(text, f"  Column {name}"), keywords, 2),
    }


def describe(path):
    """The whole description."""
    try:
        table = ct.table(path, readonly=True, ack=False)
    except RuntimeError as error:
        if UNSHORT in str(error):
            return from_text(path)
        raise
    with table:
        text = shown(path)
        # The relative names of subtables are those of the table that holds the keywords.
        directory = os.path.abspath(path)
        managers = managers_of(table)
        keywords = table.getkeywords()
        return {
            "rows": table.nrows(),
            "byteOrder": table.endianformat(),
            "info": {key: table.info()[key] for key in ("type", "subType", "readme")},
            "columns": [column_of(table, name, text, managers, directory) for name in table.colnames()],
            "managers": managers,
            "keywords": cells.field(keywords, directory),
            "keywordTypes": keyword_types(section(text, "  Table Keywords"), keywords, 2),
        }


COLUMN_LINE = re.compile(
    r"^  (\S+)\s+(" + "|".join(SHOWN) + r")\s+(?:scalar|array|ndim=(\d+)|shape=\[([\d,]+)\])(.*)$"
)
MANAGER_LINE = re.compile(r"^ (\S+) file=table\.f(\d+)  name=(\S*)")


def from_text(path):
    """The description of a table that the binding can't open: without keywords, comments and specifications."""
    grouped = shown(path)
    # Without managers the columns come in their own order, and a shape in numpy's, as TaQL is asked in Python style.
    listed = ct.taql(f"show table '{path}' nosort")[0]
    rows, order = re.search(r"^(\d+) rows, \d+ columns in (\w+) endian", grouped, re.M).groups()
    managers, owner = [], {}
    for line in grouped.split("\n"):
        found = MANAGER_LINE.match(line)
        if found:
            kind, sequence, name = found.groups()
            managers.append({"type": kind, "name": name, "sequence": int(sequence), "columns": []})
        elif managers and COLUMN_LINE.match(line):
            name = COLUMN_LINE.match(line).group(1)
            managers[-1]["columns"].append(name)
            owner[name] = managers[-1]["sequence"]
    columns = []
    for found in filter(None, map(COLUMN_LINE.match, listed.split("\n"))):
        name, dtype, ndim, shape, rest = found.groups()
        scalar = " scalar" in found.group(0)
        shape = [int(n) for n in reversed(shape.split(","))] if shape else None
        columns.append({
            "name": name,
            "dtype": SHOWN[dtype],
            "kind": "scalar" if scalar else "array",
            "ndim": 0 if scalar else len(shape) if shape else int(ndim or -1),
            "shape": shape,
            "direct": "directly stored" in rest,
            "fixed": shape is not None,
            "manager": owner[name],
        })
    return {"rows": int(rows), "byteOrder": order, "columns": columns, "managers": managers}
