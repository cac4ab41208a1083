/**
 * The manifest of a store: which segments there are, where the logs begin, what is to be deleted. It is the truth; the
 * `table.dat` of the store's directory is made from it. docs/ingest-store.md explains each field.
 *
 * | bytes | |
 * | --- | --- |
 * | JSON, one field a line, an entry of a list a line | the fields of {@linkcode Manifest}, in their order |
 * | `"checksum": "xxxxxxxx"`, a line | CRC-32C of all bytes before this line, 8 hexadecimal digits |
 * | `}` | |
 */
import { crc32c } from "../../array/crc32c.ts";
import { TableError } from "../../error.ts";
import type { JsonValue } from "../../format/json.ts";
import { Reader } from "./json-reader.ts";

/** What every manifest says of itself. */
export const MANIFEST_FORMAT = "tessera-ingest";
/** The version that is written, and the only one that is read. */
export const MANIFEST_VERSION = 1;
/** Merges that the history keeps: the newest ones. */
export const HISTORY_LENGTH = 1000;

/** A value as JSON keeps it: an int64 and what is not finite as text. */
export type JsonBound = number | string;

/** Least and greatest value, both included; NaN is left out. */
export interface JsonRange {
  /** The least value. */
  readonly min: JsonBound;
  /** The greatest value. */
  readonly max: JsonBound;
}

/** The bloom filter of a segment's keys, a file beside the segment. */
export interface BloomEntry {
  /** Name in `segments/`. */
  readonly file: string;
  /** Length of the file. */
  readonly bytes: number;
  /** Bits that each key sets. */
  readonly hashes: number;
  /** Keys in it. */
  readonly keys: number;
  /** CRC-32C of the file. */
  readonly crc32c: number;
}

/** A sealed segment: a table in `segments/`. */
export interface SegmentEntry {
  /** Its number, never used again. */
  readonly id: number;
  /** Name in `segments/`. */
  readonly name: string;
  /** Rows in it, at least 1. */
  readonly rows: number;
  /** Bytes of its files. */
  readonly bytes: number;
  /** Merges that its oldest row has been through. */
  readonly level: number;
  /** Sequence number of its first row; those of rows that were dropped are covered, too. */
  readonly firstSequence: number;
  /** The sequence number behind its last row. */
  readonly endSequence: number;
  /** True: its rows stand in the order of the store's `sort` columns; false: in that of their sequence numbers. */
  readonly sorted: boolean;
  /** Range of the time column, null without one, or where all values are NaN. */
  readonly time: { readonly min: number; readonly max: number } | null;
  /** Ranges of the key columns; a column of which all values are NaN is missing. */
  readonly keys: Readonly<Record<string, JsonRange>>;
  /** The filter of its keys; null for a store without a key, or where it was lost. */
  readonly bloom: BloomEntry | null;
  /** Every deletion with this number or a lower one is carried out in it. */
  readonly cleaned: number;
  /** When the newest of its rows were sealed, ISO 8601. */
  readonly created: string;
}

/** A segment that is no longer part of the store, and waits for its readers to let go. */
export interface RetiredSegment {
  /** Name in `segments/`. */
  readonly name: string;
  /** Name of its bloom filter, null without one. */
  readonly bloom: string | null;
  /** Bytes of its files. */
  readonly bytes: number;
  /** The first manifest that doesn't have it. */
  readonly generation: number;
  /** When it was retired, ISO 8601. */
  readonly retired: string;
}

/** Rows to leave out: those with a value in [from, to) in a column, of those appended until then. */
export interface Deletion {
  /** Numbers ascend, and are never used again. */
  readonly id: number;
  /** The time column. */
  readonly column: string;
  /** The first value that is left out. */
  readonly from: number;
  /** The first value behind them. */
  readonly to: number;
  /** Only rows with a lower sequence number. */
  readonly before: number;
}

/** A merge, or a segment that was dropped, in the history. */
export interface MergeRecord {
  /** The manifest that has its result. */
  readonly generation: number;
  /** Several became one; one was written anew without its deleted rows; one was dropped whole, by retention. */
  readonly kind: "merge" | "rewrite" | "drop";
  /** Ids of the segments that went in. */
  readonly inputs: readonly number[];
  /** Id of the segment that came out; null when no row was left. */
  readonly output: number | null;
  /** Rows of the inputs. */
  readonly rowsIn: number;
  /** Rows that are left. */
  readonly rowsOut: number;
  /** Bytes of the inputs. */
  readonly bytesIn: number;
  /** Bytes of what came out. */
  readonly bytesOut: number;
  /** How long it took, in milliseconds. */
  readonly milliseconds: number;
  /** When it ended, ISO 8601. */
  readonly at: string;
}

