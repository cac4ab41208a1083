/**
 * Merges one after the other, as the policy says, and drops what is too old. A merge changes nothing until its result is
 * published; who stops it loses the work, nothing else.
 */
import { library } from "../../../ffi/binding.ts";
import type { IoName } from "../../io/backend.ts";
import type { Runner } from "../background/runner.ts";
import type { IngestCounters } from "../counters.ts";
import type { Manifest, MergeRecord, RetiredSegment, SegmentEntry } from "../manifest/format.ts";
import type { IngestSchema } from "../schema.ts";
import type { StoreFiles } from "../segments/build.ts";
import type { Publisher } from "../segments/publisher.ts";
import type { CompactionOptions, CompactReport, RetentionOptions, SegmentIo } from "../segments/types.ts";
import type { Merged } from "./merge.ts";
import { chooseAll, chooseMerge, debtBytes, expired, type MergeChoice } from "./policy.ts";

/** First and longest time between a merge that failed and the next try, in milliseconds. */
const FIRST_RETRY_MS = 1000, LAST_RETRY_MS = 60_000;

/** Merged segments go past the page cache where that works: what is read at the same time stays in it. */
function mergeIo({ context }: StoreFiles): IoName | "auto" {
  return context === undefined && library() !== null ? "direct" : "auto";
}

/** What a compactor works with. */
export interface CompactorParts {
  readonly files: StoreFiles;
  readonly schema: IngestSchema;
  readonly runner: Runner;
  readonly publisher: Publisher;
  readonly options: CompactionOptions;
  readonly retention: RetentionOptions;
  readonly io: SegmentIo;
  readonly counters: IngestCounters | undefined;
  /** The id of a new segment. */
  readonly nextId: () => number;
  readonly onError: (error: unknown) => void;
}

/** What is asked of a run. */
export interface CompactRequest {
  /** Everything into as few segments as the limits allow. */
  readonly all?: boolean;
  readonly signal?: AbortSignal;
}

/** The segments of a manifest without some, which are retired. */
export function withoutSegments(manifest: Manifest, gone: ReadonlySet<number>, at: string): Manifest {
  const retired = manifest.segments.filter(({ id }) => gone.has(id)).map((
    { name, bloom, bytes },
  ): RetiredSegment => ({
    name,
    bloom: bloom?.file ?? null,
    bytes,
    generation: manifest.generation + 1,
    retired: at,
  }));
  return {
    ...manifest,
    segments: manifest.segments.filter(({ id }) => !gone.has(id)),
    retired: [...manifest.retired, ...retired],
  };
}

