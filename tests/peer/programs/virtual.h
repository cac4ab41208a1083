// What the programs that make tables with virtual columns share: values, tables, and how cells are printed.
//
// A printed cell is a line of words: column, row, and either "undefined" or the shape (3,2; "." for a scalar) and the
// bytes of the values in hexadecimal, as this machine has them, first axis fastest. Behind "slice" stand the values of
// every second element of each axis, from the second on where there are two.
#ifndef TESSERA_VIRTUAL_H
#define TESSERA_VIRTUAL_H

#include <casacore/casa/Arrays/ArrayMath.h>
#include <casacore/casa/Arrays/Slicer.h>
#include <casacore/casa/BasicSL/Complex.h>
#include <casacore/tables/Tables/ArrColDesc.h>
#include <casacore/tables/Tables/ArrayColumn.h>
#include <casacore/tables/Tables/ScaColDesc.h>
#include <casacore/tables/Tables/ScalarColumn.h>
#include <casacore/tables/Tables/SetupNewTab.h>
#include <casacore/tables/Tables/Table.h>
#include <casacore/tables/Tables/TableDesc.h>
#include <casacore/tables/Tables/TableRecord.h>

#include <climits>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

using namespace casacore;

inline std::uint32_t word() {
  static std::uint64_t state = 88172645463325252ULL;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<std::uint32_t>(state >> 16);
}

// A value of every magnitude; one of 12 is special.
template <typename F>
F real() {
  const std::uint32_t w = word();
  switch (w % 72) {
    case 0: return std::numeric_limits<F>::quiet_NaN();
    case 1: return std::numeric_limits<F>::infinity();
    case 2: return -std::numeric_limits<F>::infinity();
    case 3: return F(-0.0);
    case 4: return std::numeric_limits<F>::denorm_min() * F(5);
    case 5: return std::numeric_limits<F>::max();
    default: {
      const double fraction = (double(word()) * 4294967296.0 + word()) / 9223372036854775808.0 - 1.0;
      return F(std::ldexp(fraction, int(w >> 8) % 40 - 8));
    }
  }
}

// Integers: any bits, many of them small.
template <typename T>
struct Value {
  static T any() {
    const std::uint64_t bits = (std::uint64_t(word()) << 32) | word();
    switch (word() % 8) {
      case 0: return std::numeric_limits<T>::min();
      case 1: return std::numeric_limits<T>::max();
      case 2: return T(bits % 5);
      // Rounded to double first and then to float, it comes out wrong.
      case 3: return T((1ull << 62) + ((bits & 0xffff) << 40) + (1ull << 38) + 1);
      default: return T(bits);
    }
  }
};
template <>
struct Value<Bool> {
  static Bool any() { return word() % 2 == 0; }
};
template <>
struct Value<float> {
  static float any() { return real<float>(); }
};
template <>
struct Value<double> {
  static double any() { return real<double>(); }
};
template <>
struct Value<Complex> {
  static Complex any() {
    const float re = real<float>();
    return Complex(re, real<float>());
  }
};
template <>
struct Value<DComplex> {
  static DComplex any() {
    const double re = real<double>();
    return DComplex(re, real<double>());
  }
};

inline void printBytes(const void* data, std::size_t length) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < length; i++) std::printf("%02x", bytes[i]);
}

template <typename T>
void printValues(const Array<T>& values) {
  const std::vector<T> flat(values.begin(), values.end());
  for (const T& value : flat) printBytes(&value, sizeof(T));
}

// Under another name if one is given.
template <typename T>
void printArrays(const Table& table, const std::string& stored, const std::string& other = "") {
  ArrayColumn<T> column(table, stored);
  const std::string name = other.empty() ? stored : other;
  for (rownr_t row = 0; row < table.nrow(); row++) {
    std::printf("%s %u ", name.c_str(), unsigned(row));
    if (!column.isDefined(row)) {
      std::printf("undefined\n");
      continue;
    }
    const IPosition shape = column.shape(row);
    for (uInt axis = 0; axis < shape.size(); axis++) std::printf("%s%d", axis ? "," : "", int(shape[axis]));
    std::printf(" ");
    printValues(column(row));
    IPosition start(shape.size()), end(shape.size()), step(shape.size(), 2);
    for (uInt axis = 0; axis < shape.size(); axis++) {
      start[axis] = shape[axis] > 1 ? 1 : 0;
      end[axis] = shape[axis] - 1;
    }
    std::printf(" slice ");
    printValues(column.getSlice(row, Slicer(start, end, step, Slicer::endIsLast)));
    std::printf("\n");
  }
}