/** Everything that a store knows of its sealed part. Never changed: each publication makes a new one. */
export interface Manifest {
  /** What the file is. */
  readonly format: "tessera-ingest";
  /** Version of its form. */
  readonly version: 1;
  /** 1 for the first; each publication adds 1. */
  readonly generation: number;
  /** The store's id, 32 hexadecimal digits. */
  readonly store: string;
  /** The columns, as `IngestSchema.fromJSON` reads them. */
  readonly schema: JsonValue;
  /** Id of the next segment. */
  readonly nextSegment: number;
  /** Id of the first log that isn't a segment. */
  readonly firstLog: number;
  /** Sequence number of the first row that isn't in a segment. */
  readonly nextSequence: number;
  /** Number of the next deletion. */
  readonly nextDeletion: number;
  /** In the order of their sequence numbers. */
  readonly segments: readonly SegmentEntry[];
  /** Segments that are waiting to be removed. */
  readonly retired: readonly RetiredSegment[];
  /** Deletions that some segment or log may still have rows of. */
  readonly deletions: readonly Deletion[];
  /** The newest last. */
  readonly history: readonly MergeRecord[];
}

/** What a new store begins with. */
export function firstManifest(store: string, schema: JsonValue): Manifest {
  return {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    generation: 1,
    store,
    schema,
    nextSegment: 1,
    firstLog: 1,
    nextSequence: 0,
    nextDeletion: 1,
    segments: [],
    retired: [],
    deletions: [],
    history: [],
  };
}

// ---- text

const LISTS = ["segments", "retired", "deletions", "history"] as const;
const CHECKSUM = '\n "checksum": "';
/** Where the checksum's line begins, from the end. */
const TAIL_BYTES = CHECKSUM.length + '12345678"\n}\n'.length;
const encoder = new TextEncoder();

/** Makes the text of manifests. Entries that were in the last one aren't turned into text again. */
export class ManifestWriter {
  #lines = new WeakMap<object, string>();

  /** The bytes of the file. */
  bytes(manifest: Manifest): Uint8Array<ArrayBuffer> {
    const { segments: _1, retired: _2, deletions: _3, history: _4, ...head } = manifest;
    const fields = Object.entries(head).map(([name, value]) =>
      `\n ${JSON.stringify(name)}: ${this.#line(value)}`
    );
    for (const list of LISTS) {
      const entries = manifest[list].map((entry) => `\n  ${this.#line(entry)}`);
      fields.push(`\n "${list}": [${entries.join(",")}${entries.length > 0 ? "\n " : ""}]`);
    }
    const body = encoder.encode(`{${fields.join(",")},`);
    const tail = encoder.encode(`${CHECKSUM}${hex(crc32c(body))}"\n}\n`);
    const bytes = new Uint8Array(body.length + tail.length);
    bytes.set(body);
    bytes.set(tail, body.length);
    return bytes;
  }

  #line(value: unknown): string {
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    let line = this.#lines.get(value);
    if (line === undefined) this.#lines.set(value, line = JSON.stringify(value, finite));
    return line;
  }
}

/** JSON has no infinities: they stand there as texts. */
function finite(_: string, value: unknown): unknown {
  return value === Infinity || value === -Infinity ? String(value) : value;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}

/**
 * Reads a manifest.
 *
 * @throws TableError CORRUPT for a checksum that is wrong and for fields that make no sense, UNSUPPORTED for another version
 */
export function parseManifest(bytes: Uint8Array, file: string): Manifest {
  const end = bytes.length - TAIL_BYTES;
  const tail = end < 0 ? "" : new TextDecoder("latin1").decode(bytes.subarray(end));
  const match = /^\n "checksum": "([0-9a-f]{8})"\n\}\n$/.exec(tail);
  if (match === null) {
    throw new TableError(
      "CORRUPT",
      `the ${bytes.length} bytes don't end with a checksum: not a manifest, or not all of it`,
      {
        file,
        offset: Math.max(0, end),
      },
    );
  }
  const found = hex(crc32c(bytes.subarray(0, end)));
  if (found !== match[1]) {
    throw new TableError("CORRUPT", `the checksum of the bytes is ${found}, expected ${match[1]}`, {
      file,
      offset: end,
    });
  }
  let json: JsonValue;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as JsonValue;
  } catch (cause) {
    throw new TableError("CORRUPT", "the checksum is right, but this is no JSON", { file, cause });
  }
  return manifestOf(new Reader(json, file, "manifest"));
}

