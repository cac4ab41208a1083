/**
 * The manifest as a reader follows it. Looking whether there is a newer one costs an open and two short reads: the checksum
 * at the end of the file tells.
 */
import { TableError } from "../../error.ts";
import type { Backend } from "../../io/backend.ts";
import type { Finding } from "../../storage/findings.ts";
import { readManifest } from "../manifest/files.ts";
import type { Manifest } from "../manifest/format.ts";
import { MANIFEST_FILE } from "./places.ts";

/** The end of the file, with the checksum. */
const TAIL_BYTES = 32;

/** The newest manifest that was seen. */
export class ManifestWatch {
  /** What was odd about the first one. */
  readonly findings: readonly Finding[];
  readonly #directory: string;
  readonly #backend: Backend;
  #manifest: Manifest;
  /** Length and end of the file. */
  #seen: string;

  /** @throws TableError NOT_FOUND when there is no store; CORRUPT, UNSUPPORTED, IO */
  constructor(directory: string, backend: Backend) {
    this.#directory = directory;
    this.#backend = backend;
    // Before it is read: what comes in between is found the next time.
    this.#seen = this.#look();
    const { manifest, findings } = readManifest(directory, backend);
    this.#manifest = manifest;
    this.findings = findings;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  /** Takes in a newer manifest; true when there was one. @throws TableError CORRUPT, IO */
  refresh(): boolean {
    const now = this.#look();
    if (now === this.#seen) return false;
    const { manifest, from } = readManifest(this.#directory, this.#backend);
    // Between two renames of a writer there is only the one before.
    if (from === "current") this.#seen = now;
    if (manifest.generation <= this.#manifest.generation) return false;
    this.#manifest = manifest;
    return true;
  }

  #look(): string {
    let handle;
    try {
      handle = this.#backend.open(`${this.#directory}/${MANIFEST_FILE}`, "read");
    } catch (error) {
      if (error instanceof TableError && error.code === "NOT_FOUND") return "";
      throw error;
    }
    try {
      const size = handle.size(), tail = new Uint8Array(Math.min(size, TAIL_BYTES));
      const got = handle.read(tail, size - tail.length);
      return `${size} ${tail.subarray(0, got).join(" ")}`;
    } finally {
      handle.close();
    }
  }
}
