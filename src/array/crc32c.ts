/**
 * CRC-32C (Castagnoli; the one of iSCSI and ext4): polynomial 0x1EDC6F41, least significant bit first, begun with all ones
 * and inverted at the end. Processors have an instruction for it.
 */
import { kernels } from "./choose.ts";

/**
 * The checksum of some bytes, 0 to 2^32 - 1.
 *
 * @param seed The checksum of the bytes before them, so that something long can be taken in pieces
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  return kernels().crc32c(bytes, seed);
}
