/**
 * String references: format reference part 2, section 3.2. Three i32 in the byte order of the table:
 *
 * | | a scalar of up to 8 bytes | anything else |
 * | --- | --- | --- |
 * | a, b | the bytes themselves, not swapped | string bucket, offset in its data area |
 * | length | byte count | byte count; 0: no value |
 */
/** Strings up to this long stand in the reference itself. */
export const INLINE_BYTES = 8;

/** Bytes of a reference. */
export const REFERENCE_BYTES = 12;

/** An item in string buckets. */
export interface ItemPlace {
  readonly bucket: number;
  readonly offset: number;
  readonly length: number;
}

/** References of several rows, as they stand in the file. */
export class References {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(count: number, bigEndian: boolean) {
    this.bytes = new Uint8Array(count * REFERENCE_BYTES);
    this.#view = new DataView(this.bytes.buffer);
    this.#little = !bigEndian;
  }

  get count(): number {
    return this.bytes.length / REFERENCE_BYTES;
  }

  length(i: number): number {
    return this.#view.getInt32(i * REFERENCE_BYTES + 8, this.#little);
  }

  bucket(i: number): number {
    return this.#view.getInt32(i * REFERENCE_BYTES, this.#little);
  }

  offset(i: number): number {
    return this.#view.getInt32(i * REFERENCE_BYTES + 4, this.#little);
  }

  /** The bytes of a string that stands in its reference. */
  inline(i: number): Uint8Array {
    const at = i * REFERENCE_BYTES;
    return this.bytes.subarray(at, at + this.length(i));
  }

  /** Where the item is, or null for one without length. */
  place(i: number): ItemPlace | null {
    const length = this.length(i);
    return length === 0 ? null : { bucket: this.bucket(i), offset: this.offset(i), length };
  }

  /** Puts a short string into the reference; the rest of its 8 bytes stays as it was, as in casacore. */
  setInline(i: number, value: Uint8Array): void {
    this.bytes.set(value, i * REFERENCE_BYTES);
    this.#view.setInt32(i * REFERENCE_BYTES + 8, value.length, this.#little);
  }

  /** Points to an item, or with null to nothing. */
  setPlace(i: number, place: ItemPlace | null): void {
    const at = i * REFERENCE_BYTES;
    this.#view.setInt32(at, place?.bucket ?? 0, this.#little);
    this.#view.setInt32(at + 4, place?.offset ?? 0, this.#little);
    this.#view.setInt32(at + 8, place?.length ?? 0, this.#little);
  }
}
