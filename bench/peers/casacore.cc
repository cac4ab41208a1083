// casacore's side of the bench, see ../side.ts: the same works on the same tables.
#include "side.h"

#include <casacore/casa/Arrays/ArrayMath.h>
#include <casacore/casa/Arrays/Cube.h>
#include <casacore/casa/Arrays/Slicer.h>
#include <casacore/casa/Arrays/Vector.h>
#include <casacore/tables/DataMan/IncrementalStMan.h>
#include <casacore/tables/DataMan/StandardStMan.h>
#include <casacore/tables/DataMan/TiledShapeStMan.h>
#include <casacore/tables/Tables.h>
#include <casacore/tables/Tables/RefRows.h>
#include <functional>
#include <memory>
#include <string>

using namespace casacore;

typedef std::function<double()> Run;
static Run current;

static const int INTEGRATION = 351;

template <class Work> static double timed(Work work) {
  begin();
  work();
  return passed();
}

struct Values {
  Cube<Complex> data;
  Cube<Bool> flag;
  Vector<Bool> flagRow;
};

static std::shared_ptr<Values> valuesOf(long rows) {
  auto values = std::make_shared<Values>();
  values->data.resize(4, 64, rows);
  float* data = reinterpret_cast<float*>(values->data.data());
  for (long i = 0; i < rows * 512; i++) data[i] = float(i % 65521);
  values->flag.resize(4, 64, rows);
  values->flag = False;
  for (long i = 0; i < rows * 256; i += 7) values->flag.data()[i] = True;
  values->flagRow.resize(rows);
  values->flagRow = False;
  for (long i = 0; i < rows; i += 7) values->flagRow[i] = True;
  return values;
}

static IPosition tileOf(const std::string& argument) {
  if (argument == "split") return IPosition(3, 4, 32, 128);
  return IPosition(3, 4, 64, atoi(argument.c_str()));
}

static Table create(const String& path, const IPosition& tile, long rows, bool big, bool time) {
  TableDesc description;
  description.addColumn(ArrayColumnDesc<Complex>("DATA", IPosition(2, 4, 64), ColumnDesc::FixedShape));
  description.addColumn(ArrayColumnDesc<Bool>("FLAG", IPosition(2, 4, 64), ColumnDesc::FixedShape));
  description.addColumn(ScalarColumnDesc<Bool>("FLAG_ROW"));
  if (time) description.addColumn(ScalarColumnDesc<Double>("TIME"));
  SetupNewTable setup(path, description, Table::New);
  TiledShapeStMan data("TiledData", tile), flag("TiledFlag", tile);
  StandardStMan standard("SSM", -1024);
  IncrementalStMan incremental("ISM");
  setup.bindColumn("DATA", data);
  setup.bindColumn("FLAG", flag);
  setup.bindColumn("FLAG_ROW", standard);
  if (time) setup.bindColumn("TIME", incremental);
  return Table(setup, rows, False, big ? Table::BigEndian : Table::LittleEndian);
}

static void putAll(const String& path, const IPosition& tile, long rows, const Values& values, bool big) {
  Table table = create(path, tile, rows, big, false);
  ArrayColumn<Complex>(table, "DATA").putColumn(values.data);
  ArrayColumn<Bool>(table, "FLAG").putColumn(values.flag);
  ScalarColumn<Bool>(table, "FLAG_ROW").putColumn(values.flagRow);
  table.flush();
}

