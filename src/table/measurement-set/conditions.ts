/** What was measured beside the data: SYSCAL, WEATHER. */
import { scalar } from "../specs.ts";
import { bool, cells, duration, epoch, int, single, type TableColumns } from "./columns.ts";

/** A temperature of each receptor, of each channel, and whether it is any good. */
const temperatures = (name: string, unit?: string) => {
  const options = unit === undefined ? {} : { unit };
  return [
    cells(name, "float32", -1, { ...options, comment: "Of each receptor" }),
    bool(`${name}_FLAG`),
    cells(`${name}_SPECTRUM`, "float32", -1, { ...options, comment: "Of each receptor and channel" }),
  ];
};

/** Calibration that the system measures by itself. */
export const SYSCAL: TableColumns = {
  required: [
    int("ANTENNA_ID"),
    int("FEED_ID"),
    duration("INTERVAL"),
    int("SPECTRAL_WINDOW_ID"),
    epoch("TIME", "Middle of the interval"),
  ],
  optional: [
    scalar("PHASE_DIFF", "float32", { unit: "rad", comment: "Between the receptors" }),
    bool("PHASE_DIFF_FLAG"),
    ...temperatures("TANT", "K"),
    ...temperatures("TANT_TSYS"),
    ...temperatures("TCAL", "K"),
    ...temperatures("TRX", "K"),
    ...temperatures("TSKY", "K"),
    ...temperatures("TSYS", "K"),
  ],
};

const measured = (name: string, unit: string) => [single(name, unit), bool(`${name}_FLAG`)];

/** The weather at the antennas. */
export const WEATHER: TableColumns = {
  required: [
    int("ANTENNA_ID"),
    duration("INTERVAL"),
    epoch("TIME", "Middle of the interval"),
  ],
  optional: [
    ...measured("DEW_POINT", "K"),
    ...measured("H2O", "m-2"),
    ...measured("IONOS_ELECTRON", "m-2"),
    ...measured("PRESSURE", "hPa"),
    ...measured("REL_HUMIDITY", "%"),
    ...measured("TEMPERATURE", "K"),
    ...measured("WIND_DIRECTION", "rad"),
    ...measured("WIND_SPEED", "m/s"),
  ],
};
