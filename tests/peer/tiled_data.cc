// Makes tables with TiledDataStMan, whose hypercubes only a program can make: tiled_data PATH BIG KIND
//
//   BIG   1 for a big-endian table, 0 for a little-endian one
//   KIND  ids      cells of 1 axis, ids of four types, cubes that grow in turn and one that can't
//         axes     cells of 2 axes over 2 row axes, coordinates on all axes, one cube that grows
//         scalars  scalar cells over 2 row axes, one cube that can't grow
//         many     cells of 1 axis over 3 row axes, several columns, cubes of odd shapes
//
// Values are put afterwards, by the Python binding.
#include <casacore/casa/Arrays/ArrayMath.h>
#include <casacore/casa/IO/ArrayIO.h>
#include <casacore/casa/Containers/Record.h>
#include <casacore/tables/DataMan/TiledDataStMan.h>
#include <casacore/tables/DataMan/TiledDataStManAccessor.h>
#include <casacore/tables/Tables/ArrColDesc.h>
#include <casacore/tables/Tables/ScaColDesc.h>
#include <casacore/tables/Tables/SetupNewTab.h>
#include <casacore/tables/Tables/Table.h>
#include <casacore/tables/Tables/TableDesc.h>
#include <cstdio>
#include <string>

using namespace casacore;

