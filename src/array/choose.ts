/**
 * Which inner loops are in use.
 */
import { library } from "../../ffi/binding.ts";
import type { Kernels } from "./kernels.ts";
import { twins } from "./twins.ts";

/** The loops of the C library when it can be loaded without a prompt, else their TypeScript twins. */
export function kernels(): Kernels {
  return library()?.kernels ?? twins;
}
