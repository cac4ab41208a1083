/**
 * What the one who is going to write does with logs that a crash, or damage, left.
 *
 * | found | done |
 * | --- | --- |
 * | logs before the first that is no segment | removed: they are segments |
 * | bytes behind the last whole batch, nothing durable behind them | cut off: they were never acknowledged |
 * | the same, with something durable behind | kept as `NNNNNN.cut`, then cut off: damage |
 * | a last log whose header was being written, or that has no rows | removed, its number is given again |
 * | logs that don't follow those before them | renamed to `NNNNNN.cut`: damage |
 */
import type { Backend } from "../../io/backend.ts";
import type { Findings } from "../../storage/findings.ts";
import { BATCH_ALIGNMENT, BATCH_MAGIC, logName, roundUp } from "./format.ts";
import type { LogReader } from "./reader.ts";
import { type Chain, damageText, logFile, type ScanOptions } from "./scan.ts";

/** Bytes that are copied at once. */
const PIECE_BYTES = 2 ** 20;

/** A name for what is cut off a log that nothing has yet. */
function cutPath({ directory, backend }: ScanOptions, id: number): string {
  const base = `${directory}/${logName(id).slice(0, -".log".length)}`;
  for (let n = 0;; n++) {
    const path = n === 0 ? `${base}.cut` : `${base}.${n}.cut`;
    if (backend.kind(path) === null) return path;
  }
}

/** Copies what follows `from` in a log to a file beside it. */
function keepTail(options: ScanOptions, log: LogReader, from: number): string {
  const path = cutPath(options, log.id), { backend } = options, size = log.file.size();
  const target = backend.open(path, "create"), piece = new Uint8Array(PIECE_BYTES);
  try {
    for (let at = from; at < size;) {
      const part = piece.subarray(0, Math.min(PIECE_BYTES, size - at));
      log.file.read(at, part);
      target.write(part, at - from);
      at += part.length;
    }
    target.sync();
  } finally {
    target.close();
  }
  return path;
}

/** Cuts a file at `end` and fills its last block with zeros. */
function cut(backend: Backend, path: string, end: number, border: number): void {
  const handle = backend.open(path, "update");
  try {
    handle.resize(end);
    if (border > end) handle.resize(border);
    handle.sync();
  } finally {
    handle.close();
  }
}

/** Cuts the last log's tail, keeping it where it is damage. */
function cutTail(options: ScanOptions, log: LogReader, findings: Findings, lost: string | null): void {
  const { path } = log.file, { offset, reason } = log.end, size = log.file.size();
  const border = roundUp(offset, log.header.blockBytes), behind = log.durableBehind();
  if (size <= border && reason === "") return;
  if (behind !== null || lost !== null) {
    const kept = size > offset ? `; what follows is kept as ${keepTail(options, log, offset)}` : "";
    findings.wrong(`${behind !== null ? damageText(log, behind) : lost}${kept}`, path, offset);
  } else if (reason !== "") {
    findings.note(
      `${size - offset} bytes of a write that was never finished were cut off: ${reason}`,
      path,
      offset,
    );
  }
  cut(options.backend, path, offset, border);
}

/** Repairs the logs of a chain, as the table above says. Changes `chain.logs`. @throws TableError IO */
export function recoverLogs(
  options: ScanOptions,
  chain: Chain,
  old: readonly number[],
  findings: Findings,
): void {
  const { directory, backend } = options, { logs, rest } = chain;
  const pathOf = (id: number) => `${directory}/${logName(id)}`;
  let changed = false;
  // The manifest before the last one needed them, as those of a store that was closed.
  for (const id of old) {
    backend.remove(pathOf(id));
    changed = true;
  }
  const last = logs.at(-1), lost = rest === null || rest.harmless ? null : rest.reason;
  if (last !== undefined) {
    cutTail(options, last, findings, lost);
    last.rest();
  }
  for (const id of rest?.ids ?? []) {
    changed = true;
    if (rest!.harmless && !holdsBatches(options, id)) {
      findings.note(`a log that was being begun was removed: ${rest!.reason}`, pathOf(id));
      backend.remove(pathOf(id));
      continue;
    }
    const path = cutPath(options, id);
    findings.wrong(`${rest!.reason}; the log is kept as ${path}`, pathOf(id));
    backend.rename(pathOf(id), path);
  }
  // Only now: its header says how far the logs before it count.
  for (let log = logs.at(-1); log !== undefined && log.index().count === 0; log = logs.at(-1)) {
    findings.note("a log without rows was removed", log.file.path);
    log.file.forget();
    backend.remove(log.file.path);
    logs.pop();
    changed = true;
    const before = logs.at(-1);
    if (before === undefined) continue;
    cutTail(options, before, findings, null);
    before.rest();
  }
  if (changed) backend.syncDirectory(directory);
}

/** True when there is more than a header in a log whose header can't be read: then it is damage, and no log being begun. */
function holdsBatches({ directory, backend }: ScanOptions, id: number): boolean {
  const file = logFile(directory, id, backend), piece = new Uint8Array(PIECE_BYTES);
  try {
    for (let start = 0;; start += PIECE_BYTES) {
      const got = file.open().read(piece, start), view = new DataView(piece.buffer);
      for (let at = 0; at + 4 <= got; at += BATCH_ALIGNMENT) {
        if (view.getUint32(at, true) === BATCH_MAGIC) return true;
      }
      if (got < PIECE_BYTES) return false;
    }
  } finally {
    file.forget();
  }
}
