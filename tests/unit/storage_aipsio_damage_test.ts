/** Random damage to the files of golden tables with a StManAipsIO. */
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import { examineDamages } from "./storage_damage_support.ts";

/** Damages of each table. */
const DAMAGES = 1000;

const TABLES = [
  "aipsio_le",
  "aipsio_be",
];

TABLES.forEach((name, seed) => {
  Deno.test(`StManAipsIO: ${DAMAGES} random damages to ${name} give a TableError or a read`, () => {
    examineDamages(name, stManAipsIO, DAMAGES, seed);
  });
});
