// Makes tables whose columns are those of other tables, or of an application's own class, and prints what casacore
// reads: virtual_forward FOLDER BIG
//
//   data      scalars and arrays of every type; no virtual column
//   forward   all of them forwarded; and a column of its own
//   data/in   forwarded to the table that it lies in
//   out       forwarded to a table in its own folder
//   chain     forwarded to a table that forwards
//   selected  forwarded to a selection of rows
//   indexed   forwarded, the rows looked up; three managers were removed before the engine got its number
//   twice     the same, to the table before
//   squeezed  CompressFloat on columns that are forwarded
//   retyped   arrays of an application's class
#include <casacore/tables/DataMan/CompressFloat.h>
#include <casacore/tables/DataMan/ForwardCol.h>
#include <casacore/tables/DataMan/ForwardColRow.h>
#include <casacore/tables/DataMan/StandardStMan.h>
#include <casacore/tables/TaQL/ExprNode.h>

#include <unistd.h>

#include "quad.h"
#include "virtual.h"

namespace {

template <typename T>
void both(Making& making, const std::string& name) {
  making.scalar<T>("s_" + name);
  making.array<T>("a_" + name);
  making.fill([=](Table& table) {
    fillScalars<T>(table, "s_" + name);
    fillArrays<T>(table, "a_" + name);
  });
}

String text() {
  String value;
  for (std::uint32_t n = word() % 12; n > 0; n--) value += char('a' + word() % 26);
  return value;
}

void describe(Making& making) {
  both<Bool>(making, "Bool");
  both<uChar>(making, "uChar");
  both<Short>(making, "Short");
  both<uShort>(making, "uShort");
  both<Int>(making, "Int");
  both<uInt>(making, "uInt");
  both<Int64>(making, "Int64");
  both<float>(making, "float");
  both<double>(making, "double");
  both<Complex>(making, "Complex");
  both<DComplex>(making, "DComplex");
  making.scalar<String>("s_String");
  making.array<String>("a_String");
  making.fill([](Table& table) {
    fillScalars<String>(table, "s_String", text);
    fillArrays<String>(table, "a_String", IPosition(), text);
  });
}

template <typename T>
void printBoth(const Table& table, const std::string& name) {
  printScalars<T>(table, "s_" + name);
  printArrays<T>(table, "a_" + name);
}

void printAll(const Table& table) {
  std::printf("table %s\n", table.tableName().substr(table.tableName().rfind('/') + 1).c_str());
  printBoth<Bool>(table, "Bool");
  printBoth<uChar>(table, "uChar");
  printBoth<Short>(table, "Short");
  printBoth<uShort>(table, "uShort");
  printBoth<Int>(table, "Int");
  printBoth<uInt>(table, "uInt");
  printBoth<Int64>(table, "Int64");
  printBoth<float>(table, "float");
  printBoth<double>(table, "double");
  printBoth<Complex>(table, "Complex");
  printBoth<DComplex>(table, "DComplex");
  printStrings(table, "s_String");
  printStringArrays(table, "a_String");
}

// The columns of a table, and one more.
TableDesc descriptionLike(const Table& table) {
  TableDesc description(table.tableDesc(), "", "", TableDesc::Scratch);
  if (!description.isColumn("own")) description.addColumn(ScalarColumnDesc<Int>("own"));
  if (!description.isColumn("rows")) description.addColumn(ScalarColumnDesc<uInt>("rows"));
  return description;
}

Table::EndianFormat order(bool big) { return big ? Table::BigEndian : Table::LittleEndian; }

// Forwards everything but own and rows, then prints the table when it is opened again.
void makeForward(const std::string& path, const Table& to, bool big) {
  {
    SetupNewTable setup(path, descriptionLike(to), Table::New);
    ForwardColumnEngine engine(to, "forwarder");
    setup.bindAll(engine);
    StandardStMan own("own");
    setup.bindColumn("own", own);
    setup.bindColumn("rows", own);
    Table table(setup, Table::Plain, to.nrow(), False, order(big));
    fillScalars<Int>(table, "own");
    fillScalars<uInt>(table, "rows");
  }
  printAll(Table(path));
}

void makeIndexed(const std::string& path, const Table& to, bool big, int managersBefore) {
  {
    TableDesc description = descriptionLike(to);
    SetupNewTable setup(path, description, Table::New);
    std::vector<std::shared_ptr<StandardStMan>> before;
    // Bound first and bound anew at once: the manager is dropped, its number is not used again.
    for (int i = 0; i < managersBefore; i++) {
      before.push_back(std::make_shared<StandardStMan>("before" + std::to_string(i)));
      setup.bindColumn("own", *before.back());
    }
    ForwardColumnIndexedRowEngine engine(to, "rows", "looker");
    setup.bindAll(engine);
    StandardStMan own("own");
    setup.bindColumn("own", own);
    setup.bindColumn("rows", own);
    Table table(setup, Table::Plain, 20, False, order(big));
    fillScalars<Int>(table, "own");
    fillScalars<uInt>(table, "rows", [&to] { return uInt(word() % to.nrow()); });
  }
  printAll(Table(path));
}

void makeSqueezed(const std::string& folder, bool big) {
  {
    Making making;
    making.array<Short>("stored");
    making.scalar<float>("scale");
    making.scalar<float>("offset");
    making.fill([](Table& table) {
      fillArrays<Short>(table, "stored");
      fillScalars<float>(table, "scale");
      fillScalars<float>(table, "offset");
    });
    making.make(folder + "/squeezed_data", big);
  }
  const Table data(folder + "/squeezed_data");
  const std::string path = folder + "/squeezed";
  {
    TableDesc description(data.tableDesc(), "", "", TableDesc::Scratch);
    description.addColumn(ArrayColumnDesc<float>("value"));
    SetupNewTable setup(path, description, Table::New);
    ForwardColumnEngine engine(data);
    setup.bindAll(engine);
    CompressFloat squeezer("value", "stored", "scale", "offset", False);
    setup.bindColumn("value", squeezer);
    Table table(setup, Table::Plain, data.nrow(), False, order(big));
  }
  std::printf("table squeezed\n");
  printArrays<float>(Table(path), "value");
}

// The four numbers of each element, as another axis in front.
void printQuads(const Table& table, const std::string& name, const std::string& stored) {
  ArrayColumn<Quad> column(table, name);
  ArrayColumn<float> numbers(table, stored);
  for (rownr_t row = 0; row < table.nrow(); row++) {
    if (!column.isDefined(row)) continue;
    const Array<Quad> quads = column(row);
    const std::vector<Quad> flat(quads.begin(), quads.end());
    const Array<float> below = numbers(row);
    const std::vector<float> same(below.begin(), below.end());
    if (numbers.shape(row)[0] == 4 && std::memcmp(flat.data(), same.data(), same.size() * sizeof(float)) != 0) {
      throw AipsError("an element is not the four numbers that are stored");
    }
  }
  printArrays<float>(table, stored, name);
}

void makeRetyped(const std::string& path, bool big) {
  using Engine = RetypedArrayEngine<Quad, float>;
  Engine::registerClass();
  ArrayColumnDesc<Quad>("any").registerClass();
  Making making;
  making.array<float>("stored");
  making.array<float>("partial");
  making.array<Quad>("quads");
  making.array<Quad>("halves");
  making.bind("quads", std::make_shared<Engine>("quads", "stored", IPosition(1, 4), TableRecord()));
  making.bind("halves", std::make_shared<Engine>("halves", "partial", IPosition(1, 2), TableRecord()));
  making.fill([](Table& table) {
    ArrayColumn<Quad> quads(table, "quads"), halves(table, "halves");
    for (rownr_t row = 0; row < table.nrow(); row++) {
      if (isUndefined(row)) continue;
      Array<Quad> cell(shapeOf(row));
      for (auto& element : cell) element = Quad(float(word() % 1000) / 8);
      quads.put(row, cell);
      halves.put(row, cell);
    }
  });
  making.print([](const Table& table) {
    printQuads(table, "quads", "stored");
    printQuads(table, "halves", "partial");
  });
  making.make(path, big);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string folder = argv[1];
  const bool big = std::string(argv[2]) == "1";
  // casacore takes the name in a forwarded column's keyword as relative to the working directory when it is forwarded on.
  if (chdir(folder.c_str()) != 0) return 2;
  try {
    ForwardColumnIndexedRowEngine::registerClass();
    Making making;
    describe(making);
    making.make(folder + "/data", big);
    const Table data(folder + "/data");
    makeForward(folder + "/forward", data, big);
    makeForward(folder + "/data/in", data, big);
    {
      Making inner;
      describe(inner);
      inner.make(folder + "/out_data", big);
    }
    makeForward(folder + "/out", Table(folder + "/out_data"), big);
    makeForward(folder + "/chain", Table(folder + "/forward"), big);
    data(data.col("s_Int") > 0).rename(folder + "/selection", Table::New);
    makeForward(folder + "/selected", Table(folder + "/selection"), big);
    makeIndexed(folder + "/indexed", data, big, 3);
    makeIndexed(folder + "/twice", Table(folder + "/indexed"), big, 0);
    makeSqueezed(folder, big);
    makeRetyped(folder + "/retyped", big);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