namespace {

const char* const name = "HC";

Table makeTable(const std::string& path, TableDesc& description, rownr_t rows, bool big) {
  SetupNewTable setup(path, description, Table::New);
  TiledDataStMan manager(name);
  setup.bindAll(manager);
  return Table(setup, Table::Plain, rows, False, big ? Table::BigEndian : Table::LittleEndian);
}

template <typename T>
Vector<T> counting(uInt length, T first) {
  Vector<T> values(length);
  indgen(values, first);
  return values;
}

Record ids(Int number, Float real, Bool flag, const String& text) {
  Record record;
  record.define("number", number);
  record.define("real", real);
  record.define("flag", flag);
  record.define("text", text);
  return record;
}

void makeIds(const std::string& path, bool big) {
  TableDesc description;
  description.addColumn(ArrayColumnDesc<Float>("data", "", 1));
  description.addColumn(ArrayColumnDesc<Bool>("mask", "", 1));
  description.addColumn(ScalarColumnDesc<Int>("number"));
  description.addColumn(ScalarColumnDesc<Float>("real"));
  description.addColumn(ScalarColumnDesc<Bool>("flag"));
  description.addColumn(ScalarColumnDesc<String>("text"));
  description.addColumn(ScalarColumnDesc<Double>("t"));
  description.defineHypercolumn(name, 2, stringToVector("data,mask"), stringToVector(",t"),
                                stringToVector("number,real,flag,text"));
  Table table = makeTable(path, description, 26, big);
  TiledDataStManAccessor accessor(table, name);
  Record first = ids(1, 1.5, True, "first"), second = ids(2, -2.5, False, "second"), third = ids(3, 0, True, "t\xc3\xa9");
  accessor.addHypercube(IPosition(2, 5, 0), IPosition(2, 3, 2), first);
  Record values = second;
  values.define("t", counting<Double>(7, 100));
  accessor.addHypercube(IPosition(2, 4, 7), IPosition(2, 3, 4), values);  // can't grow
  accessor.addHypercube(IPosition(2, 3, 0), IPosition(2, 2, 3), third);
  for (Int turn = 0; turn < 3; turn++) {
    Record more = first;
    more.define("t", counting<Double>(turn + 1, 10 * turn));
    accessor.extendHypercube(turn + 1, more);
    accessor.extendHypercube(2, third);
  }
  accessor.extendHypercube(5, first);
}

void makeAxes(const std::string& path, bool big) {
  TableDesc description;
  description.addColumn(ArrayColumnDesc<Complex>("data", "", 2));
  description.addColumn(ArrayColumnDesc<Float>("x", "", 1));
  description.addColumn(ArrayColumnDesc<DComplex>("y", "", 1));
  description.addColumn(ScalarColumnDesc<Int>("u"));
  description.addColumn(ScalarColumnDesc<Double>("v"));
  description.defineHypercolumn(name, 4, stringToVector("data"), stringToVector("x,y,u,v"));
  Table table = makeTable(path, description, 33, big);
  TiledDataStManAccessor accessor(table, name);
  Record values;
  values.define("x", counting<Float>(3, 0.5));
  values.define("y", counting<DComplex>(4, DComplex(1, 2)));
  values.define("u", counting<Int>(5, 7));
  accessor.addHypercube(IPosition(4, 3, 4, 5, 0), IPosition(4, 2, 3, 2, 2), values);
  accessor.extendHypercube(2, Record());
  Record more;
  more.define("v", counting<Double>(4, 1000));
  accessor.extendHypercube(4, more);
}

void makeScalars(const std::string& path, bool big) {
  TableDesc description;
  description.addColumn(ScalarColumnDesc<Double>("data"));
  description.addColumn(ScalarColumnDesc<Bool>("mask"));
  description.addColumn(ScalarColumnDesc<uInt>("u"));
  description.defineHypercolumn(name, 2, stringToVector("data,mask"), stringToVector("u,"));
  Table table = makeTable(path, description, 42, big);
  TiledDataStManAccessor accessor(table, name);
  Record values;
  values.define("u", counting<uInt>(6, 3));
  accessor.addHypercube(IPosition(2, 6, 7), IPosition(2, 4, 3), values);
}

void makeMany(const std::string& path, bool big) {
  TableDesc description;
  description.addColumn(ArrayColumnDesc<Short>("a", "", 1));
  description.addColumn(ArrayColumnDesc<Bool>("b", "", 1));
  description.addColumn(ArrayColumnDesc<DComplex>("c", "", 1));
  description.addColumn(ArrayColumnDesc<Int64>("d", "", 1));
  description.addColumn(ScalarColumnDesc<DComplex>("id"));
  description.defineHypercolumn(name, 4, stringToVector("c,a,d,b"), Vector<String>(), stringToVector("id"));
  Table table = makeTable(path, description, 2 * 3 * 5 + 3 * 2 * 4 + 7, big);
  TiledDataStManAccessor accessor(table, name);
  Record first, second;
  first.define("id", DComplex(1, 0));
  second.define("id", DComplex(0, 1));
  accessor.addHypercube(IPosition(4, 5, 2, 3, 0), IPosition(4, 2, 2, 2, 2), first);
  accessor.addHypercube(IPosition(4, 5, 3, 2, 0), IPosition(4, 5, 1, 2, 3), second);
  accessor.extendHypercube(1, first);
  accessor.extendHypercube(3, second);
  accessor.extendHypercube(4, first);
  accessor.extendHypercube(1, second);
}

void growTable(const std::string& path) {
  Table table(path, Table::Update);
  table.addRow(9);
  TiledDataStManAccessor accessor(table, name);
  Record first, second, third;
  first.define("SPW", 0);
  first.define("LABEL", "band 0");
  first.define("TIME", counting<Double>(4, 70));
  second.define("SPW", 1);
  second.define("LABEL", "band 1");
  third.define("SPW", 7);
  third.define("LABEL", "band 7");
  accessor.extendHypercube(4, first);
  third.define("FREQ", counting<Double>(3, 1e6));
  accessor.addHypercube(IPosition(3, 2, 3, 0), IPosition(3, 1, 2, 3), third);
  accessor.extendHypercube(2, third);
  accessor.extendHypercube(3, second);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string path = argv[1], kind = argv[3];
  const bool big = std::string(argv[2]) == "1";
  try {
    if (kind == "ids") makeIds(path, big);
    else if (kind == "axes") makeAxes(path, big);
    else if (kind == "scalars") makeScalars(path, big);
    else if (kind == "many") makeMany(path, big);
    else if (kind == "grow") growTable(path);
    else return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
