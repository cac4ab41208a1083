// casacore's side of seeks.ts: makes the table of 1,000 rows and two columns, and marks each phase for strace by asking for
// a file that isn't there.
//
//   seeks PATH tiled|standard buffer|mapped|cache|scratch|multifile column|row
#include <casacore/casa/Arrays/Cube.h>
#include <casacore/casa/Arrays/Matrix.h>
#include <casacore/casa/Arrays/Vector.h>
#include <casacore/tables/DataMan/StandardStMan.h>
#include <casacore/tables/DataMan/TiledShapeStMan.h>
#include <casacore/tables/Tables.h>
#include <memory>
#include <string>
#include <unistd.h>

using namespace casacore;

static const int ROWS = 1000;

static void phase(const char* name) {
  if (access((std::string("/tessera-study/") + name).c_str(), F_OK) == 0) abort();
}

static TSMOption::Option accessOf(const std::string& option) {
  if (option == "buffer") return TSMOption::Buffer;
  if (option == "mapped") return TSMOption::MMap;
  if (option == "cache") return TSMOption::Cache;
  return TSMOption::Default;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string manager = argv[2], option = argv[3], by = argv[4];
  Cube<Complex> data(4, 64, ROWS, Complex(1, 2));
  Vector<Bool> flags(ROWS, True);
  phase("create");
  auto table = std::make_unique<Table>();
  {
    TableDesc description;
    description.addColumn(ArrayColumnDesc<Complex>("DATA", IPosition(2, 4, 64), ColumnDesc::FixedShape));
    description.addColumn(ScalarColumnDesc<Bool>("FLAG_ROW"));
    SetupNewTable setup(argv[1], description, option == "scratch" ? Table::Scratch : Table::New,
                        StorageOption(option == "multifile" ? StorageOption::MultiFile : StorageOption::SepFile));
    TiledShapeStMan tiled("TiledData", IPosition(3, 4, 64, 64));
    StandardStMan standard("SSM");
    if (manager == "tiled") setup.bindColumn("DATA", tiled);
    else setup.bindColumn("DATA", standard);
    setup.bindColumn("FLAG_ROW", standard);
    *table = Table(setup, ROWS, False, Table::LittleEndian, TSMOption(accessOf(option)));
  }
  phase("complex");
  {
    ArrayColumn<Complex> column(*table, "DATA");
    if (by == "column") column.putColumn(data);
    else for (int row = 0; row < ROWS; row++) column.put(row, data.xyPlane(row));
  }
  phase("bool");
  {
    ScalarColumn<Bool> column(*table, "FLAG_ROW");
    if (by == "column") column.putColumn(flags);
    else for (int row = 0; row < ROWS; row++) column.put(row, flags[row]);
  }
  phase("close");
  table.reset();
  phase("end");
  return 0;
}
