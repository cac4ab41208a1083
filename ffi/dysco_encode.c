/*
 * Visibilities and weights to packed symbols, and the factors that undo their scaling. The twins of these loops, which say
 * what they do, are src/array/{quantiser,visibility-block,antenna-fit,weight-block}.ts: the same operations in the same order,
 * so that the results are the same to the last bit.
 */
#include "tessera.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { SCALING_AF, SCALING_RF, SCALING_ROW };

/* Doubles of a block. */
enum { SCALING, ROWS, BLOCK_ROWS, CHANNELS, CORRELATIONS, ANTENNAS, BITS, SEED, BLOCK_DOUBLES };

#define MAX_ANTENNAS 2048

typedef struct {
  double re, im;
} value_t;

typedef struct {
  int64_t rows, channels, correlations, antennas;
  const int32_t *first, *second;
  double highest;
} fit_t;

/* Stream of bits. */
typedef struct {
  uint8_t *target;
  uint64_t word;
  unsigned filled, bits;
} writer_t;

static inline void push(writer_t *w, uint32_t symbol) {
  w->word |= (uint64_t)symbol << w->filled;
  w->filled += w->bits;
  while (w->filled >= 32) {
    uint32_t four = (uint32_t)w->word;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    four = __builtin_bswap32(four);
#endif
    memcpy(w->target, &four, 4);
    w->target += 4;
    w->word >>= 32;
    w->filled -= 32;
  }
}

static void end_stream(writer_t *w) {
  for (; w->filled > 0; w->filled -= w->filled < 8 ? w->filled : 8, w->word >>= 8) *w->target++ = (uint8_t)w->word;
}

static void put_float(uint8_t *target, int64_t index, double value) {
  float rounded = (float)value;
  uint32_t bits;
  memcpy(&bits, &rounded, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  bits = __builtin_bswap32(bits);
#endif
  memcpy(target + 4 * index, &bits, 4);
}

static inline float float_at(const uint8_t *values, int64_t index) {
  float value;
  memcpy(&value, values + 4 * index, 4);
  return value;
}

static inline double larger_part(double re, double im) {
  double a = fabs(re), b = fabs(im);
  return a < b ? b : a;
}

/* A table of levels and where one is in the sequence of random numbers. */
typedef struct {
  const double *levels;
  const uint32_t *guide;
  uint32_t count, stretches, state;
  /* Levels in a stretch, at most. */
  uint32_t most;
  double scale;
} dither_t;

/* Up to so many levels in a stretch are gone through one by one: without a branch that nobody can predict. */
#define FEW_LEVELS 4

static inline uint32_t dithered(dither_t *d, double value) {
  uint32_t n = d->state;
  d->state += 0x9e3779b9u;
  n = (n ^ n >> 16) * 0x85ebca6bu;
  n = (n ^ n >> 13) * 0xc2b2ae35u;
  n ^= n >> 16;
  const double *levels = d->levels;
  const float x = (float)value;
  if (!isfinite(x)) return d->count;
  if (!((double)x > levels[0])) return 0;
  if ((double)x > levels[d->count - 1]) return d->count - 1;
  const double place = ((double)x - levels[0]) * d->scale;
  const uint32_t stretch = place < (double)d->stretches ? (uint32_t)place : d->stretches - 1;
  uint32_t low = d->guide[stretch];
  if (d->most <= FEW_LEVELS) {
    /* The level behind the last is NaN, and not less than anything. */
    for (uint32_t i = d->most; i > 0; i--) low += levels[low] < (double)x;
  } else {
    uint32_t high = d->guide[stretch + 1];
    while (low < high) {
      const uint32_t middle = (low + high) >> 1;
      if (levels[middle] < (double)x) low = middle + 1;
      else high = middle;
    }
  }
  /* Only where the guide isn't that of the levels. */
  if (low == 0) return 0;
  const float lower = (float)levels[low - 1], upper = (float)levels[low];
  const float above = x - lower, distance = upper - lower;
  const float share = 2147483648.0f * above / distance;
  return low - 1 + (share > (float)(n >> 1));
}

static void divide_by_channels(const fit_t *f, value_t *values, uint8_t *target, int64_t p, double *sums) {
  const int64_t rows = f->rows, channels = f->channels;
  double *counts = sums + channels;
  for (int64_t c = 0; c < 2 * channels; c++) sums[c] = 0;
  for (int64_t r = 0; r < rows; r++) {
    const value_t *row = values + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      const double square = row[c].re * row[c].re + row[c].im * row[c].im;
      if (square < INFINITY) {
        sums[c] += square;
        counts[c] += 1;
      }
    }
  }
  for (int64_t c = 0; c < channels; c++) {
    sums[c] = sqrt(sums[c] / (2 * counts[c]));
    put_float(target, c * f->correlations + p, sums[c]);
    /* Dividing by 1 changes nothing. */
    if (sums[c] == 0) sums[c] = 1;
  }
  for (int64_t r = 0; r < rows; r++) {
    value_t *row = values + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      row[c].re /= sums[c];
      row[c].im /= sums[c];
    }
  }
}

