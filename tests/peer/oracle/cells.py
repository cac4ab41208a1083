"""Cells and keywords of python-casacore as the JSON values that `table cat` prints.

    bool                 true, false
    number               JSON number, a float32 as the double of equal value; -0.0 keeps its sign
    int64 past 2**53     string of digits
    NaN, infinities      "NaN", "Infinity", "-Infinity"
    complex scalar       [re, im]
    array                {"shape": casacore order, "data": storage order, complex interleaved}
    undefined array      null
    record               object

numpy sees casacore's arrays with the axes reversed, so a numpy array flattened in C order has casacore's
storage order, and its shape is reversed here.
"""

import math
import os
import re

import numpy as np

SAFE = 2**53


def number(value):
    """A Python or numpy real number as a JSON value."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        value = int(value)
        return value if -SAFE <= value <= SAFE else str(value)
    value = float(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def scalar(value):
    """A scalar of any type as a JSON value."""
    if isinstance(value, str):
        return value
    if isinstance(value, (complex, np.complexfloating)):
        return [number(value.real), number(value.imag)]
    return number(value)


def flat(array):
    """The elements of a numpy array in storage order as a list of JSON values, complex interleaved."""
    array = np.ascontiguousarray(array).reshape(-1)
    kind = array.dtype.kind
    if kind == "c":
        array = array.view(array.real.dtype)
        kind = "f"
    if kind == "f":
        return array.tolist() if np.isfinite(array).all() else [number(x) for x in array.tolist()]
    if array.dtype == np.int64 and array.size and (array.max() > SAFE or array.min() < -SAFE):
        return [number(x) for x in array.tolist()]
    return array.tolist()


def string_array(value):
    """Shape (casacore order) and strings of what the binding gives for an array of strings."""
    if isinstance(value, dict):
        return [int(n) for n in reversed(value["shape"])], list(value["array"])
    if isinstance(value, np.ndarray):
        return [int(n) for n in reversed(value.shape)], value.reshape(-1).tolist()
    return [len(value)], list(value)


def array_cell(value):
    """An array cell of any type as a JSON value."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "U":
        return {"shape": [int(n) for n in reversed(value.shape)], "data": flat(value)}
    shape, data = string_array(value)
    return {"shape": shape, "data": data}


def is_string_array(value):
    """True for the dict with which the binding stands for an array of strings that is not 1-dimensional."""
    return set(value) == {"shape", "array"} and isinstance(value["shape"], list)


def field(value, directory=None):
    """A field of a record or a keyword as a JSON value. A subtable becomes {"table": its path}."""
    if isinstance(value, dict):
        if is_string_array(value):
            return array_cell(value)
        return {name: field(inner, directory) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return array_cell(value)
    if isinstance(value, np.ndarray):
        return array_cell(value)
    if isinstance(value, str) and directory is not None and value.startswith("Table: "):
        return {"table": subtable_path(value[len("Table: "):], directory)}
    return scalar(value)


def subtable_path(path, directory):
    """Path of a subtable: relative to the table where both lie in the table's parent folder, else absolute.

    So what is committed does not depend on where the table lies. None for a subtable that casacore concatenates in
    memory, under a name that changes each time.
    """
    if re.fullmatch(r"tab\d+_\d+", os.path.basename(path)) and not os.path.exists(path):
        return None
    directory = os.path.realpath(directory)
    path = os.path.realpath(path)
    parent = os.path.dirname(directory)
    inside = path == parent or path.startswith(parent.rstrip("/") + "/") or parent.startswith(path + "/")
    return os.path.relpath(path, directory) if inside else path
