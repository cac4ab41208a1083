// Opens a MeasurementSet as casacore's own programs do, and prints what its checks say and what its measures are.
#include <casacore/casa/IO/ArrayIO.h>
#include <casacore/casa/Quanta/MVTime.h>
#include <casacore/measures/Measures/MFrequency.h>
#include <casacore/ms/MeasurementSets/MSColumns.h>
#include <casacore/ms/MeasurementSets/MeasurementSet.h>
#include <casacore/tables/TaQL/TableParse.h>
#include <iostream>

using namespace casacore;

// The checks of one table: description, types and keywords as the standard has them.
template <class T>
bool valid(const char* name, const T& table) {
  bool good = T::validate(table.keywordSet()) && table.validate();
  std::cout << name << (good ? " valid\n" : " NOT VALID\n");
  return good;
}

int main(int argc, char** argv) {
  try {
    MeasurementSet ms(argv[1], argc > 2 ? Table::Update : Table::Old);
    valid("MAIN", ms);
    std::cout << "references " << ms.validateMeasureRefs() << "\n";
    valid("ANTENNA", ms.antenna());
    valid("DATA_DESCRIPTION", ms.dataDescription());
    valid("FEED", ms.feed());
    valid("FIELD", ms.field());
    valid("FLAG_CMD", ms.flagCmd());
    valid("HISTORY", ms.history());
    valid("OBSERVATION", ms.observation());
    valid("POINTING", ms.pointing());
    valid("POLARIZATION", ms.polarization());
    valid("PROCESSOR", ms.processor());
    valid("SPECTRAL_WINDOW", ms.spectralWindow());
    valid("STATE", ms.state());
    if (!ms.doppler().isNull()) valid("DOPPLER", ms.doppler());
    if (!ms.freqOffset().isNull()) valid("FREQ_OFFSET", ms.freqOffset());
    if (!ms.source().isNull()) valid("SOURCE", ms.source());
    if (!ms.sysCal().isNull()) valid("SYSCAL", ms.sysCal());
    if (!ms.weather().isNull()) valid("WEATHER", ms.weather());

    MSColumns columns(ms);
    std::cout << "rows " << columns.nrow() << "\n";
    if (columns.nrow() == 0) return 0;
    MEpoch time = columns.timeMeas()(0);
    std::cout << "time " << MEpoch::showType(time.getRef().getType()) << " "
              << MVTime(time.getValue()).string(MVTime::FITS, 9) << "\n";
    MDirection field = columns.field().phaseDirMeas(0);
    std::cout << "field " << field.getRefString() << " " << field.getAngle("deg") << "\n";
    MPosition antenna = columns.antenna().positionMeas()(0);
    std::cout << "antenna " << antenna.getRefString() << " " << antenna.getValue() << "\n";
    Vector<MFrequency> channels;
    columns.spectralWindow().chanFreqMeas().get(0, channels);
    std::cout << "channel " << channels[0].getRefString() << " " << channels[0].get("MHz") << " of "
              << channels.size() << "\n";
    MFrequency reference = columns.spectralWindow().refFrequencyMeas()(0);
    std::cout << "reference " << reference.getRefString() << " " << reference.get("MHz") << "\n";
    std::cout << "uvw " << columns.uvwMeas()(0).getRefString() << " " << columns.uvwQuant()(0) << "\n";
    std::cout << "data " << columns.data()(0).shape() << " " << columns.data()(0)(IPosition(2, 0, 0)) << "\n";
    std::cout << "telescope " << columns.observation().telescopeName()(0) << "\n";
    std::cout << "range " << columns.observation().timeRangeMeas()(0)(IPosition(1, 0)).getValue() << "\n";
    if (argc > 2) {
      ms.addRow();
      columns.time().put(columns.nrow() - 1, columns.time()(0) + 10);
      columns.data().put(columns.nrow() - 1, columns.data()(0));
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