struct Growing {
  Table table;
  ArrayColumn<Complex> data;
  ArrayColumn<Bool> flag;
  ScalarColumn<Bool> flagRow;
  ScalarColumn<Double> time;
  Growing(const String& path, const IPosition& tile)
      : table(create(path, tile, 0, false, true)), data(table, "DATA"), flag(table, "FLAG"), flagRow(table, "FLAG_ROW"),
        time(table, "TIME") {}
  void append(const Values& values, const Vector<Double>& times) {
    rownr_t first = table.nrow(), rows = times.size();
    table.addRow(rows);
    Slicer range(IPosition(1, first), IPosition(1, rows));
    data.putColumnRange(range, values.data);
    flag.putColumnRange(range, values.flag);
    flagRow.putColumnRange(range, values.flagRow);
    time.putColumnRange(range, times);
  }
  void appendOne(const Values& values, const Matrix<Complex>& one, const Matrix<Bool>& oneFlag, double t) {
    rownr_t row = table.nrow();
    table.addRow(1);
    data.put(row, one);
    flag.put(row, oneFlag);
    flagRow.put(row, values.flagRow[0]);
    time.put(row, t);
  }
};

static void copyTable(const std::string& from, const std::string& to) {
  if (system(("rm -rf " + to + " && cp -r " + from + " " + to).c_str()) != 0) abort();
}

// Tables that were made under a prefix, which go with the work.
struct Made {
  std::string prefix;
  int count = 0;
  explicit Made(const std::string& prefix) : prefix(prefix) {}
  ~Made() {
    if (system(("rm -rf " + prefix + "*").c_str()) != 0) abort();
  }
  std::string next() { return prefix + std::to_string(count++); }
};

// Creates the table of two columns, puts them, and gets them after opening it again.
static void roundTrip(const String& path, bool tiled, const Cube<Complex>& data, const Vector<Bool>& flags) {
  {
    TableDesc description;
    description.addColumn(ArrayColumnDesc<Complex>("DATA", IPosition(2, 4, 64), ColumnDesc::FixedShape));
    description.addColumn(ScalarColumnDesc<Bool>("FLAG_ROW"));
    SetupNewTable setup(path, description, Table::New);
    TiledShapeStMan tiles("TiledData", IPosition(3, 4, 64, 64));
    StandardStMan standard("SSM");
    if (tiled) setup.bindColumn("DATA", tiles);
    else setup.bindColumn("DATA", standard);
    setup.bindColumn("FLAG_ROW", standard);
    Table table(setup, data.nplane());
    ArrayColumn<Complex>(table, "DATA").putColumn(data);
    ScalarColumn<Bool>(table, "FLAG_ROW").putColumn(flags);
  }
  Table table(path);
  Array<Complex> got = ArrayColumn<Complex>(table, "DATA").getColumn();
  Vector<Bool> gotFlags = ScalarColumn<Bool>(table, "FLAG_ROW").getColumn();
  if (got.data()->real() != 0 || !gotFlags[0]) abort();
}

