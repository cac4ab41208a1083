// Writes through engines on a stored array column:
//
//   virtual_write make FOLDER BIG   makes the tables FOLDER/whole and FOLDER/parts: every virtual column V has its values
//                                   in V_values, what is then put into slices in V_part and V_more, and what casacore
//                                   stores in V_stored. In whole only V_values were put. Every other row of parts has zeros
//                                   in V_stored instead, and V_part and then V_more were put into the slices.
//   virtual_write back TABLE        puts what casacore reads in V into V_back, in a table that Tessera made
//   virtual_write change TABLE      puts V_values of row r + 6 into V of row r, where both have a shape, every third row
#include <casacore/tables/DataMan/BitFlagsEngine.h>
#include <casacore/tables/DataMan/CompressComplex.h>
#include <casacore/tables/DataMan/CompressFloat.h>
#include <casacore/tables/DataMan/MappedArrayEngine.h>
#include <casacore/tables/DataMan/ScaledArrayEngine.h>
#include <casacore/tables/DataMan/ScaledComplexData.h>

#include "virtual.h"

namespace {

struct Virtual {
  std::function<void(Making&)> describe;
  std::function<void(Table&)> values;
  std::function<void(Table&, bool)> write;
  std::function<void(Table&)> back;
  std::function<void(Table&)> change;
};

std::vector<Virtual> all;

Slicer half(const IPosition& shape) {
  IPosition start(shape.size()), end(shape.size()), step(shape.size(), 2);
  for (uInt axis = 0; axis < shape.size(); axis++) {
    start[axis] = shape[axis] > 1 ? 1 : 0;
    end[axis] = shape[axis] - 1;
  }
  return Slicer(start, end, step, Slicer::endIsLast);
}

// Added to the row for what is put later: other magnitudes, the same scale and offset.
const rownr_t more = 60;

// Values of type S, given the row.
template <typename S>
using Source = std::function<S(rownr_t)>;

template <typename S, typename T>
void add(const std::string& name, const std::shared_ptr<DataManager>& engine, const Source<S>& value,
         const IPosition& leading = IPosition(), const std::string& scale = "", const Source<S>& factor = nullptr) {
  Virtual one;
  one.describe = [=](Making& making) {
    making.array<S>(name);
    making.array<T>(name + "_stored");
    for (const char* end : {"_values", "_part", "_more"}) making.array<S>(name + end);
    making.bind(name, engine);
  };
  one.values = [=](Table& table) {
    for (const std::string end : {"_values", "_part", "_more"}) {
      ArrayColumn<S> column(table, name + end);
      for (rownr_t row = 0; row < table.nrow(); row++) {
        if (isUndefined(row)) continue;
        const IPosition shape = shapeOf(row);
        Array<S> cell(end == "_values" ? shape : half(shape).length());
        for (auto& element : cell) element = value(end == "_more" ? row + more : row);
        column.put(row, cell);
      }
    }
  };
  one.write = [=](Table& table, bool parts) {
    ArrayColumn<S> column(table, name);
    ArrayColumn<T> stored(table, name + "_stored");
    for (rownr_t row = 0; row < table.nrow(); row++) {
      if (isUndefined(row)) continue;
      const IPosition shape = shapeOf(row);
      if (parts && row % 2 == 1) stored.put(row, Array<T>(leading.concatenate(shape), T(0)));
      else column.put(row, ArrayColumn<S>(table, name + "_values")(row));
      if (!parts) continue;
      column.putSlice(row, half(shape), ArrayColumn<S>(table, name + "_part")(row));
      column.putSlice(row, half(shape), ArrayColumn<S>(table, name + "_more")(row));
    }
  };
  one.back = [=](Table& table) {
    ArrayColumn<S> from(table, name), to(table, name + "_back");
    for (rownr_t row = 0; row < table.nrow(); row++) {
      if (from.isDefined(row)) to.put(row, from(row));
    }
  };
  one.change = [=](Table& table) {
    ArrayColumn<S> column(table, name), values(table, name + "_values");
    for (rownr_t row = 0; row + 6 < table.nrow(); row += 3) {
      if (!isUndefined(row) && !isUndefined(row + 6)) column.put(row, values(row + 6));
    }
  };
  all.push_back(one);
}

// Between -1 and 1.
double fraction() { return double(word()) / 2147483648.0 - 1.0; }

// What fits T when it is scaled.
template <typename S, typename T>
S fitting(S scale, S offset) {
  const double most = double(std::numeric_limits<T>::max()) * 0.99;
  const double least = std::numeric_limits<T>::is_signed ? -most : 0;
  const double steps = least + (most - least) * (fraction() + 1) / 2;
  return S(steps * double(scale) + double(offset));
}

// A column of scales or offsets: of one part, or two.
template <typename S>
void scalars(const std::string& name, const Source<S>& value) {
  Virtual one;
  one.describe = [=](Making& making) { making.scalar<S>(name); };
  one.values = [=](Table& table) {
    ScalarColumn<S> column(table, name);
    for (rownr_t row = 0; row < table.nrow(); row++) column.put(row, value(row));
  };
  one.write = [](Table&, bool) {};
  one.back = one.change = [](Table&) {};
  all.push_back(one);
}

template <typename S, typename T>
void scaled(const std::string& name, S scale, S offset) {
  using Engine = ScaledArrayEngine<S, T>;
  Engine::registerClass();
  const std::string scales = name + "_scale", offsets = name + "_offset";
  scalars<S>(scales, [=](rownr_t row) { return S(scale * S(1 + row % 3)); });
  scalars<S>(offsets, [=](rownr_t row) { return S(offset + S(row % 2)); });
  const Source<S> value = [=](rownr_t) { return fitting<S, T>(scale, offset); };
  add<S, T>(name, std::make_shared<Engine>(name, name + "_stored", scale, offset), value);
  add<S, T>(name + "_bare", std::make_shared<Engine>(name + "_bare", name + "_bare_stored", scale),
            [=](rownr_t) { return fitting<S, T>(scale, S(0)); });
  add<S, T>(name + "_one", std::make_shared<Engine>(name + "_one", name + "_one_stored", S(1), S(0)),
            [=](rownr_t) { return fitting<S, T>(S(1), S(0)); });
  add<S, T>(name + "_rows", std::make_shared<Engine>(name + "_rows", name + "_rows_stored", scales, offsets),
            [=](rownr_t row) { return fitting<S, T>(S(scale * S(1 + row % 3)), S(offset + S(row % 2))); });
}

template <typename S, typename T>
void pairs(const std::string& name, S scale, S offset) {
  using Engine = ScaledComplexData<S, T>;
  using Part = typename S::value_type;
  Engine::registerClass();
  const std::string scales = name + "_scale", offsets = name + "_offset";
  scalars<S>(scales, [=](rownr_t row) { return scale * Part(1 + row % 3); });
  scalars<S>(offsets, [=](rownr_t row) { return offset + Part(row % 2); });
  const auto value = [](const S& scale, const S& offset) {
    const Part re = fitting<Part, T>(scale.real(), offset.real());
    return S(re, fitting<Part, T>(scale.imag(), offset.imag()));
  };
  const IPosition two(1, 2);
  add<S, T>(name, std::make_shared<Engine>(name, name + "_stored", scale, offset),
            [=](rownr_t) { return value(scale, offset); }, two);
  add<S, T>(name + "_rows", std::make_shared<Engine>(name + "_rows", name + "_rows_stored", scales, offsets),
            [=](rownr_t row) { return value(scale * Part(1 + row % 3), offset + Part(row % 2)); }, two);
}

template <typename S, typename T>
void mapped(const std::string& name, const Source<S>& value) {
  using Engine = MappedArrayEngine<S, T>;
  Engine::registerClass();
  add<S, T>(name, std::make_shared<Engine>(name, name + "_stored"), value);
}

// Another magnitude each row; one of 20 is not finite. Some rows hold nothing that is.
float wild(rownr_t row) {
  const std::uint32_t w = word() % 60;
  if (row % 7 == 3 || w == 0) return std::numeric_limits<float>::quiet_NaN();
  if (w == 1) return std::numeric_limits<float>::infinity();
  if (w == 2) return -std::numeric_limits<float>::infinity();
  return float(std::ldexp(fraction(), int(row * 5 % 11)));
}

// Some have no imaginary part, some are halves of a step of 1/4.
Complex wildPair(rownr_t row) {
  const float re = wild(row), im = wild(row);
  switch (word() % 5) {
    case 0: return Complex(re, 0);
    case 1: return Complex(re, -0.0f);
    case 2: return Complex(float(int(word() % 801) - 400) / 8, float(int(word() % 801) - 400) / 8);
    default: return Complex(re, im);
  }
}

float halves(rownr_t row) { return word() % 3 == 0 ? float(int(word() % 801) - 400) / 8 : wild(row); }

// What is out of range is clipped by CompressComplex; CompressFloat keeps its low bits, which Tessera doesn't: for it
// the scale of some rows is `least` so that nothing is.
template <typename Engine, typename S, typename T>
void compressed(const std::string& name, float least, const Source<S>& value) {
  const std::string scales = name + "_scale", offsets = name + "_offset";
  scalars<float>(scales, [=](rownr_t row) { return row % 4 == 2 ? least : 0.3f * float(1 + row % 3); });
  scalars<float>(offsets, [](rownr_t row) { return -0.7f * float(row % 5); });
  add<S, T>(name, std::make_shared<Engine>(name, name + "_stored", 0.25f, 0.0f), value);
  add<S, T>(name + "_off", std::make_shared<Engine>(name + "_off", name + "_off_stored", 0.0371f, -7.7f), value);
  const std::string rows = name + "_rows", own = name + "_auto";
  add<S, T>(rows, std::make_shared<Engine>(rows, rows + "_stored", scales, offsets, False), [=](rownr_t) { return value(1); });
  scalars<float>(own + "_scale", [](rownr_t) { return 0.0f; });
  scalars<float>(own + "_offset", [](rownr_t) { return 0.0f; });
  add<S, T>(own, std::make_shared<Engine>(own, own + "_stored", own + "_scale", own + "_offset", True), value);
}

template <typename T>
void flags(const std::string& name) {
  using Engine = BitFlagsEngine<T>;
  // With other write masks casacore's bits are not those of the mask.
  add<Bool, T>(name, std::make_shared<Engine>(name, name + "_stored"), [](rownr_t) { return word() % 2 == 0; });
  add<Bool, T>(name + "_low", std::make_shared<Engine>(name + "_low", name + "_low_stored", T(5), T(1)),
               [](rownr_t) { return word() % 3 == 0; });
}

void describeAll() {
  scaled<float, Short>("float_Short", 0.0123f, -7.7f);
  scaled<float, uChar>("float_uChar", 3.3f, 1e3f);
  scaled<float, uShort>("float_uShort", 1e-3f, 1e-3f);
  scaled<float, Int>("float_Int", 0.1f, 0.3f);
  scaled<float, uInt>("float_uInt", 1.1f, 5.0f);
  scaled<float, float>("float_float", 1.1e-36f, -0.3e-30f);
  scaled<float, Int64>("float_Int64", 1.1f, 7.0f);
  scaled<double, Int>("double_Int", 0.1, -7.3);
  scaled<double, Short>("double_Short", -0.01, 1e4);
  scaled<double, float>("double_float", 1.1e-36, -0.3e-30);
  scaled<double, Int64>("double_Int64", 1e-9, -7.3);
  scaled<Int, Short>("Int_Short", 1000, -77);
  scaled<Int, uChar>("Int_uChar", 7, 5);
  scaled<Short, uChar>("Short_uChar", 3, -7);
  scaled<uInt, uShort>("uInt_uShort", 3u, 40u);
  scaled<Int64, Int>("Int64_Int", Int64(1) << 20, -5);
  pairs<Complex, Short>("Complex_Short", Complex(0.0123f, 3.3f), Complex(-7.7f, 1e3f));
  pairs<Complex, Int>("Complex_Int", Complex(0.1f, -3.3f), Complex(-7.7f, 0.1f));
  pairs<DComplex, Int>("DComplex_Int", DComplex(0.1, 3.3), DComplex(-7.7, 0.1));
  pairs<DComplex, float>("DComplex_float", DComplex(1e-36, 3e-36), DComplex(0, 0));
  mapped<Complex, DComplex>("Complex_DComplex", [](rownr_t) { return Value<Complex>::any(); });
  mapped<DComplex, Complex>("DComplex_Complex", [](rownr_t) { return Value<DComplex>::any(); });
  mapped<float, double>("float_double", [](rownr_t) { return Value<float>::any(); });
  mapped<double, float>("double_to_float", [](rownr_t) { return Value<double>::any(); });
  mapped<Int, float>("Int_to_float", [](rownr_t) { return Value<Int>::any(); });
  mapped<Int64, float>("Int64_to_float", [](rownr_t) { return Value<Int64>::any(); });
  mapped<float, Short>("float_to_Short", [](rownr_t) { return float(32768 * fraction()) * 0.9999f; });
  mapped<double, uInt>("double_to_uInt", [](rownr_t) { return 4294967295.99 * (fraction() + 1) / 2; });
  mapped<Int, Short>("Int_to_Short", [](rownr_t) { return Int(Value<Short>::any()); });
  mapped<Short, Int>("Short_to_Int", [](rownr_t) { return Value<Short>::any(); });
  compressed<CompressFloat, Float, Short>("CF", 1e-2f, halves);
  compressed<CompressComplex, Complex, Int>("CC", 1e-3f, wildPair);
  compressed<CompressComplexSD, Complex, Int>("SD", 1e-3f, wildPair);
  flags<uChar>("flags_uChar");
  flags<Short>("flags_Short");
  flags<Int>("flags_Int");
}

void make(const std::string& path, bool big, bool parts) {
  Making making;
  for (auto& one : all) one.describe(making);
  making.fill([](Table& table) {
    for (auto& one : all) one.values(table);
  });
  making.fill([=](Table& table) {
    for (auto& one : all) one.write(table, parts);
  });
  making.make(path, big);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() < 2) return 2;
  try {
    describeAll();
    if (args[0] == "make") {
      make(args[1] + (args.at(3) == "1" ? "/parts" : "/whole"), args.at(2) == "1", args.at(3) == "1");
    } else {
      Table table(args[1], Table::Update);
      for (auto& one : all) (args[0] == "back" ? one.back : one.change)(table);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
