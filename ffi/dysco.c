/*
 * Packed symbols to floats, as DyscoStMan keeps visibilities and weights: a stream of bits, the least significant first,
 * of which a symbol takes 1 to 16. See src/array/symbols.ts, the twin of this loop.
 */
#include "tessera.h"

#include <errno.h>
#include <string.h>

/* Doubles of a box. */
enum { BITS, ITEMS, COPIES, FIRST, ROWS, CHANNELS, CORRELATIONS, ROW_STEP, CHANNEL_STEP, CORRELATION_STEP, BOX_DOUBLES };

/* 57 bits or more from a bit of the stream on; zeros behind its end. */
static inline uint64_t bits_from(const uint8_t *stream, uint64_t bytes, uint64_t bit) {
  uint64_t at = bit >> 3, word = 0;
  if (at + 8 <= bytes) memcpy(&word, stream + at, 8);
  else memcpy(&word, stream + at, (size_t)(bytes - at));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word >> (bit & 7);
}

/* `items` and `copies` may be constants where this is called, so that the loops that count are compiled for them. */
__attribute__((always_inline)) static inline void decode(const int64_t *box, const uint8_t *stream, uint64_t bytes,
                                                         const double *levels, const double *channel,
                                                         const double *row, uint8_t *target, int items,
                                                         int64_t copies) {
  const uint64_t bits = (uint64_t)box[BITS], mask = ((uint64_t)1 << bits) - 1;
  const int64_t correlations = box[CORRELATIONS];
  const uint64_t step = (uint64_t)box[CORRELATION_STEP] * bits;
  for (int64_t r = 0; r < box[ROWS]; r++, row += correlations) {
    const double *factor = channel;
    for (int64_t c = 0; c < box[CHANNELS]; c++) {
      uint64_t bit = (uint64_t)(box[FIRST] + r * box[ROW_STEP] + c * box[CHANNEL_STEP]) * bits;
      for (int64_t p = 0; p < correlations; p++, bit += step) {
        uint64_t word = bits_from(stream, bytes, bit);
        double scale = *factor++ * row[p];
        float value[2];
        for (int i = 0; i < items; i++, word >>= bits) {
          uint64_t symbol = word & mask;
          value[i] = (float)((levels == NULL ? (double)symbol : levels[symbol]) * scale);
        }
        for (int64_t k = 0; k < copies; k++, target += items * 4) memcpy(target, value, (size_t)items * 4);
      }
    }
  }
}

/* Two doubles, and the floats next to them: a real and an imaginary part. */
typedef double pair __attribute__((vector_size(16)));
typedef float float_pair __attribute__((vector_size(8)));

/*
 * Visibilities with all correlations of each channel, one channel behind the other: what is nearly always asked for.
 * `bits` and `correlations` are constants where this is called. Only for rows behind whose last symbol there are 8 bytes.
 */
__attribute__((always_inline)) static inline void decode_cells(const int64_t *box, const uint8_t *stream,
                                                               const double *levels, const double *channel,
                                                               const double *row, uint8_t *target, uint64_t bits,
                                                               int64_t correlations, int64_t rows) {
  const uint64_t mask = ((uint64_t)1 << bits) - 1;
  for (int64_t r = 0; r < rows; r++, row += correlations) {
    const double *factor = channel;
    uint64_t bit = (uint64_t)(box[FIRST] + r * box[ROW_STEP]) * bits;
    for (int64_t c = 0; c < box[CHANNELS]; c++) {
      for (int64_t p = 0; p < correlations; p++, bit += 2 * bits, target += 8) {
        uint64_t word;
        memcpy(&word, stream + (bit >> 3), 8);
        word >>= bit & 7;
        const double scale = *factor++ * row[p];
        const pair value = (pair){levels[word & mask], levels[word >> bits & mask]} * (pair){scale, scale};
        const float_pair rounded = __builtin_convertvector(value, float_pair);
        memcpy(target, &rounded, 8);
      }
    }
  }
}

/* Decodes what `decode_cells` may; returns how many rows that were. */
static int64_t decode_fast(const int64_t *box, const uint8_t *stream, uint64_t bytes, const double *levels,
                           const double *channel, const double *row, uint8_t *target) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return 0;
#else
  const int64_t correlations = box[CORRELATIONS], places = box[CHANNELS] * correlations;
  if (box[CORRELATION_STEP] != 2 || box[CHANNEL_STEP] != 2 * correlations || box[ROW_STEP] < 2 * places) return 0;
  int64_t rows = box[ROWS];
  while (rows > 0 &&
         ((uint64_t)(box[FIRST] + (rows - 1) * box[ROW_STEP] + 2 * places) * (uint64_t)box[BITS] >> 3) + 8 > bytes) rows--;
#define CELLS(bits)                                                                                                  \
  case bits:                                                                                                         \
    if (correlations == 4) decode_cells(box, stream, levels, channel, row, target, bits, 4, rows);                   \
    else decode_cells(box, stream, levels, channel, row, target, bits, correlations, rows);                          \
    return rows;
  switch (box[BITS]) {
    CELLS(2) CELLS(3) CELLS(4) CELLS(6) CELLS(8) CELLS(10) CELLS(12) CELLS(16)
    default: return 0;
  }
#undef CELLS
#endif
}

int32_t tessera_decode_symbols(const double *box, const uint8_t *stream, double stream_bytes, const double *levels,
                               double level_count, const double *channel, double channel_count, const double *row,
                               double row_count, uint8_t *target, double target_bytes) {
  int64_t whole[BOX_DOUBLES];
  for (int i = 0; i < BOX_DOUBLES; i++) {
    if ((whole[i] = tessera_whole(box[i])) < 0) return -EINVAL;
  }
  const int64_t bits = whole[BITS], items = whole[ITEMS], copies = whole[COPIES];
  if (bits < 1 || bits > 16 || items < 1 || items > 2 || copies < 1) return -EINVAL;
  /* Products in doubles: rounded, if they are that large, and then far too large. */
  const double places = box[ROWS] * box[CHANNELS] * box[CORRELATIONS];
  if (!(places * (double)items * box[COPIES] * 4 <= target_bytes) || !(box[CHANNELS] * box[CORRELATIONS] <= channel_count) ||
      !(box[ROWS] * box[CORRELATIONS] <= row_count) || (levels != NULL && level_count < (double)(1 << bits))) {
    return -EINVAL;
  }
  if (places == 0) return 0;
  const double end = box[FIRST] + (box[ROWS] - 1) * box[ROW_STEP] + (box[CHANNELS] - 1) * box[CHANNEL_STEP] +
                     (box[CORRELATIONS] - 1) * box[CORRELATION_STEP] + (double)items;
  if (!(end * (double)bits <= stream_bytes * 8)) return -EINVAL;

  const uint64_t bytes = (uint64_t)stream_bytes;
  if (levels != NULL && items == 2 && copies == 1) {
    const int64_t done = decode_fast(whole, stream, bytes, levels, channel, row, target);
    whole[FIRST] += done * whole[ROW_STEP];
    whole[ROWS] -= done;
    target += done * whole[CHANNELS] * whole[CORRELATIONS] * 8;
    decode(whole, stream, bytes, levels, channel, row + done * whole[CORRELATIONS], target, 2, 1);
  }
  else if (levels == NULL && items == 1) decode(whole, stream, bytes, NULL, channel, row, target, 1, copies);
  else decode(whole, stream, bytes, levels, channel, row, target, (int)items, copies);
  return 0;
}
