// An application's own class, whose objects are stored as numbers.
#ifndef TESSERA_QUAD_H
#define TESSERA_QUAD_H

#include <casacore/casa/Arrays/Array.h>
#include <casacore/tables/DataMan/RetypedArrayEngine.h>
#include <casacore/tables/DataMan/RetypedArraySetGet.h>
#include <casacore/tables/Tables/ArrColDesc.h>
#include <casacore/tables/Tables/TableRecord.h>

#include <ostream>

using namespace casacore;

// Four numbers: a class that casacore knows nothing of.
class Quad {
 public:
  Quad() : values_{0, 0, 0, 0} {}
  explicit Quad(float first) : values_{first, first + 1, first + 2, first + 3} {}
  bool operator==(const Quad& other) const { return values_[0] == other.values_[0]; }
  bool operator<(const Quad& other) const { return values_[0] < other.values_[0]; }

  static String dataTypeId() { return "Quad"; }
  static IPosition shape() { return IPosition(1, 4); }
  static void* newCopyInfo(const TableRecord&, const IPosition&) { return nullptr; }
  static void deleteCopyInfo(void*) {}
  static void set(void*, void* out, const Array<float>& in, const IPosition& shape) {
    Array<Quad>& quads = *static_cast<Array<Quad>*>(out);
    if (shape.size() == 1 && shape[0] == 4) retypedArrayEngineSet(quads, in);
    else retypedArrayEngineSet(quads, in, shape, static_cast<const void*>(nullptr));
  }
  static void get(void*, Array<float>& out, const void* in, const IPosition& shape) {
    const Array<Quad>& quads = *static_cast<const Array<Quad>*>(in);
    if (shape.size() == 1 && shape[0] == 4) retypedArrayEngineGet(out, quads);
    else retypedArrayEngineGet(out, quads, shape, static_cast<const void*>(nullptr));
  }
  void setElem(const float* data, const IPosition& shape, const void*) {
    for (int i = 0; i < shape[0]; i++) values_[i] = data[i];
  }
  void getElem(float* data, const IPosition& shape, const void*) const {
    for (int i = 0; i < shape[0]; i++) data[i] = values_[i];
  }

 private:
  float values_[4];
};

inline std::ostream& operator<<(std::ostream& stream, const Quad&) { return stream << "Quad"; }

#endif