function manifestOf(r: Reader): Manifest {
  const format = r.text("format");
  if (format !== MANIFEST_FORMAT) r.fail(`format is ${JSON.stringify(format)}, expected ${MANIFEST_FORMAT}`);
  const version = r.whole("version");
  if (version !== MANIFEST_VERSION) {
    throw new TableError("UNSUPPORTED", `manifest version ${version}, expected ${MANIFEST_VERSION}`, {
      file: r.file,
    });
  }
  const manifest: Manifest = {
    format,
    version,
    generation: r.whole("generation"),
    store: r.text("store"),
    schema: r.json("schema"),
    nextSegment: r.whole("nextSegment"),
    firstLog: r.whole("firstLog"),
    nextSequence: r.whole("nextSequence"),
    nextDeletion: r.whole("nextDeletion"),
    segments: r.list("segments").map(segmentOf),
    retired: r.list("retired").map(retiredOf),
    deletions: r.list("deletions").map(deletionOf),
    history: r.list("history").map(mergeOf),
  };
  checkWhole(manifest, r);
  return manifest;
}

/** What a list of entries must be together. */
function checkWhole(manifest: Manifest, r: Reader): void {
  if (!/^[0-9a-f]{32}$/.test(manifest.store)) r.fail("store is no id of 32 hexadecimal digits");
  let end = 0;
  const names = new Set<string>();
  for (const { id, name, rows, firstSequence, endSequence } of manifest.segments) {
    if (id >= manifest.nextSegment) r.fail(`segment ${id}, but the next one is ${manifest.nextSegment}`);
    if (firstSequence < end) {
      r.fail(`segment ${name} begins with row ${firstSequence}, the one before it ends with ${end}`);
    }
    if (rows < 1 || rows > endSequence - firstSequence) {
      r.fail(`segment ${name} has ${rows} rows of the sequence numbers ${firstSequence} to ${endSequence}`);
    }
    end = endSequence;
    names.add(name);
  }
  if (end > manifest.nextSequence) {
    r.fail(`the segments end with row ${end}, the next is ${manifest.nextSequence}`);
  }
  for (const { name } of manifest.retired) names.add(name);
  if (names.size !== manifest.segments.length + manifest.retired.length) {
    r.fail("two segments have the same name");
  }
}

/** A name in `segments/` that leads nowhere else. */
function nameOf(r: Reader, field: string, ending: string): string {
  const name = r.text(field);
  if (!/^[0-9]{6,16}\.[a-z]+$/.test(name) || !name.endsWith(ending)) {
    r.fail(`${field} ${JSON.stringify(name)} is no name of digits and ${ending}`);
  }
  return name;
}

function boundOf(r: Reader, field: string): JsonBound {
  const value = r.json(field);
  if (typeof value !== "number" && typeof value !== "string") {
    r.fail(`${field} is neither a number nor a text`);
  }
  return value as JsonBound;
}

function rangeOf(r: Reader): JsonRange {
  return { min: boundOf(r, "min"), max: boundOf(r, "max") };
}

function segmentOf(r: Reader): SegmentEntry {
  const time = r.optional("time"), bloom = r.optional("bloom");
  return {
    id: r.whole("id"),
    name: nameOf(r, "name", ".tab"),
    rows: r.whole("rows"),
    bytes: r.whole("bytes"),
    level: r.whole("level"),
    firstSequence: r.whole("firstSequence"),
    endSequence: r.whole("endSequence"),
    sorted: r.boolean("sorted"),
    time: time === null ? null : { min: time.number("min"), max: time.number("max") },
    keys: Object.fromEntries(r.entries("keys").map(([name, range]) => [name, rangeOf(range)])),
    bloom: bloom === null ? null : {
      file: nameOf(bloom, "file", ".bloom"),
      bytes: bloom.whole("bytes"),
      hashes: bloom.whole("hashes"),
      keys: bloom.whole("keys"),
      crc32c: bloom.whole("crc32c"),
    },
    cleaned: r.whole("cleaned"),
    created: r.text("created"),
  };
}

function retiredOf(r: Reader): RetiredSegment {
  return {
    name: nameOf(r, "name", ".tab"),
    bloom: r.json("bloom") === null ? null : nameOf(r, "bloom", ".bloom"),
    bytes: r.whole("bytes"),
    generation: r.whole("generation"),
    retired: r.text("retired"),
  };
}

function deletionOf(r: Reader): Deletion {
  return {
    id: r.whole("id"),
    column: r.text("column"),
    from: r.number("from"),
    to: r.number("to"),
    before: r.whole("before"),
  };
}

function mergeOf(r: Reader): MergeRecord {
  const kind = r.text("kind");
  if (kind !== "merge" && kind !== "rewrite" && kind !== "drop") {
    r.fail(`kind ${JSON.stringify(kind)} is not known`);
  }
  return {
    generation: r.whole("generation"),
    kind: kind as MergeRecord["kind"],
    inputs: r.wholes("inputs"),
    output: r.json("output") === null ? null : r.whole("output"),
    rowsIn: r.whole("rowsIn"),
    rowsOut: r.whole("rowsOut"),
    bytesIn: r.whole("bytesIn"),
    bytesOut: r.whole("bytesOut"),
    milliseconds: r.number("milliseconds"),
    at: r.text("at"),
  };
}
