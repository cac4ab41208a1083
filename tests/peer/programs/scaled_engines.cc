// Engines that python-casacore doesn't know, as libraries that casacore loads when a table names one: it looks for
// libcasa_scaledarrayengine.so and libcasa_scaledcomplexdata.so and calls what is named after them.
#include <casacore/tables/DataMan/ScaledArrayEngine.h>
#include <casacore/tables/DataMan/ScaledComplexData.h>

using namespace casacore;

extern "C" {
void register_scaledarrayengine() { ScaledArrayEngine<Float, Short>::registerClass(); }
void register_scaledcomplexdata() { ScaledComplexData<Complex, Short>::registerClass(); }
}
