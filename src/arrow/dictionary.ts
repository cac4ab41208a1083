/**
 * A string column as a dictionary that grows from batch to batch: what a batch brings that is new is a piece of its own,
 * which Arrow files write as a delta. All different strings of the column are in memory, so it is for columns with few.
 */
import { type Data, type Dictionary, type Int32, makeData, type Utf8, Vector } from "apache-arrow";
import { textData } from "./assemble.ts";

/** Strings by number. */
export class StringDictionary {
  readonly #numbers = new Map<string, number>();
  readonly #type: Dictionary<Utf8, Int32>;
  #strings: Vector<Utf8> | null = null;

  /** The dictionary with that number in its schema. */
  constructor(type: Dictionary<Utf8, Int32>) {
    this.#type = type;
  }

  /** Strings as Arrow data: their numbers, and the dictionary as it is then. */
  data(texts: readonly string[], validity: { nullCount: number; nullBitmap: Uint8Array } | null): Data {
    const added: string[] = [];
    const numbers = Int32Array.from(texts, (text) => {
      let number = this.#numbers.get(text);
      if (number === undefined) {
        number = this.#numbers.size;
        this.#numbers.set(text, number);
        added.push(text);
      }
      return number;
    });
    if (added.length > 0 || this.#strings === null) {
      const chunk = textData(added, null);
      this.#strings = this.#strings === null
        ? new Vector([chunk])
        : new Vector([...this.#strings.data, chunk]);
    }
    return makeData({
      type: this.#type,
      length: texts.length,
      nullCount: 0,
      ...(validity ?? {}),
      data: numbers,
      dictionary: this.#strings,
    }) as Data;
  }
}
