// Makes tables with engines on a stored array column and prints what casacore reads: virtual_arrays FOLDER BIG
//
//   scaled    ScaledArrayEngine of many pairs of types, scale and offset fixed or in columns
//   complex   ScaledComplexData
//   mapped    MappedArrayEngine of many pairs of types
//   compress  CompressFloat, CompressComplex, CompressComplexSD on stored values of all kinds
//   flags     BitFlagsEngine, masks from keywords and from flag sets
//   chain     engines on engines
#include <casacore/tables/DataMan/BitFlagsEngine.h>
#include <casacore/tables/DataMan/CompressComplex.h>
#include <casacore/tables/DataMan/CompressFloat.h>
#include <casacore/tables/DataMan/MappedArrayEngine.h>
#include <casacore/tables/DataMan/ScaledArrayEngine.h>
#include <casacore/tables/DataMan/ScaledComplexData.h>

#include "virtual.h"

namespace {

// Values for which C++ says what the engine's conversions give.
template <typename S, typename T>
std::function<T()> definedValues() {
  if (std::numeric_limits<S>::is_integer && !std::numeric_limits<T>::is_integer) {
    return [] { return T(double(word() % 20000) / 8 - (std::numeric_limits<S>::is_signed ? 1250 : 0)); };
  }
  return Value<T>::any;
}

template <typename S>
S factor() {
  return S(std::ldexp(double(word() % 2000) - 1000, -int(word() % 9)));
}

// One column for each way to say scale and offset.
template <typename S, typename T>
void addScaled(Making& making, const std::string& name, S scale, S offset) {
  ScaledArrayEngine<S, T>::registerClass();
  const std::string stored = name + "_stored", scales = name + "_scale", offsets = name + "_offset";
  making.array<T>(stored);
  making.scalar<S>(scales);
  making.scalar<S>(offsets);
  using Engine = ScaledArrayEngine<S, T>;
  const std::vector<std::pair<std::string, std::shared_ptr<DataManager>>> engines = {
      {name + "_fixed", std::make_shared<Engine>(name + "_fixed", stored, scale, offset)},
      {name + "_bare", std::make_shared<Engine>(name + "_bare", stored, scale)},
      {name + "_one", std::make_shared<Engine>(name + "_one", stored, S(1), S(0))},
      {name + "_scales", std::make_shared<Engine>(name + "_scales", stored, scales, offset)},
      {name + "_columns", std::make_shared<Engine>(name + "_columns", stored, scales, offsets)},
  };
  for (auto& [column, engine] : engines) {
    making.array<S>(column);
    making.bind(column, engine);
    making.print([column = column](const Table& table) { printArrays<S>(table, column); });
  }
  making.fill([=](Table& table) {
    fillArrays<T>(table, stored, IPosition(), definedValues<S, T>());
    fillScalars<S>(table, scales, factor<S>);
    fillScalars<S>(table, offsets, factor<S>);
    ScalarColumn<S>(table, scales).put(1, S(0));
    ScalarColumn<S>(table, offsets).put(2, S(0));
  });
}

void makeScaled(const std::string& path, bool big) {
  Making making;
  addScaled<double, Int>(making, "double_Int", 0.1, -7.3);
  addScaled<float, Short>(making, "float_Short", 0.0123f, -7.7f);
  addScaled<float, uChar>(making, "float_uChar", 3.3f, 1e6f);
  addScaled<float, Int>(making, "float_Int", 1.1f, 0.3f);
  addScaled<float, uInt>(making, "float_uInt", -1.1f, 1e9f);
  addScaled<float, uShort>(making, "float_uShort", 1e-3f, 1e-3f);
  addScaled<float, Int64>(making, "float_Int64", 1.0f, 0.3f);
  addScaled<double, Int64>(making, "double_Int64", 1.7, 0.3);
  addScaled<float, double>(making, "float_double", 1.1f, 0.3f);
  addScaled<double, float>(making, "double_float", 1.1, -0.3);
  addScaled<float, float>(making, "float_float", 1.1f, -0.3f);
  addScaled<double, double>(making, "double_double", 1.1, -0.3);
  addScaled<Int, uChar>(making, "Int_uChar", 1000, -77);
  addScaled<Short, uChar>(making, "Short_uChar", 3, -7);
  addScaled<Short, uInt>(making, "Short_uInt", 3, -7);
  addScaled<uInt, Short>(making, "uInt_Short", 3u, 4000000000u);
  addScaled<Int64, Int>(making, "Int64_Int", Int64(1) << 20, -5);
  addScaled<Int, float>(making, "Int_float", 3, -5);
  addScaled<Short, double>(making, "Short_double", 3, -5);
  addScaled<uChar, float>(making, "uChar_float", 2, 5);
  making.make(path, big);
}

template <typename S, typename T>
void addPairs(Making& making, const std::string& name, S scale, S offset) {
  using Engine = ScaledComplexData<S, T>;
  Engine::registerClass();
  const std::string stored = name + "_stored", scales = name + "_scale", offsets = name + "_offset";
  making.array<T>(stored);
  making.scalar<S>(scales);
  making.scalar<S>(offsets);
  const std::vector<std::pair<std::string, std::shared_ptr<DataManager>>> engines = {
      {name + "_fixed", std::make_shared<Engine>(name + "_fixed", stored, scale, offset)},
      {name + "_bare", std::make_shared<Engine>(name + "_bare", stored, scale)},
      {name + "_one", std::make_shared<Engine>(name + "_one", stored, S(1, 1), S(0, 0))},
      {name + "_half", std::make_shared<Engine>(name + "_half", stored, S(1, 1), S(0, offset.imag()))},
      {name + "_scales", std::make_shared<Engine>(name + "_scales", stored, scales, offset)},
      {name + "_columns", std::make_shared<Engine>(name + "_columns", stored, scales, offsets)},
  };
  for (auto& [column, engine] : engines) {
    making.array<S>(column);
    making.bind(column, engine);
    making.print([column = column](const Table& table) { printArrays<S>(table, column); });
  }
  making.fill([=](Table& table) {
    fillArrays<T>(table, stored, IPosition(1, 2));
    const std::function<S()> pair = [] {
      const auto re = factor<typename S::value_type>();
      return S(re, factor<typename S::value_type>());
    };
    fillScalars<S>(table, scales, pair);
    fillScalars<S>(table, offsets, pair);
    ScalarColumn<S>(table, scales).put(1, S(0, 0));
    ScalarColumn<S>(table, offsets).put(2, S(0, 0));
  });
}

void makeComplex(const std::string& path, bool big) {
  Making making;
  addPairs<Complex, Short>(making, "Complex_Short", Complex(0.0123f, 3.3f), Complex(-7.7f, 1e6f));
  addPairs<Complex, Int>(making, "Complex_Int", Complex(0.1f, -3.3f), Complex(-7.7f, 0.1f));
  addPairs<Complex, float>(making, "Complex_float", Complex(1.1f, 3.3f), Complex(0, 0.3f));
  addPairs<Complex, double>(making, "Complex_double", Complex(1.1f, 3.3f), Complex(0.7f, 0.3f));
  addPairs<DComplex, Int>(making, "DComplex_Int", DComplex(0.1, 3.3), DComplex(-7.7, 0.1));
  addPairs<DComplex, uChar>(making, "DComplex_uChar", DComplex(0.1, 3.3), DComplex(-7.7, 0.1));
  addPairs<DComplex, float>(making, "DComplex_float", DComplex(1.1, 3.3), DComplex(0.7, 0));
  making.make(path, big);
}

template <typename S, typename T>
void addMapped(Making& making, const std::string& name) {
  MappedArrayEngine<S, T>::registerClass();
  const std::string stored = name + "_stored";
  making.array<T>(stored);
  making.array<S>(name);
  making.bind(name, std::make_shared<MappedArrayEngine<S, T>>(name, stored));
  making.fill([=](Table& table) { fillArrays<T>(table, stored, IPosition(), definedValues<S, T>()); });
  making.print([=](const Table& table) { printArrays<S>(table, name); });
}

void makeMapped(const std::string& path, bool big) {
  Making making;
  addMapped<Complex, DComplex>(making, "Complex_DComplex");
  addMapped<DComplex, Complex>(making, "DComplex_Complex");
  addMapped<Complex, Complex>(making, "Complex_Complex");
  addMapped<float, double>(making, "float_double");
  addMapped<double, float>(making, "double_float");
  addMapped<float, Int64>(making, "float_Int64");
  addMapped<double, Int64>(making, "double_Int64");
  addMapped<float, Int>(making, "float_Int");
  addMapped<Short, Int>(making, "Short_Int");
  addMapped<uChar, Int>(making, "uChar_Int");
  addMapped<Int64, Short>(making, "Int64_Short");
  addMapped<uInt, Short>(making, "uInt_Short");
  addMapped<Int, uInt>(making, "Int_uInt");
  addMapped<Short, Int64>(making, "Short_Int64");
  addMapped<uShort, uChar>(making, "uShort_uChar");
  addMapped<Int, float>(making, "Int_float");
  addMapped<Int64, double>(making, "Int64_double");
  addMapped<uInt, double>(making, "uInt_double");
  addMapped<uChar, float>(making, "uChar_float");
  addMapped<Bool, uChar>(making, "Bool_uChar");
  making.make(path, big);
}

// The words that mean something of their own.
const Int corners[] = {INT_MIN, INT_MIN + 1, INT_MAX, 1, -1, 0, 32768, -32769, 32769, -32768, 65536, -65536, 65535};

template <typename Engine, typename S, typename T>
void addCompressed(Making& making, const std::string& name, const std::vector<std::pair<float, float>>& fixed) {
  const std::string stored = name + "_stored", scales = name + "_scale", offsets = name + "_offset";
  making.array<T>(stored);
  making.scalar<float>(scales);
  making.scalar<float>(offsets);
  for (std::size_t i = 0; i < fixed.size(); i++) {
    const std::string column = name + "_" + std::to_string(i);
    making.array<S>(column);
    making.bind(column, std::make_shared<Engine>(column, stored, fixed[i].first, fixed[i].second));
    making.print([=](const Table& table) { printArrays<S>(table, column); });
  }
  const std::string column = name + "_columns";
  making.array<S>(column);
  making.bind(column, std::make_shared<Engine>(column, stored, scales, offsets, False));
  making.print([=](const Table& table) { printArrays<S>(table, column); });
  making.fill([=](Table& table) {
    fillArrays<T>(table, stored);
    fillScalars<float>(table, scales);
    fillScalars<float>(table, offsets);
    ScalarColumn<float>(table, scales).put(1, 0);
    ArrayColumn<T> column(table, stored);
    if (sizeof(T) == 2) {
      Array<T> all(IPosition(2, 256, 256));
      Int next = -32768;
      for (auto& element : all) element = T(next++);
      column.put(0, all);
    } else {
      Vector<T> words(4000);
      for (auto& element : words) element = T(word());
      std::copy(std::begin(corners), std::end(corners), words.begin());
      column.put(0, words);
    }
  });
}

void makeCompress(const std::string& path, bool big) {
  Making making;
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<float, float>> fixed = {
      {0.0123f, -7.7f}, {0, 5}, {1, 0}, {1e-44f, 0}, {1e38f, -1e38f}, {infinity, 1}, {3e38f, 0}, {3e-5f, 12345.678f}};
  addCompressed<CompressFloat, float, Short>(making, "Float", fixed);
  addCompressed<CompressComplex, Complex, Int>(making, "Complex", fixed);
  addCompressed<CompressComplexSD, Complex, Int>(making, "SD", fixed);
  making.make(path, big);
}

template <typename T>
void addFlags(Making& making, const std::string& name, uInt mask) {
  const std::string stored = name + "_stored", bare = name + "_bare_stored";
  for (const std::string& column : {stored, bare}) making.array<T>(column);
  TableRecord sets;
  sets.define("LOW", Int(1));
  sets.define("SOME", uInt(mask & 0x7f));
  sets.define("HIGH", Int(T(-1) ^ T(0x7f)));
  making.description.rwColumnDesc(stored).rwKeywordSet().defineRecord("FLAGSETS", sets);
  const auto text = [](const std::vector<String>& names) { return Array<String>(Vector<String>(names)); };
  const std::vector<std::pair<std::string, std::shared_ptr<DataManager>>> engines = {
      {name + "_all", std::make_shared<BitFlagsEngine<T>>(name + "_all", stored)},
      {name + "_mask", std::make_shared<BitFlagsEngine<T>>(name + "_mask", stored, T(mask), T(1))},
      {name + "_low", std::make_shared<BitFlagsEngine<T>>(name + "_low", stored, text({"LOW"}), text({"LOW"}))},
      {name + "_two", std::make_shared<BitFlagsEngine<T>>(name + "_two", stored, text({"LOW", "HIGH"}), text({"LOW"}))},
      {name + "_unknown", std::make_shared<BitFlagsEngine<T>>(name + "_unknown", stored, text({"NO", "SOME"}), text({"LOW"}))},
      {name + "_bare", std::make_shared<BitFlagsEngine<T>>(name + "_bare", bare, text({"LOW"}), text({"LOW"}))},
  };
  for (auto& [column, engine] : engines) {
    making.array<Bool>(column);
    making.bind(column, engine);
    making.print([column = column](const Table& table) { printArrays<Bool>(table, column); });
  }
  making.fill([=](Table& table) {
    for (const std::string& column : {stored, bare}) {
      fillArrays<T>(table, column, IPosition(), [] { return T(1ull << (word() % (8 * sizeof(T)))) & T(word()); });
    }
    // What the names mean now counts, not what they meant when the engines were made.
    TableRecord later(sets);
    later.define("LOW", Int(3));
    TableColumn(table, stored).rwKeywordSet().defineRecord("FLAGSETS", later);
  });
}

void makeFlags(const std::string& path, bool big) {
  Making making;
  addFlags<uChar>(making, "uChar", 6);
  addFlags<Short>(making, "Short", 0xffff8001);
  addFlags<Int>(making, "Int", 0x80000400);
  making.make(path, big);
}

void makeChain(const std::string& path, bool big) {
  Making making;
  making.array<float>("top");
  making.array<Short>("middle");
  making.array<Int>("bottom");
  making.array<double>("scaled");
  making.array<float>("side");
  making.bind("top", std::make_shared<CompressFloat>("top", "middle", 0.25f, 1.0f));
  making.bind("middle", std::make_shared<MappedArrayEngine<Short, Int>>("middle", "bottom"));
  making.bind("scaled", std::make_shared<ScaledArrayEngine<double, float>>("scaled", "top", 1.5, -2.0));
  making.bind("side", std::make_shared<ScaledArrayEngine<float, Int>>("side", "bottom", 1.5f, -2.0f));
  making.fill([](Table& table) { fillArrays<Int>(table, "bottom"); });
  making.print([](const Table& table) {
    printArrays<float>(table, "top");
    printArrays<Short>(table, "middle");
    printArrays<double>(table, "scaled");
    printArrays<float>(table, "side");
  });
  making.make(path, big);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string folder = argv[1];
  const bool big = std::string(argv[2]) == "1";
  try {
    makeScaled(folder + "/scaled", big);
    makeComplex(folder + "/complex", big);
    makeMapped(folder + "/mapped", big);
    makeCompress(folder + "/compress", big);
    makeFlags(folder + "/flags", big);
    makeChain(folder + "/chain", big);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
