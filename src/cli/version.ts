/**
 * The version that `table --version` prints. A test holds it against deno.json, which a permission would be needed to read.
 */

/** Version of Tessera. */
export const VERSION = "0.1.0";
