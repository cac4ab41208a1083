/*
 * casacore appending the rows of the bench of live ingest, with a flush after each integration.
 *
 *   ingest_casacore PATH mib|vis ROWS COUNT plain|durable     ROWS an integration, COUNT of them; prints seconds
 *
 * A flush of casacore 3.5, also with `fsync`, syncs the lock file and StandardStMan's, but no tiled file. `durable`: after it all
 * files of the table are synced.
 *
 * Managers are those that Tessera's segments have: arrays tiled, scalars in StandardStMan.
 */
#include <casacore/casa/Arrays/Matrix.h>
#include <casacore/casa/Arrays/Slicer.h>
#include <casacore/tables/DataMan/StandardStMan.h>
#include <casacore/tables/DataMan/TiledShapeStMan.h>
#include <casacore/tables/DataMan/TiledColumnStMan.h>
#include <casacore/tables/Tables/ArrColDesc.h>
#include <casacore/tables/Tables/ArrayColumn.h>
#include <casacore/tables/Tables/ScaColDesc.h>
#include <casacore/tables/Tables/ScalarColumn.h>
#include <casacore/tables/Tables/SetupNewTab.h>
#include <casacore/tables/Tables/Table.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

using namespace casacore;

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static const char *REALS[] = {"TIME", "EXPOSURE", "INTERVAL", "TIME_CENTROID", "WEIGHT"};
static const char *INTEGERS[] = {"ANTENNA1", "ANTENNA2", "FIELD_ID", "SCAN_NUMBER"};
static const ssize_t MIB = 1 << 20;

/* The table's files, opened once. */
static std::vector<int> opened(const std::string &path) {
  std::vector<int> files;
  for (const auto &entry : std::filesystem::directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
  }
  return files;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  const bool mib = std::string(argv[2]) == "mib", durable = std::string(argv[5]) == "durable";
  const rownr_t rows = std::atol(argv[3]), count = std::atol(argv[4]);
  TableDesc description("", TableDesc::Scratch);
  if (mib) {
    description.addColumn(ArrayColumnDesc<uChar>("PAYLOAD", IPosition(1, MIB), ColumnDesc::FixedShape));
  } else {
    description.addColumn(ArrayColumnDesc<Complex>("DATA", IPosition(2, 4, 64), ColumnDesc::FixedShape));
    description.addColumn(ArrayColumnDesc<Bool>("FLAG", IPosition(2, 4, 64), ColumnDesc::FixedShape));
    for (auto name : REALS) description.addColumn(ScalarColumnDesc<Double>(name));
    for (auto name : INTEGERS) description.addColumn(ScalarColumnDesc<Int>(name));
    description.addColumn(ScalarColumnDesc<Bool>("FLAG_ROW"));
  }
  const double began = now();
  SetupNewTable setup(argv[1], description, Table::New);
  if (mib) {
    setup.bindColumn("PAYLOAD", TiledColumnStMan("Payload", IPosition(2, MIB, 1)));
  } else {
    setup.bindColumn("DATA", TiledColumnStMan("Data", IPosition(3, 4, 64, 351)));
    setup.bindColumn("FLAG", TiledColumnStMan("Flag", IPosition(3, 4, 64, 351)));
    StandardStMan standard("Rest", -1024);
    for (auto name : REALS) setup.bindColumn(name, standard);
    for (auto name : INTEGERS) setup.bindColumn(name, standard);
    setup.bindColumn("FLAG_ROW", standard);
  }
  Table table(setup, TableLock(TableLock::PermanentLocking), 0);
  Array<uChar> payload;
  Array<Complex> data;
  Array<Bool> flag;
  if (mib) {
    payload.resize(IPosition(2, MIB, rows));
    indgen(payload);
  } else {
    data.resize(IPosition(3, 4, 64, rows));
    data = Complex(1.5, 2);
    flag.resize(IPosition(3, 4, 64, rows));
    flag = False;
  }
  Vector<Double> real(rows, 7.);
  Vector<Int> integer(rows, 7);
  Vector<Bool> no(rows, False);
  std::vector<int> files;
  for (rownr_t i = 0; i < count; i++) {
    table.addRow(rows);
    const Slicer where(IPosition(1, i * rows), IPosition(1, rows));
    if (mib) {
      ArrayColumn<uChar>(table, "PAYLOAD").putColumnRange(where, payload);
    } else {
      ArrayColumn<Complex>(table, "DATA").putColumnRange(where, data);
      ArrayColumn<Bool>(table, "FLAG").putColumnRange(where, flag);
      for (auto name : REALS) ScalarColumn<Double>(table, name).putColumnRange(where, real);
      for (auto name : INTEGERS) ScalarColumn<Int>(table, name).putColumnRange(where, integer);
      ScalarColumn<Bool>(table, "FLAG_ROW").putColumnRange(where, no);
    }
    table.flush();
    if (!durable) continue;
    if (files.empty()) files = opened(argv[1]);
    for (int file : files) {
      if (fdatasync(file) != 0) return 1;
    }
  }
  std::printf("%.6f\n", now() - began);
  return 0;
}