// Columns don't keep their table open: who uses one holds its table beside.
static Run prepare(const struct told* told) {
  const std::string name = told->name, argument = told->argument, folder = told->folder;
  const std::string path = folder + "/" + told->table;
  const long rows = told->rows;
  if (name == "put" || name == "split-put" || name == "big-put") {
    auto values = valuesOf(rows);
    return [=] { return timed([&] { putAll(folder + "/casacore-put.tab", tileOf(argument), rows, *values, name == "big-put"); }); };
  }
  if (name == "get-into" || name == "big-get-into" || name == "split-get") {
    Table table(path);
    ArrayColumn<Complex> column(table, "DATA");
    auto into = std::make_shared<Array<Complex>>(IPosition(3, 4, 64, rows));
    return [=, keep = table] { return timed([&] { column.getColumn(*into); }); };
  }
  if (name == "view-sum") {
    Table table(path);
    ArrayColumn<Complex> column(table, "DATA");
    auto into = std::make_shared<Array<Complex>>(IPosition(3, 4, 64, rows));
    return [=, keep = table] {
      return timed([&] {
        column.getColumn(*into);
        Complex total = sum(*into);
        if (total.real() < 0) abort();
      });
    };
  }
  if (name == "get-fresh" || name == "get-fresh-async") {
    Table table(path);
    ArrayColumn<Complex> column(table, "DATA");
    return [=, keep = table] {
      begin();
      Array<Complex> fresh = column.getColumn();
      return passed();
    };
  }
  if (name == "flag-into") {
    Table table(path);
    ArrayColumn<Bool> column(table, "FLAG");
    auto into = std::make_shared<Array<Bool>>(IPosition(3, 4, 64, rows));
    return [=, keep = table] { return timed([&] { column.getColumn(*into); }); };
  }
  if (name == "slice" || name == "split-channel") {
    Table table(path);
    ArrayColumn<Complex> column(table, "DATA");
    Slicer box = name == "slice" ? Slicer(IPosition(2, 0, 10), IPosition(2, 2, 8)) : Slicer(IPosition(2, 0, 20), IPosition(2, 4, 1));
    auto into = std::make_shared<Array<Complex>>(name == "slice" ? IPosition(3, 2, 8, rows) : IPosition(3, 4, 1, rows));
    return [=, keep = table] { return timed([&] { column.getColumn(box, *into); }); };
  }
  if (name == "rows-shared" || name == "rows-copy" || name == "rows-cell") {
    Table table(path);
    ArrayColumn<Complex> column(table, "DATA");
    return [=, keep = table] {
      return timed([&] {
        float sum = 0;
        for (long row = 0; row < rows; row++) {
          Array<Complex> cell = column(row);
          sum += cell.data()->real();
        }
        if (sum < 0) abort();
      });
    };
  }
  if (name == "rows-into" || name == "rows-one") {
    Table table(path);
    ArrayColumn<Complex> column(table, "DATA");
    auto one = std::make_shared<Array<Complex>>(IPosition(2, 4, 64));
    return [=, keep = table] {
      return timed([&] {
        for (long row = 0; row < rows; row++) column.get(row, *one);
      });
    };
  }
  if (name == "flag-row") {
    Table table(path);
    ScalarColumn<Bool> column(table, "FLAG_ROW");
    auto into = std::make_shared<Vector<Bool>>(rows);
    return [=, keep = table] { return timed([&] { column.getColumn(*into); }); };
  }
  if (name == "scalars") {
    Table table(path);
    if (argument.compare(0, 3, "INT") == 0) {
      ScalarColumn<Int> column(table, argument);
      auto into = std::make_shared<Vector<Int>>(rows);
      return [=, keep = table] { return timed([&] { column.getColumn(*into); }); };
    }
    ScalarColumn<String> column(table, argument);
    return [=, keep = table] { return timed([&] { Vector<String> values = column.getColumn(); }); };
  }
  if (name == "overwrite" || name == "overwrite-scalars") {
    const std::string own = folder + "/casacore-change.tab";
    copyTable(path, own);
    auto table = std::make_shared<Table>(own, Table::Update);
    if (name == "overwrite") {
      auto values = valuesOf(rows);
      ArrayColumn<Complex> column(*table, "DATA");
      return [=]() mutable {
        return timed([&] {
          column.putColumn(values->data);
          table->flush();
        });
      };
    }
    Vector<Int> values(rows);
    for (long i = 0; i < rows; i++) values[i] = Int(i % 999);
    ScalarColumn<Int> column(*table, argument);
    return [=]() mutable {
      return timed([&] {
        column.putColumn(values);
        table->flush();
      });
    };
  }
  if (name == "append-integrations") {
    auto values = valuesOf(INTEGRATION);
    return [=] {
      return timed([&] {
        Growing growing(folder + "/casacore-append.tab", tileOf(argument));
        Vector<Double> times(INTEGRATION);
        for (long i = 0; i < rows / INTEGRATION; i++) {
          times = double(i);
          growing.append(*values, times);
          growing.table.flush();
        }
      });
    };
  }
  if (name == "append-rows") {
    auto values = valuesOf(1);
    return [=] {
      return timed([&] {
        Growing growing(folder + "/casacore-append.tab", tileOf(argument));
        Matrix<Complex> one(values->data.xyPlane(0));
        Matrix<Bool> flag(values->flag.xyPlane(0));
        for (long i = 0; i < rows; i++) growing.appendOne(*values, one, flag, double(i / INTEGRATION));
        growing.table.flush();
      });
    };
  }
  if (name == "flush-change" || name == "flush-change-durable" || name == "flush-change-none") {
    const std::string own = folder + "/casacore-change.tab";
    copyTable(path, own);
    TableLock::LockOption lock = name == "flush-change-none" ? TableLock::NoLocking : TableLock::AutoLocking;
    auto table = std::make_shared<Table>(own, TableLock(lock), Table::Update);
    ArrayColumn<Complex> column(*table, "DATA");
    Matrix<Complex> one(valuesOf(1)->data.xyPlane(0));
    long row = 0;
    bool durable = name == "flush-change-durable";
    return [=]() mutable {
      return timed([&] {
        row = (row + 7919) % rows;
        column.put(row, one);
        table->flush(durable);
      });
    };
  }
  if (name == "flush-append" || name == "flush-append-durable") {
    auto growing = std::make_shared<Growing>(folder + "/casacore-append.tab", tileOf(argument));
    auto values = valuesOf(INTEGRATION);
    growing->append(*values, Vector<Double>(INTEGRATION, 0.0));
    growing->table.flush();
    Matrix<Complex> one(values->data.xyPlane(0));
    Matrix<Bool> flag(values->flag.xyPlane(0));
    double t = 0;
    bool durable = name == "flush-append-durable";
    return [=]() mutable {
      return timed([&] {
        growing->appendOne(*values, one, flag, ++t);
        growing->table.flush(durable);
      });
    };
  }
  if (name == "chunks" || name == "chunks-fresh") {
    const bool fresh = name == "chunks-fresh";
    Table table(path);
    ArrayColumn<Complex> data(table, "DATA");
    ArrayColumn<Bool> flag(table, "FLAG");
    ArrayColumn<Double> uvw(table, "UVW");
    ScalarColumn<Double> time(table, "TIME");
    return [=, keep = table] {
      return timed([&] {
        Array<Complex> d;
        Array<Bool> f;
        Array<Double> u;
        Vector<Double> t;
        for (long row = 0; row < rows; row += 1000) {
          Slicer range(IPosition(1, row), IPosition(1, std::min(1000L, rows - row)));
          if (fresh) {
            d.resize();
            f.resize();
            u.resize();
            t.resize();
          }
          data.getColumnRange(range, d, True);
          flag.getColumnRange(range, f, True);
          uvw.getColumnRange(range, u, True);
          time.getColumnRange(range, t, True);
        }
      });
    };
  }
  if (name == "round-trip") {
    auto made = std::make_shared<Made>(folder + "/casacore-trip");
    auto values = valuesOf(rows);
    return [=] { return timed([&] { roundTrip(made->next(), argument == "tiled", values->data, values->flagRow); }); };
  }
  if (name == "baselines") {
    return [=] {
      Array<Complex> cells;
      return timed([&] {
        Table table(path);
        ArrayColumn<Complex> column(table, "DATA");
        for (long baseline = 0; baseline < atol(argument.c_str()); baseline++) {
          long first = baseline * INTEGRATION / atol(argument.c_str());
          Vector<rownr_t> list((rows - first + INTEGRATION - 1) / INTEGRATION);
          for (size_t i = 0; i < list.size(); i++) list[i] = first + long(i) * INTEGRATION;
          column.getColumnCells(RefRows(list), cells, True);
        }
      });
    };
  }
  if (name == "open") {
    return [=] {
      return timed([&] {
        Table table(path);
        ScalarColumn<Int> column(table, "C19");
        if (column(500) < 0) abort();
      });
    };
  }
  return nullptr;
}

static int side_set(const struct told* told) {
  current = prepare(told);
  return current != nullptr;
}

static double side_run(void) { return current(); }

static void side_end(void) { current = nullptr; }

int main() {
  try {
    return side_main();
  } catch (const std::exception& error) {
    fprintf(stderr, "casacore: %s\n", error.what());
    return 1;
  }
}
