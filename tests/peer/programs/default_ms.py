"""Has casacore make a MeasurementSet: its default one, or with every column of the main table and of the subtables named."""

import sys

from casacore.tables import complete_ms_desc, default_ms, default_ms_subtable

path, *names = sys.argv[1:]
if names:
    default_ms(path, complete_ms_desc("MAIN")).close()
else:
    default_ms(path).close()
for name in names:
    default_ms_subtable(name, f"{path}/{name}", complete_ms_desc(name)).close()