template <typename T>
void printScalars(const Table& table, const std::string& name) {
  ScalarColumn<T> column(table, name);
  for (rownr_t row = 0; row < table.nrow(); row++) {
    const T value = column(row);
    std::printf("%s %u . ", name.c_str(), unsigned(row));
    printBytes(&value, sizeof value);
    std::printf("\n");
  }
}

inline void printStrings(const Table& table, const std::string& name) {
  ScalarColumn<String> column(table, name);
  for (rownr_t row = 0; row < table.nrow(); row++) {
    const String value = column(row);
    std::printf("%s %u . ", name.c_str(), unsigned(row));
    printBytes(value.data(), value.size());
    std::printf("\n");
  }
}

// Strings of an array end in a zero byte each; there is no slice.
inline void printStringArrays(const Table& table, const std::string& name) {
  ArrayColumn<String> column(table, name);
  for (rownr_t row = 0; row < table.nrow(); row++) {
    std::printf("%s %u ", name.c_str(), unsigned(row));
    if (!column.isDefined(row)) {
      std::printf("undefined\n");
      continue;
    }
    const IPosition shape = column.shape(row);
    for (uInt axis = 0; axis < shape.size(); axis++) std::printf("%s%d", axis ? "," : "", int(shape[axis]));
    std::printf(" ");
    const Array<String> values = column(row);
    for (const String& value : std::vector<String>(values.begin(), values.end())) {
      printBytes(value.data(), value.size());
      std::printf("00");
    }
    std::printf("\n");
  }
}

const rownr_t rowCount = 13;

// The shape of a row's cell; every fifth is undefined.
inline bool isUndefined(rownr_t row) { return row % 5 == 4; }
inline IPosition shapeOf(rownr_t row) {
  switch (row % 6) {
    case 0: return IPosition(2, 3, 2);
    case 1: return IPosition(1, 17);
    case 2: return IPosition(3, 2, 3, 4);
    case 3: return IPosition(2, 1, 5);
    case 4: return IPosition(4, 2, 1, 3, 2);
    default: return IPosition(1, 1);
  }
}

template <typename T>
void fillArrays(Table& table, const std::string& name, const IPosition& leading = IPosition(),
                const std::function<T()>& value = Value<T>::any) {
  ArrayColumn<T> column(table, name);
  for (rownr_t row = 0; row < table.nrow(); row++) {
    if (isUndefined(row)) continue;
    Array<T> cell(leading.concatenate(shapeOf(row)));
    for (auto& element : cell) element = value();
    column.put(row, cell);
  }
}

template <typename T>
void fillScalars(Table& table, const std::string& name, const std::function<T()>& value = Value<T>::any) {
  ScalarColumn<T> column(table, name);
  for (rownr_t row = 0; row < table.nrow(); row++) column.put(row, value());
}

// A table that is described column by column, made, filled, closed, opened again and printed.
class Making {
 public:
  TableDesc description;

  template <typename T>
  void array(const std::string& name) {
    description.addColumn(ArrayColumnDesc<T>(name));
  }
  template <typename T>
  void scalar(const std::string& name) {
    description.addColumn(ScalarColumnDesc<T>(name));
  }
  void bind(const std::string& name, const std::shared_ptr<DataManager>& manager) {
    bindings_.push_back({name, manager});
  }
  void fill(const std::function<void(Table&)>& action) { fills_.push_back(action); }
  void print(const std::function<void(const Table&)>& action) { prints_.push_back(action); }

  void make(const std::string& path, bool big, rownr_t rows = rowCount) {
    {
      SetupNewTable setup(path, description, Table::New);
      for (auto& binding : bindings_) setup.bindColumn(binding.first, *binding.second);
      Table table(setup, Table::Plain, rows, False, big ? Table::BigEndian : Table::LittleEndian);
      for (auto& action : fills_) action(table);
    }
    Table table(path);
    std::printf("table %s\n", path.substr(path.rfind('/') + 1).c_str());
    for (auto& action : prints_) action(table);
  }

 private:
  std::vector<std::pair<std::string, std::shared_ptr<DataManager>>> bindings_;
  std::vector<std::function<void(Table&)>> fills_;
  std::vector<std::function<void(const Table&)>> prints_;
};

#endif
