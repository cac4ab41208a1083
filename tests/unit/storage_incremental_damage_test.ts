/** Random damage to the files of golden tables with a IncrementalStMan. */
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import { examineDamages } from "./storage_damage_support.ts";

/** Damages of each table. */
const DAMAGES = 334;

const TABLES = [
  "ism_arrays_le",
  "ism_arrays_be",
  "ism_scalars_le",
  "ism_changed_be",
  "ism_undefined_le",
  "ism_record_be",
];

TABLES.forEach((name, seed) => {
  Deno.test(`IncrementalStMan: ${DAMAGES} random damages to ${name} give a TableError or a read`, () => {
    examineDamages(name, incrementalStMan, DAMAGES, seed);
  });
});
