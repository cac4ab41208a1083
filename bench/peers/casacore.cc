// casacore's side of bench/main.ts: the same table, the same work. Prints the milliseconds of each round as JSON lines.
// Usage: casacore PATH ROWS ROUNDS
#include <casacore/casa/Arrays/Cube.h>
#include <casacore/casa/Arrays/Vector.h>
#include <casacore/tables/DataMan/StandardStMan.h>
#include <casacore/tables/DataMan/TiledShapeStMan.h>
#include <casacore/tables/Tables.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace casacore;

static double now() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

static void round(const String& path, uInt rows) {
  Cube<Complex> data(4, 64, rows, Complex(1, 2));
  Vector<Bool> flags(rows, True);
  double start = now();
  {
    TableDesc description;
    description.addColumn(ArrayColumnDesc<Complex>("DATA", IPosition(2, 4, 64), ColumnDesc::FixedShape));
    description.addColumn(ScalarColumnDesc<Bool>("FLAG_ROW"));
    SetupNewTable setup(path, description, Table::New);
    TiledShapeStMan tiled("TiledData", IPosition(3, 4, 64, 64));
    StandardStMan standard("SSM", -1024);
    setup.bindColumn("DATA", tiled);
    setup.bindColumn("FLAG_ROW", standard);
    Table table(setup, rows);
    ArrayColumn<Complex>(table, "DATA").putColumn(data);
    ScalarColumn<Bool>(table, "FLAG_ROW").putColumn(flags);
    table.flush();
  }
  double put = now() - start;
  Table table(path);
  ArrayColumn<Complex> column(table, "DATA");
  start = now();
  Array<Complex> fresh = column.getColumn();
  double getFresh = now() - start;
  column.getColumn(fresh);
  start = now();
  column.getColumn(fresh);
  double getInto = now() - start;
  ScalarColumn<Bool> flagColumn(table, "FLAG_ROW");
  flagColumn.getColumn();
  start = now();
  Vector<Bool> read = flagColumn.getColumn();
  double getFlags = now() - start;
  std::printf("{\"put\":%.4f,\"getFresh\":%.4f,\"getInto\":%.4f,\"getFlags\":%.4f}\n", put, getFresh, getInto, getFlags);
  std::fflush(stdout);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  // One round for each line on standard input, so that the two sides take turns.
  for (int c; (c = std::getchar()) != EOF;) {
    if (c == '\n') round(argv[1], uInt(std::atoi(argv[2])));
  }
  return 0;
}
