/** What receives: ANTENNA, FEED, POINTING. */
import {
  bool,
  cells,
  direction,
  duration,
  epoch,
  int,
  position,
  real,
  type TableColumns,
  text,
} from "./columns.ts";

/** The antennas; a row's number is the antenna's. */
export const ANTENNA: TableColumns = {
  required: [
    position("OFFSET", "From the axes of the mount to the feed reference point"),
    position("POSITION", "Where the antenna stands"),
    text("TYPE", "GROUND-BASED, SPACE-BASED …"),
    real("DISH_DIAMETER", "m"),
    bool("FLAG_ROW"),
    text("MOUNT", "ALT-AZ, EQUATORIAL …"),
    text("NAME"),
    text("STATION", "The pad it stands on"),
  ],
  optional: [
    cells("MEAN_ORBIT", "float64", -1),
    int("ORBIT_ID"),
    int("PHASED_ARRAY_ID"),
  ],
};

/** The feeds of the antennas. */
export const FEED: TableColumns = {
  required: [
    position("POSITION", "From the feed reference point"),
    direction("BEAM_OFFSET", 2, "Of each receptor's beam"),
    cells("POLARIZATION_TYPE", "string", 1, { comment: "X, Y, R, L of each receptor" }),
    cells("POL_RESPONSE", "complex64", 2, { comment: "Of each receptor to each polarisation" }),
    cells("RECEPTOR_ANGLE", "float64", 1, { unit: "rad", comment: "Of each receptor's polarisation" }),
    int("ANTENNA_ID"),
    int("BEAM_ID"),
    int("FEED_ID"),
    duration("INTERVAL"),
    int("NUM_RECEPTORS"),
    int("SPECTRAL_WINDOW_ID", "-1: all"),
    epoch("TIME", "Middle of the interval"),
  ],
  optional: [
    real("FOCUS_LENGTH", "m"),
    int("PHASED_FEED_ID"),
  ],
};

/** Where antennas pointed. */
export const POINTING: TableColumns = {
  required: [
    direction("DIRECTION", 2, "Polynomial in time"),
    int("ANTENNA_ID"),
    duration("INTERVAL"),
    text("NAME"),
    int("NUM_POLY", "Degree of the polynomials"),
    direction("TARGET", -1, "Polynomial in time"),
    epoch("TIME", "Middle of the interval"),
    epoch("TIME_ORIGIN", "0 of the polynomials"),
    bool("TRACKING"),
  ],
  optional: [
    direction("ENCODER", -1),
    bool("ON_SOURCE"),
    bool("OVER_THE_TOP"),
    int("POINTING_MODEL_ID"),
    direction("POINTING_OFFSET", -1),
    direction("SOURCE_OFFSET", -1),
  ],
};
