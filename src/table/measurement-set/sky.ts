/** What was looked at: FIELD, SOURCE. */
import { scalar } from "../specs.ts";
import {
  bool,
  cells,
  direction,
  duration,
  epoch,
  int,
  position,
  type TableColumns,
  text,
} from "./columns.ts";

/** Directions that were observed; polynomials in time. */
export const FIELD: TableColumns = {
  required: [
    direction("DELAY_DIR", 2, "Where delays are those of the model"),
    direction("PHASE_DIR", 2, "Where phases are 0"),
    direction("REFERENCE_DIR", 2),
    text("CODE", "What it is for"),
    bool("FLAG_ROW"),
    text("NAME"),
    int("NUM_POLY", "Degree of the polynomials"),
    int("SOURCE_ID", "-1: none"),
    epoch("TIME", "0 of the polynomials"),
  ],
  optional: [int("EPHEMERIS_ID")],
};

/** Sources, which may be in several fields. */
export const SOURCE: TableColumns = {
  required: [
    direction("DIRECTION", [2]),
    cells("PROPER_MOTION", "float64", [2], { unit: "rad/s" }),
    int("CALIBRATION_GROUP"),
    text("CODE", "What it is for"),
    duration("INTERVAL"),
    text("NAME"),
    int("NUM_LINES", "Spectral lines"),
    int("SOURCE_ID"),
    int("SPECTRAL_WINDOW_ID", "-1: all"),
    epoch("TIME", "Middle of the interval"),
  ],
  optional: [
    position("POSITION", "Of things in the solar system", -1),
    int("PULSAR_ID"),
    cells("REST_FREQUENCY", "float64", -1, {
      unit: "Hz",
      measure: { type: "frequency", Ref: "LSRK" },
      comment: "Of each line",
    }),
    scalar("SOURCE_MODEL", "record"),
    cells("SYSVEL", "float64", -1, {
      unit: "m/s",
      measure: { type: "radialvelocity", Ref: "LSRK" },
      comment: "Of each line",
    }),
    cells("TRANSITION", "string", -1, { comment: "Name of each line" }),
  ],
};