/* Root mean squares of the pairs of different antennas, NaN for those without data. */
static void pair_sizes(const fit_t *f, const value_t *values, double *sums, double *counts) {
  const int64_t channels = f->channels, antennas = f->antennas, squares = antennas * antennas;
  for (int64_t i = 0; i < squares; i++) sums[i] = counts[i] = 0;
  for (int64_t r = 0; r < f->rows; r++, values += channels) {
    const int64_t a = f->first[r], b = f->second[r];
    if (a == b) continue;
    const int64_t pair = a < b ? a * antennas + b : b * antennas + a;
    double sum = sums[pair], count = counts[pair];
    for (int64_t c = 0; c < channels; c++) {
      const double square = values[c].re * values[c].re + values[c].im * values[c].im;
      if (square < INFINITY) {
        sum += square;
        count += 1;
      }
    }
    sums[pair] = sum;
    counts[pair] = count;
  }
  for (int64_t a = 0; a < antennas; a++) {
    for (int64_t b = a; b < antennas; b++) {
      const int64_t pair = a * antennas + b;
      sums[pair] = sums[b * antennas + a] = sqrt(sums[pair] / (2 * counts[pair]));
    }
  }
}

static void find_gains(int64_t antennas, const double *pairs, double *gains, double *found) {
  double precision = 1;
  for (int64_t i = 0; i < antennas; i++) gains[i] = 1;
  for (int round = 0; round < 100 && precision > 1e-6; round++) {
    for (int64_t i = 0; i < antennas; i++) {
      const double *row = pairs + i * antennas;
      double above = 0, below = 0;
      for (int64_t j = 0; j < antennas; j++) {
        if (j != i && gains[j] != 0 && isfinite(row[j])) {
          above += row[j];
          below += gains[j];
        }
      }
      found[i] = below == 0 ? 0 : above / below;
    }
    double largest = 0;
    for (int64_t i = 0; i < antennas; i++) {
      gains[i] = found[i] * 0.8 + gains[i] * 0.2;
      if (gains[i] > largest) largest = gains[i];
    }
    precision = 0;
    for (int64_t i = 0; i < antennas; i++) {
      if (gains[i] < largest * 1e-5) gains[i] = 0;
      const double off = fabs(gains[i] - found[i]) / largest;
      if (off > precision) precision = off;
    }
  }
}

static void find_maxima(const fit_t *f, const value_t *values, double *of_channels, double *of_antennas) {
  const int64_t channels = f->channels;
  for (int64_t i = 0; i < 2 * channels; i++) of_channels[i] = 0;
  for (int64_t i = 0; i < 2 * f->antennas; i++) of_antennas[i] = 0;
  for (int64_t r = 0; r < f->rows; r++, values += channels) {
    const int32_t a = f->first[r], b = f->second[r];
    if (a == b) continue;
    double largest = 0;
    for (int64_t c = 0; c < channels; c++) {
      double part = larger_part(values[c].re, values[c].im);
      part = part < INFINITY ? part : 0;
      of_channels[c] = part > of_channels[c] ? part : of_channels[c];
      largest = part > largest ? part : largest;
    }
    if (largest > of_antennas[a]) of_antennas[a] = largest;
    if (largest > of_antennas[b]) of_antennas[b] = largest;
  }
}