/** Merges and drops. */
export class Compactor {
  readonly #parts: CompactorParts;
  readonly #stop = new AbortController();
  /** Runs that were asked for, one after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  #automatic = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(parts: CompactorParts) {
    this.#parts = parts;
  }

  /** What the policy must know of the store. */
  get #context(): { indexed: boolean; sorts: boolean; time: string | null } {
    const { key, sort, time } = this.#parts.schema;
    return { indexed: key.length > 0 || sort.length > 0, sorts: sort.length > 0, time };
  }

  /** Bytes that the policy would read now. */
  get debt(): number {
    const { publisher, options } = this.#parts;
    return debtBytes(publisher.manifest, options, this.#context);
  }

  /** Starts what is due, if it may and nothing runs. A failure is reported, and it is tried again later. */
  maybe(): void {
    if (this.#automatic || !this.#parts.options.automatic || this.#stop.signal.aborted) return;
    const { publisher, options, retention } = this.#parts;
    const due = chooseMerge(publisher.manifest, options, this.#context) !== null ||
      expired(publisher.manifest, retention, Date.now()).length > 0;
    if (!due) return;
    this.#automatic = true;
    clearTimeout(this.#retry);
    void this.run({}).then(() => {
      this.#retryMs = FIRST_RETRY_MS;
    }, (error) => {
      if (this.#stop.signal.aborted) return;
      this.#parts.onError(error);
      this.#retry = setTimeout(() => this.maybe(), this.#retryMs);
      this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    }).finally(() => {
      this.#automatic = false;
    });
  }

  /** Does what is due, or all there is. @throws TableError of a merge that failed; CLOSED; what `signal` was aborted with */
  run(request: CompactRequest): Promise<CompactReport> {
    const done = this.#queue.then(() => this.#run(request));
    this.#queue = done.catch(() => {});
    return done;
  }

  async #run({ all = false, signal }: CompactRequest): Promise<CompactReport> {
    const { publisher, options } = this.#parts;
    const sum = { merges: 0, rowsIn: 0, rowsOut: 0, bytesRead: 0, bytesWritten: 0 };
    await this.#expire();
    for (;;) {
      signal?.throwIfAborted();
      const { manifest } = publisher;
      const choice = all
        ? chooseAll(manifest, options, this.#context)
        : chooseMerge(manifest, options, this.#context);
      if (choice === null) return sum;
      const merged = await this.#merge(choice, signal);
      sum.merges++;
      sum.rowsIn += merged.rowsIn;
      sum.rowsOut += merged.built?.rows ?? 0;
      sum.bytesRead += merged.bytesRead;
      sum.bytesWritten += merged.bytesWritten;
      await this.#expire();
    }
  }

  async #merge({ kind, inputs }: MergeChoice, signal: AbortSignal | undefined): Promise<Merged> {
    const { files, schema, runner, publisher, options, io, counters, nextId } = this.#parts;
    const start = performance.now(), { manifest } = publisher, segment = nextId();
    const signals = [this.#stop.signal, ...(signal === undefined ? [] : [signal])];
    const merged = await runner.run({
      kind: "merge",
      ...files,
      schema: manifest.schema,
      inputs,
      deletions: manifest.deletions,
      segment,
      storage: options.storage,
      io: io.merge ?? mergeIo(files),
      readIo: io.read ?? "auto",
      batchBytes: options.batchBytes,
      bytesPerSecond: options.bytesPerSecond,
    }, AbortSignal.any(signals)).catch((error) => {
      signal?.throwIfAborted();
      throw error;
    });
    const entry = entryOf(merged, inputs, manifest, schema);
    const milliseconds = Math.round(performance.now() - start);
    try {
      await publisher.publish((now) => replaced(now, kind, inputs, entry, milliseconds));
    } catch (error) {
      if (entry !== null) await this.#drop(entry);
      throw error;
    }
    counters?.took("merge", start);
    counters?.add("merges");
    counters?.add("mergeReadBytes", merged.bytesRead);
    counters?.add("mergeWrittenBytes", merged.bytesWritten);
    counters?.add("droppedRows", merged.rowsIn - (entry?.rows ?? 0));
    return merged;
  }

  /** A segment that no manifest names. What can't be removed is an orphan, for the next one who opens the store. */
  async #drop({ name, bloom }: SegmentEntry): Promise<void> {
    const { runner, files } = this.#parts;
    await runner.run({ kind: "remove", ...files, segments: [{ name, bloom: bloom?.file ?? null }] }).catch(
      () => {},
    );
  }

  /** Retires what is too old or too much. */
  async #expire(): Promise<void> {
    const { publisher, retention, counters } = this.#parts;
    const choose = (manifest: Manifest) => expired(manifest, retention, Date.now());
    if (choose(publisher.manifest).length === 0) return;
    let rows = 0;
    await publisher.publish((manifest) => {
      const gone = choose(manifest), at = new Date().toISOString();
      rows = gone.reduce((sum, segment) => sum + segment.rows, 0);
      const record = recordOf(manifest, "drop", gone, null, 0);
      return {
        ...withoutSegments(manifest, new Set(gone.map(({ id }) => id)), at),
        history: gone.length === 0 ? manifest.history : [...manifest.history, record],
      };
    });
    counters?.add("droppedRows", rows);
  }

  /** Stops what runs, and resolves when it has ended. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#retry);
    await this.#queue;
  }
}

/** What the manifest will say of the result. */
function entryOf(
  { built, sorted }: Merged,
  inputs: readonly SegmentEntry[],
  manifest: Manifest,
  schema: IngestSchema,
): SegmentEntry | null {
  if (built === null) return null;
  return {
    ...built,
    level: 1 + Math.max(...inputs.map(({ level }) => level)),
    firstSequence: inputs[0]!.firstSequence,
    endSequence: inputs.at(-1)!.endSequence,
    sorted: sorted && schema.sort.length > 0,
    // Deletions that come meanwhile have higher numbers.
    cleaned: manifest.nextDeletion - 1,
    created: inputs.reduce((newest, { created }) => created > newest ? created : newest, ""),
  };
}

function recordOf(
  manifest: Manifest,
  kind: MergeRecord["kind"],
  inputs: readonly SegmentEntry[],
  entry: SegmentEntry | null,
  milliseconds: number,
): MergeRecord {
  return {
    generation: manifest.generation + 1,
    kind,
    inputs: inputs.map(({ id }) => id),
    output: entry?.id ?? null,
    rowsIn: inputs.reduce((sum, { rows }) => sum + rows, 0),
    rowsOut: entry?.rows ?? 0,
    bytesIn: inputs.reduce((sum, { bytes }) => sum + bytes, 0),
    bytesOut: entry?.bytes ?? 0,
    milliseconds,
    at: new Date().toISOString(),
  };
}

/** The manifest with the result in the place of the inputs. */
function replaced(
  manifest: Manifest,
  kind: MergeRecord["kind"],
  inputs: readonly SegmentEntry[],
  entry: SegmentEntry | null,
  milliseconds: number,
): Manifest {
  const ids = new Set(inputs.map(({ id }) => id)), at = new Date().toISOString();
  const place = manifest.segments.findIndex(({ id }) => ids.has(id));
  const without = withoutSegments(manifest, ids, at);
  return {
    ...without,
    nextSegment: Math.max(manifest.nextSegment, (entry?.id ?? 0) + 1),
    segments: entry === null
      ? without.segments
      : [...without.segments.slice(0, place), entry, ...without.segments.slice(place)],
    history: [...manifest.history, recordOf(manifest, kind, inputs, entry, milliseconds)],
  };
}
