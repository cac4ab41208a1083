// Prints the objects in column QUADS, the numbers of each turned round: virtual_retyped TABLE
//
// casacore 3.5 opens no table with such a column for writing, its own neither: it looks for a column without a name.
#include "quad.h"
#include "virtual.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    RetypedArrayEngine<Quad, float>::registerClass();
    ArrayColumnDesc<Quad>("any").registerClass();
    const Table table(argv[1]);
    const ArrayColumn<Quad> column(table, "QUADS");
    for (rownr_t row = 0; row < table.nrow(); row++) {
      if (!column.isDefined(row)) {
        std::printf("undefined\n");
        continue;
      }
      const Array<Quad> cell = column(row);
      for (uInt axis = 0; axis < cell.ndim(); axis++) std::printf("%s%d", axis ? "," : "", int(cell.shape()[axis]));
      for (const Quad& quad : cell) {
        float numbers[4];
        quad.getElem(numbers, IPosition(1, 4), nullptr);
        for (int i = 3; i >= 0; i--) std::printf(" %g", numbers[i]);
      }
      std::printf("\n");
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