static inline double gain(value_t v, double factor) {
  const double sum = fabs(v.re * factor) + fabs(v.im * factor);
  /* Adding 0 to a sum that is not negative changes nothing. */
  return sum < INFINITY ? sum : 0;
}

static void find_gains_of_scaling(const fit_t *f, const value_t *values, double *of_channels, double *of_antennas) {
  const int64_t channels = f->channels, antennas = f->antennas;
  double *sums = of_channels + channels;
  for (int64_t r = 0; r < f->rows; r++, values += channels) {
    const int32_t a = f->first[r], b = f->second[r];
    if (a == b) continue;
    const double at_first = of_antennas[a], at_second = of_antennas[b];
    double first = of_antennas[antennas + a], second = of_antennas[antennas + b];
    for (int64_t c = 0; c < channels; c++) {
      sums[c] += gain(values[c], of_channels[c]);
      first += gain(values[c], at_first);
      second += gain(values[c], at_second);
    }
    of_antennas[antennas + a] = first;
    of_antennas[antennas + b] = second;
  }
}

static int64_t index_of_largest(const double *numbers, int64_t count) {
  int64_t best = -1;
  double most = 0;
  for (int64_t i = 0; i < count; i++) {
    if (numbers[i] > most) {
      most = numbers[i];
      best = i;
    }
  }
  return best;
}

static double antenna_factor(const fit_t *f, const value_t *values, int64_t antenna) {
  double largest = 0;
  for (int64_t r = 0; r < f->rows; r++, values += f->channels) {
    const int32_t a = f->first[r], b = f->second[r];
    if (a == b || (a != antenna && b != antenna)) continue;
    for (int64_t c = 0; c < f->channels; c++) {
      const double part = larger_part(values[c].re, values[c].im);
      if (part > largest && part < INFINITY) largest = part;
    }
  }
  return largest == 0 ? 1 : f->highest / largest;
}

