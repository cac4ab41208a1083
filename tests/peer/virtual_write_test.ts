/**
 * Writing through engines beside casacore: programs/virtual_write.cc makes tables whose columns say what was put, and
 * Tessera puts the same into a table of its own. What is stored is the same to the last bit; casacore reads ours, changes
 * it, and Tessera reads that.
 */
import assert from "node:assert/strict";
import {
  array,
  bitFlags,
  type Cell,
  type ColumnSpec,
  compressComplex,
  compressComplexSD,
  compressFloat,
  mappedArray,
  type NDArray,
  scalar,
  scaledArray,
  scaledComplex,
  type StorageSpec,
  Table,
} from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";
import { compile, compilerTest, halfOf } from "./virtual_printed.ts";

/** The virtual columns of a table. */
function virtualColumns(table: Table): string[] {
  return table.columnNames.filter((name) => table.columnNames.includes(`${name}_stored`));
}

/** A spec that makes the same manager, from what the column's keywords say. */
function specOf(table: Table, name: string): StorageSpec {
  const { keywords, manager: { type } } = table.column(name);
  const engine = type.split("<")[0]!, stored = keywords.get("_BaseMappedArrayEngine_Name") as string;
  const prefix = `_${engine.replace("SD", "")}_`;
  const factor = (value: string, fixed: string) =>
    keywords.get(`${prefix}${keywords.get(prefix + fixed) ? value : `${value}Name`}`) as never;
  switch (engine) {
    case "MappedArrayEngine":
      return mappedArray(name, { stored });
    case "BitFlagsEngine":
      return bitFlags(name, {
        stored,
        readMask: keywords.get(`${prefix}ReadMask`) as number,
        writeMask: keywords.get(`${prefix}WriteMask`) as number,
      });
    case "ScaledArrayEngine":
    case "ScaledComplexData": {
      const make = engine === "ScaledArrayEngine" ? scaledArray : scaledComplex;
      return make(name, {
        stored,
        scale: factor("Scale", "FixedScale"),
        offset: factor("Offset", "FixedOffset"),
      });
    }
    default: {
      const make = { CompressFloat: compressFloat, CompressComplex: compressComplex }[engine] ??
        compressComplexSD;
      return make(name, {
        stored,
        scale: factor("Scale", "Fixed"),
        offset: factor("Offset", "Fixed"),
        autoScale: keywords.get(`${prefix}AutoScale`) as boolean,
      });
    }
  }
}

/** A table of the same columns, and one for what casacore reads in each virtual one. */
function tableLike(path: string, theirs: Table): Table {
  const virtual = virtualColumns(theirs);
  const columns = theirs.columnNames.map((name): ColumnSpec => {
    const { kind, dtype } = theirs.column(name);
    return kind === "scalar" ? scalar(name, dtype) : array(name, dtype);
  });
  const back = virtual.map((name) => array(`${name}_back`, theirs.column(name).dtype));
  return Table.create(path, {
    columns: [...columns, ...back],
    storage: virtual.map((name) => specOf(theirs, name)),
    rows: theirs.rowCount,
    byteOrder: theirs.byteOrder,
  });
}

function zerosLike({ dtype, shape, data }: NDArray): NDArray {
  const zero = dtype === "int64" ? 0n : 0;
  return { dtype, shape, data: (data as Float32Array).slice().fill(zero as never) };
}

/** Puts what casacore put. */
function putLike(ours: Table, theirs: Table, parts: boolean): void {
  const virtual = virtualColumns(theirs);
  for (const name of theirs.columnNames) {
    const { kind } = theirs.column(name);
    // Scales that were chosen are chosen again.
    if (kind === "scalar" && !/auto_(scale|offset)$/.test(name)) ours.putColumn(name, theirs.getColumn(name));
    if (/_(values|part|more)$/.test(name)) {
      theirs.getCells(name).forEach((cell, row) => cell !== null && ours.putCell(name, row, cell));
    }
  }
  for (const name of virtual) {
    for (let row = 0; row < theirs.rowCount; row++) {
      const values = theirs.getCell(`${name}_values`, row) as NDArray | null;
      if (values === null) continue;
      if (parts && row % 2 === 1) {
        ours.putCell(`${name}_stored`, row, zerosLike(theirs.getCell(`${name}_stored`, row) as NDArray));
      } else ours.putCell(name, row, values);
      if (!parts) continue;
      for (const end of ["part", "more"]) {
        const { dtype, shape, data } = theirs.getCell(`${name}_${end}`, row) as NDArray;
        ours.putColumn(name, { dtype, shape: [...shape, 1], data }, {
          rows: [row],
          slice: halfOf(values.shape),
        });
      }
    }
  }
}

/** Values of a cell with the signs of zeros, NaN of any bits. */
function printed(cell: Cell): unknown {
  if (cell === null || typeof cell !== "object" || !("data" in cell)) {
    return Object.is(cell, -0) ? "-0" : cell;
  }
  const { shape, data } = cell as NDArray;
  return {
    shape,
    data: Array.from(data as ArrayLike<unknown>, (value) => Object.is(value, -0) ? "-0" : value),
  };
}

function assertSameCells(ours: Table, name: string, theirs: Table, other: string, what: string): void {
  for (let row = 0; row < theirs.rowCount; row++) {
    const mine = printed(ours.getCell(name, row)), wanted = printed(theirs.getCell(other, row));
    assert.deepEqual(mine, wanted, `${what}, column ${name}, row ${row}`);
  }
}

compilerTest(
  "what Tessera stores through engines is what casacore stores, and each reads the other's",
  () => {
    using folder = temporaryFolder();
    const program = compile("virtual_write", folder.path);
    const casacore = (...args: string[]) => {
      const { success, stderr } = new Deno.Command(program, { args }).outputSync();
      assert.ok(success, `${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    };
    for (const big of ["0", "1"]) {
      for (const parts of ["0", "1"]) {
        const what = `big endian ${big}, parts ${parts}`, place = `${folder.path}/${big}${parts}`;
        Deno.mkdirSync(place);
        casacore("make", place, big, parts);
        using theirs = Table.open(`${place}/${parts === "1" ? "parts" : "whole"}`);
        const virtual = virtualColumns(theirs);
        assert.ok(virtual.length > 80, `${virtual.length} columns`);
        {
          using ours = tableLike(`${place}/ours`, theirs);
          putLike(ours, theirs, parts === "1");
          for (const name of theirs.columnNames) assertSameCells(ours, name, theirs, name, what);
        }
        for (const command of ["back", "change"]) {
          if (command === "change") casacore("change", `${place}/ours`);
          casacore("back", `${place}/ours`);
          using ours = Table.open(`${place}/ours`);
          for (const name of virtual) {
            assertSameCells(
              ours,
              name,
              ours,
              `${name}_back`,
              `${what}, ${command}`,
            );
          }
        }
      }
    }
  },
);
