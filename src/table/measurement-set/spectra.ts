/** What a spectrum is of: DATA_DESCRIPTION, SPECTRAL_WINDOW, POLARIZATION, DOPPLER, FREQ_OFFSET. */
import { array, type ArrayOptions, type ColumnSpec, scalar } from "../specs.ts";
import { bool, cells, duration, epoch, int, real, type TableColumns, text } from "./columns.ts";

/**
 * Reference frames of frequencies by casacore's codes. A window's frame is in `MEAS_FREQ_REF`, as one of these codes; the
 * table in the keywords lets a reader whose casacore has other codes translate them.
 */
const FREQUENCY_FRAMES: readonly (readonly [code: number, frame: string])[] = [
  [0, "REST"],
  [1, "LSRK"],
  [2, "LSRD"],
  [3, "BARY"],
  [4, "GEO"],
  [5, "TOPO"],
  [6, "GALACTO"],
  [7, "LGROUP"],
  [8, "CMB"],
  [64, "Undefined"],
];

const FRAMED: ArrayOptions = {
  unit: "Hz",
  measure: {
    type: "frequency",
    VarRefCol: "MEAS_FREQ_REF",
    TabRefTypes: FREQUENCY_FRAMES.map(([, frame]) => frame),
    TabRefCodes: Uint32Array.from(FREQUENCY_FRAMES, ([code]) => code),
  },
};

const hertz = (name: string, comment: string): ColumnSpec =>
  cells(name, "float64", 1, { unit: "Hz", comment });

/** Which window and polarisations the rows of a DATA_DESC_ID have. */
export const DATA_DESCRIPTION: TableColumns = {
  required: [bool("FLAG_ROW"), int("POLARIZATION_ID"), int("SPECTRAL_WINDOW_ID")],
  optional: [int("LAG_ID")],
};

/** Channels. */
export const SPECTRAL_WINDOW: TableColumns = {
  required: [
    int("MEAS_FREQ_REF", "Frame of CHAN_FREQ and REF_FREQUENCY"),
    array("CHAN_FREQ", "float64", { ndim: 1, ...FRAMED, comment: "Middle of each channel" }),
    scalar("REF_FREQUENCY", "float64", FRAMED),
    hertz("CHAN_WIDTH", "Of each channel, negative where frequencies fall"),
    hertz("EFFECTIVE_BW", "Noise bandwidth of each channel"),
    hertz("RESOLUTION", "Of each channel"),
    bool("FLAG_ROW"),
    int("FREQ_GROUP"),
    text("FREQ_GROUP_NAME"),
    int("IF_CONV_CHAIN"),
    text("NAME"),
    int("NET_SIDEBAND"),
    int("NUM_CHAN"),
    real("TOTAL_BANDWIDTH", "Hz"),
  ],
  optional: [
    cells("ASSOC_NATURE", "string", -1),
    cells("ASSOC_SPW_ID", "int32", -1),
    int("BBC_NO"),
    int("BBC_SIDEBAND"),
    int("DOPPLER_ID"),
    int("RECEIVER_ID"),
  ],
};

/** Correlations. */
export const POLARIZATION: TableColumns = {
  required: [
    cells("CORR_TYPE", "int32", 1, { comment: "casacore's codes: I, Q, U, V from 1, RR from 5, XX from 9" }),
    cells("CORR_PRODUCT", "int32", 2, { comment: "Receptors of each correlation" }),
    bool("FLAG_ROW"),
    int("NUM_CORR"),
  ],
  optional: [],
};

/** Doppler tracking. */
export const DOPPLER: TableColumns = {
  required: [
    int("DOPPLER_ID"),
    int("SOURCE_ID"),
    int("TRANSITION_ID"),
    scalar("VELDEF", "float64", { unit: "m/s", measure: { type: "doppler", Ref: "RADIO" } }),
  ],
  optional: [],
};

/** Frequencies that antennas observed apart from the window's. */
export const FREQ_OFFSET: TableColumns = {
  required: [
    int("ANTENNA1"),
    int("ANTENNA2"),
    int("FEED_ID"),
    duration("INTERVAL"),
    real("OFFSET", "Hz"),
    int("SPECTRAL_WINDOW_ID"),
    epoch("TIME", "Middle of the interval"),
  ],
  optional: [],
};