static double divide_float(uint8_t *target, int64_t index, double factor) {
  uint32_t bits;
  float value;
  memcpy(&bits, target + 4 * index, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  bits = __builtin_bswap32(bits);
#endif
  memcpy(&value, &bits, 4);
  put_float(target, index, (double)value / factor);
  return factor;
}

static void scale_channel(const fit_t *f, value_t *values, int64_t channel, double factor) {
  values += channel;
  for (int64_t r = 0; r < f->rows; r++, values += f->channels) {
    values->re *= factor;
    values->im *= factor;
  }
}

static void scale_antenna(const fit_t *f, value_t *values, int64_t antenna, double factor) {
  for (int64_t r = 0; r < f->rows; r++, values += f->channels) {
    /* Twice where an antenna is correlated with itself. */
    for (int times = (f->first[r] == antenna) + (f->second[r] == antenna); times > 0; times--) {
      for (int64_t c = 0; c < f->channels; c++) {
        values[c].re *= factor;
        values[c].im *= factor;
      }
    }
  }
}

static void fill_range(const fit_t *f, value_t *values, uint8_t *target, int64_t p, double *spare) {
  const int64_t channels = f->channels, antennas = f->antennas;
  const int64_t antennas_at = channels * f->correlations + p * antennas;
  double *of_channels = spare, *of_antennas = spare + 2 * channels;
  find_maxima(f, values, of_channels, of_antennas);
  for (int64_t c = 0; c < channels; c++) {
    const double factor = of_channels[c] == 0 ? 1 : f->highest / of_channels[c];
    scale_channel(f, values, c, divide_float(target, c * f->correlations + p, factor));
  }
  for (int64_t steps = 8 * (channels + antennas); steps > 0; steps--) {
    find_maxima(f, values, of_channels, of_antennas);
    for (int64_t c = 0; c < channels; c++) of_channels[c] = of_channels[c] == 0 ? 0 : f->highest / of_channels[c] - 1;
    for (int64_t a = 0; a < antennas; a++) of_antennas[a] = of_antennas[a] == 0 ? 0 : f->highest / of_antennas[a] - 1;
    find_gains_of_scaling(f, values, of_channels, of_antennas);
    const int64_t channel = index_of_largest(of_channels + channels, channels);
    const int64_t antenna = index_of_largest(of_antennas + antennas, antennas);
    const double channel_gain = channel < 0 ? 0 : of_channels[channels + channel];
    const double antenna_gain = antenna < 0 ? 0 : of_antennas[antennas + antenna];
    if (antenna_gain > channel_gain) {
      const double factor = antenna_factor(f, values, antenna);
      if (factor < 1) break;
      scale_antenna(f, values, antenna, divide_float(target, antennas_at + antenna, factor));
      if (!(factor > 1.01)) break;
    } else {
      const double factor = channel < 0 ? 1 : of_channels[channel] + 1;
      if (factor < 1) break;
      if (channel >= 0) scale_channel(f, values, channel, divide_float(target, channel * f->correlations + p, factor));
      if (!(factor > 1.001)) break;
    }
  }
}

/* A block without pairs of different antennas: channels alone are scaled. */
static void fill_without(const fit_t *f, value_t *values, uint8_t *target, int64_t p) {
  const int64_t channels = f->channels, antennas_at = channels * f->correlations + p * f->antennas;
  for (int64_t a = 0; a < f->antennas; a++) put_float(target, antennas_at + a, 1);
  for (int64_t c = 0; c < channels; c++) {
    double largest = 0;
    for (int64_t r = 0; r < f->rows; r++) {
      const value_t v = values[r * channels + c];
      const double part = larger_part(v.re, v.im);
      if (part > largest && part < INFINITY) largest = part;
    }
    const double factor = largest == 0 ? 1 : f->highest / largest;
    scale_channel(f, values, c, divide_float(target, c * f->correlations + p, factor));
  }
}

static void fit_antennas(const fit_t *f, const uint8_t *floats, double *scratch, uint8_t *target) {
  const int64_t rows = f->rows, channels = f->channels, correlations = f->correlations, antennas = f->antennas;
  const int64_t size = rows * channels, squares = antennas * antennas;
  double *spare = scratch + 2 * size * correlations;
  int has_pairs = 0;
  for (int64_t r = 0; r < rows; r++) has_pairs |= f->first[r] != f->second[r];
  for (int64_t p = 0; p < correlations; p++) {
    value_t *values = (value_t *)scratch + p * size;
    for (int64_t i = 0, from = 2 * p; i < size; i++, from += 2 * correlations) {
      values[i].re = float_at(floats, from);
      values[i].im = float_at(floats, from + 1);
    }
    divide_by_channels(f, values, target, p, spare);
    if (!has_pairs) {
      fill_without(f, values, target, p);
      continue;
    }

    double *gains = spare + 2 * squares, *found = gains + antennas;
    pair_sizes(f, values, spare, spare + squares);
    find_gains(antennas, spare, gains, found);
    for (int64_t a = 0; a < antennas; a++) put_float(target, channels * correlations + p * antennas + a, gains[a]);
    for (int64_t r = 0; r < rows; r++) {
      const double product = gains[f->first[r]] * gains[f->second[r]], factor = product == 0 ? 0 : 1 / product;
      value_t *row = values + r * channels;
      for (int64_t c = 0; c < channels; c++) {
        row[c].re *= factor;
        row[c].im *= factor;
      }
    }
    fill_range(f, values, target, p, spare);
  }
}

static void fit_rows_and_channels(const fit_t *f, const uint8_t *floats, double *factors, uint8_t *target) {
  const int64_t correlations = f->correlations, per_channel = f->channels * correlations;
  double *of_channels = factors + f->rows * correlations;
  for (int64_t i = 0; i < per_channel; i++) of_channels[i] = 0;
  for (int64_t r = 0; r < f->rows; r++) {
    for (int64_t p = 0; p < correlations; p++) {
      const int64_t start = 2 * (r * per_channel + p);
      double largest = 0;
      for (int64_t c = 0, at = start; c < f->channels; c++, at += 2 * correlations) {
        const double part = larger_part(float_at(floats, at), float_at(floats, at + 1));
        if (part > largest && part < INFINITY) largest = part;
      }
      const double factor = factors[r * correlations + p] = largest == 0 ? 1 : f->highest / largest;
      put_float(target, per_channel + r * correlations + p, largest / f->highest);
      for (int64_t c = 0, at = start; c < f->channels; c++, at += 2 * correlations) {
        const double part = larger_part(float_at(floats, at) * factor, float_at(floats, at + 1) * factor);
        const int64_t i = c * correlations + p;
        if (part > of_channels[i] && part < INFINITY) of_channels[i] = part;
      }
    }
  }
  for (int64_t i = 0; i < per_channel; i++) {
    of_channels[i] = of_channels[i] == 0 ? 1 : f->highest / of_channels[i];
    put_float(target, i, 1 / of_channels[i]);
  }
}

int32_t tessera_encode_visibilities(const double *block, const uint8_t *values, double value_bytes, const double *levels,
                                    double level_count, const uint32_t *guide, double guide_count, double scale,
                                    const int32_t *first, const int32_t *second, double baseline_count, double *scratch,
                                    double scratch_count, uint8_t *target, double target_bytes) {
  int64_t whole[BLOCK_DOUBLES];
  for (int i = 0; i < BLOCK_DOUBLES; i++) {
    if ((whole[i] = tessera_whole(block[i])) < 0) return -EINVAL;
  }
  const int64_t scaling = whole[SCALING], rows = whole[ROWS], block_rows = whole[BLOCK_ROWS];
  const int64_t channels = whole[CHANNELS], correlations = whole[CORRELATIONS], antennas = whole[ANTENNAS];
  if (scaling > SCALING_ROW || rows > block_rows || antennas > MAX_ANTENNAS || whole[BITS] < 2 || whole[BITS] > 16 ||
      whole[SEED] > 0xffffffff || level_count != (double)(1 << whole[BITS]) || !(guide_count >= 2) || !(guide_count <= 1e9) ||
      !(scale > 0)) {
    return -EINVAL;
  }
  /* Products in doubles: rounded, if they are that large, and then far too large. */
  const double per_row = block[CHANNELS] * block[CORRELATIONS];
  const double needed = scaling == SCALING_ROW  ? block[ROWS]
                        : scaling == SCALING_RF ? block[CORRELATIONS] * (block[ROWS] + block[CHANNELS])
                                                : 2 * block[ROWS] * per_row + 2 * block[ANTENNAS] * block[ANTENNAS] +
                                                      3 * (block[ANTENNAS] + block[CHANNELS]);
  const double float_count =
      scaling == SCALING_ROW
          ? block[BLOCK_ROWS]
          : block[CORRELATIONS] * (block[CHANNELS] + block[scaling == SCALING_AF ? ANTENNAS : BLOCK_ROWS]);
  if (!(block[ROWS] * per_row * 8 <= value_bytes) || !(needed <= scratch_count) ||
      !(4 * float_count + ceil(block[BLOCK_ROWS] * per_row * 2 * block[BITS] / 8) <= target_bytes)) {
    return -EINVAL;
  }
  const uint32_t count = (uint32_t)(1 << whole[BITS]) - 1;
  const uint32_t stretches = (uint32_t)guide_count - 1;
  uint32_t most = 0;
  for (uint32_t k = 0; k < stretches; k++) {
    if (guide[k] > guide[k + 1]) return -EINVAL;
    if (guide[k + 1] - guide[k] > most) most = guide[k + 1] - guide[k];
  }
  if (guide[stretches] != count || levels[count] == levels[count]) return -EINVAL;
  if (scaling == SCALING_AF) {
    if (!(block[ROWS] <= baseline_count)) return -EINVAL;
    for (int64_t r = 0; r < rows; r++) {
      if (first[r] < 0 || first[r] >= antennas || second[r] < 0 || second[r] >= antennas) return -EINVAL;
    }
  }

  const fit_t fit = {rows, channels, correlations, antennas, first, second, levels[count - 1]};
  const int64_t symbols_at = 4 * (int64_t)float_count, places = channels * correlations;
  dither_t dither = {levels, guide, count, stretches, (uint32_t)whole[SEED], most, scale};
  writer_t writer = {target + symbols_at, 0, 0, (unsigned)whole[BITS]};
  memset(target, 0, (size_t)symbols_at);
  if (scaling == SCALING_AF) {
    fit_antennas(&fit, values, scratch, target);
    const value_t *scaled = (const value_t *)scratch;
    const int64_t size = rows * channels;
    for (int64_t i = 0; i < size; i++) {
      for (int64_t p = 0; p < correlations; p++) {
        push(&writer, dithered(&dither, scaled[p * size + i].re));
        push(&writer, dithered(&dither, scaled[p * size + i].im));
      }
    }
  } else if (scaling == SCALING_RF) {
    fit_rows_and_channels(&fit, values, scratch, target);
    const double *of_channels = scratch + rows * correlations;
    for (int64_t r = 0; r < rows; r++) {
      const double *of_row = scratch + r * correlations;
      for (int64_t i = 0, p = 0; i < places; i++, p = p + 1 == correlations ? 0 : p + 1, values += 8) {
        push(&writer, dithered(&dither, float_at(values, 0) * of_row[p] * of_channels[i]));
        push(&writer, dithered(&dither, float_at(values, 1) * of_row[p] * of_channels[i]));
      }
    }
  } else {
    for (int64_t r = 0; r < rows; r++) {
      double largest = 0;
      for (int64_t i = 0; i < 2 * places; i += 2) {
        const double part = larger_part(float_at(values, i), float_at(values, i + 1));
        if (part > largest && part < INFINITY) largest = part;
      }
      const double factor = largest == 0 ? 1 : fit.highest / largest;
      put_float(target, r, largest / fit.highest);
      for (int64_t i = 0; i < 2 * places; i++, values += 4) push(&writer, dithered(&dither, float_at(values, 0) * factor));
    }
  }
  for (int64_t i = (block_rows - rows) * places * 2; i > 0; i--) push(&writer, (count - 1) / 2);
  end_stream(&writer);
  return 0;
}

/* The smallest of some weights; one that is NaN counts only when it is the first. */
static inline float smallest(const uint8_t *values, int64_t at, int64_t count) {
  float weight = float_at(values, at);
  for (int64_t p = 1; p < count; p++) {
    const float other = float_at(values, at + p);
    if (other < weight) weight = other;
  }
  return weight;
}

int32_t tessera_encode_weights(double rows, double block_rows, double channels, double correlations, int32_t bits,
                               const uint8_t *values, double value_bytes, uint8_t *target, double target_bytes) {
  const int64_t whole_rows = tessera_whole(rows), all_rows = tessera_whole(block_rows);
  const int64_t of_row = tessera_whole(channels), per = tessera_whole(correlations);
  if (whole_rows < 0 || all_rows < whole_rows || of_row < 0 || per < 1 || bits < 2 || bits > 16 ||
      !(4 * rows * channels * correlations <= value_bytes) ||
      !(4 + ceil(block_rows * channels * bits / 8) <= target_bytes)) {
    return -EINVAL;
  }
  const int64_t count = whole_rows * of_row;
  float largest = 0;
  for (int64_t i = 0; i < count; i++) {
    const float weight = smallest(values, i * per, per);
    if (weight > largest && weight < INFINITY) largest = weight;
  }
  if (largest == 0) largest = 1;
  put_float(target, 0, largest);
  const uint32_t symbols = ((uint32_t)1 << bits) - 1;
  const double scale = (double)symbols / (double)largest;
  writer_t writer = {target + 4, 0, 0, (unsigned)bits};
  for (int64_t i = 0; i < count; i++) {
    const float weight = smallest(values, i * per, per);
    uint32_t symbol = 0;
    if (weight > 0) {
      const float share = (float)((double)(weight < largest ? weight : largest) * scale);
      symbol = (uint32_t)((double)share + 0.5);
    }
    push(&writer, symbol < symbols ? symbol : symbols);
  }
  for (int64_t i = all_rows * of_row - count; i > 0; i--) push(&writer, 0);
  end_stream(&writer);
  return 0;
}
