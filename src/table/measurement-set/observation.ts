/** What was done, and by whom: OBSERVATION, STATE, PROCESSOR, FLAG_CMD, HISTORY. */
import { bool, cells, duration, epoch, epochs, int, real, type TableColumns, text } from "./columns.ts";

/** Observations. */
export const OBSERVATION: TableColumns = {
  required: [
    epochs("TIME_RANGE", [2], "Start and end"),
    cells("LOG", "string", 1),
    cells("SCHEDULE", "string", 1),
    bool("FLAG_ROW"),
    text("OBSERVER"),
    text("PROJECT"),
    epoch("RELEASE_DATE", "When everybody may have the data"),
    text("SCHEDULE_TYPE"),
    text("TELESCOPE_NAME"),
  ],
  optional: [],
};

/** What antennas were doing. */
export const STATE: TableColumns = {
  required: [
    real("CAL", "K", "Temperature of the noise diode"),
    bool("FLAG_ROW"),
    real("LOAD", "K", "Temperature of the load"),
    text("OBS_MODE", "Intents, with commas between"),
    bool("REF", "Looks at the reference"),
    bool("SIG", "Looks at the source"),
    int("SUB_SCAN"),
  ],
  optional: [],
};

/** Correlators and the like. */
export const PROCESSOR: TableColumns = {
  required: [
    bool("FLAG_ROW"),
    int("MODE_ID"),
    text("TYPE", "CORRELATOR, SPECTROMETER …"),
    int("TYPE_ID"),
    text("SUB_TYPE"),
  ],
  optional: [int("PASS_ID")],
};

/** Commands that flag data. */
export const FLAG_CMD: TableColumns = {
  required: [
    bool("APPLIED"),
    text("COMMAND"),
    duration("INTERVAL"),
    int("LEVEL"),
    text("REASON"),
    int("SEVERITY", "0 to 10"),
    epoch("TIME", "Middle of the interval"),
    text("TYPE", "FLAG or UNFLAG"),
  ],
  optional: [],
};

/** What programs did to the MeasurementSet. */
export const HISTORY: TableColumns = {
  required: [
    cells("APP_PARAMS", "string", 1),
    cells("CLI_COMMAND", "string", 1),
    text("APPLICATION"),
    text("MESSAGE"),
    int("OBJECT_ID"),
    int("OBSERVATION_ID"),
    text("ORIGIN"),
    text("PRIORITY", "DEBUGGING, NORMAL, WARN, SEVERE"),
    epoch("TIME"),
  ],
  optional: [],
};
