/*
 * Boxes from the bytes of a file to an array and back: the one loop behind every column read and written.
 *
 * A move is a row of doubles (src/array/moves.ts). Its numbers come from files that may be damaged, so they are
 * checked in doubles, where they can't overflow: a sum past 2^53 may be rounded, but not below a length that is
 * under 2^53. `twins.ts` does the same arithmetic in the same order and refuses the same moves.
 */
#include "tessera.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAFE 9007199254740991.0

/* An axis of a box: elements, and the distance between neighbours in bytes (in bits, on the file's side of bits). */
typedef struct {
  int64_t count, file, array;
} axis;

/* A checked box without needless axes; first axis fastest. Its element may be several of the list's. */
typedef struct {
  int64_t file, array;
  int axes, element;
  axis axis[TESSERA_MAX_AXES];
} box;

/* What all moves of a list have in common. */
typedef struct {
  const double *moves;
  int32_t kind, ndim, element, unit;
  int scatter;
} list;

/* The two sides of a batch of moves. */
typedef struct {
  uint8_t *file, *array;
  double file_bytes, file_offset, array_bytes;
} sides;

static int list_is_good(const list *l) {
  if (l->ndim < 1 || l->ndim > TESSERA_MAX_AXES || l->element < 1 || l->element > 1 << 20) return 0;
  if (l->kind == TESSERA_KIND_BITS) return l->element == 1 && l->unit == 1;
  if (l->kind != TESSERA_KIND_BYTES) return 0;
  return l->unit == 1 || ((l->unit == 2 || l->unit == 4 || l->unit == 8) && l->element % l->unit == 0);
}

static int is_whole(double value) { return value >= -SAFE && value <= SAFE && value == trunc(value); }

/* Number of elements of a move, or -1 when it is malformed, leaves a buffer, or overfills its target. */
static double move_elements(const list *l, const double *move, const sides *s) {
  int bits = l->kind == TESSERA_KIND_BITS;
  if (!is_whole(move[0]) || !is_whole(move[1])) return -1;
  double elements = 1, file_low = 0, file_high = 0, array_low = 0, array_high = 0;
  int empty = 0;
  for (int a = 0; a < l->ndim; a++) {
    double count = move[2 + 3 * a], file = move[3 + 3 * a], array = move[4 + 3 * a];
    if (!is_whole(count) || !is_whole(file) || !is_whole(array) || count < 0) return -1;
    if (count == 0) empty = 1;
    elements *= count;
    if (file < 0) file_low += (count - 1) * file;
    else file_high += (count - 1) * file;
    if (array < 0) array_low += (count - 1) * array;
    else array_high += (count - 1) * array;
  }
  if (empty) return 0;
  double file_unit = bits ? 1 : l->element;
  double file_size = bits ? s->file_bytes * 8 : s->file_bytes;
  double file_start = bits ? move[0] - s->file_offset * 8 : move[0] - s->file_offset;
  if (file_start + file_low * file_unit < 0) return -1;
  if (file_start + file_high * file_unit + file_unit > file_size) return -1;
  double array_start = move[1] * l->element;
  if (array_start + array_low * l->element < 0) return -1;
  if (array_start + array_high * l->element + l->element > s->array_bytes) return -1;
  /* Distances of zero would let a small target be written for ever. */
  double room = l->scatter ? file_size / file_unit : s->array_bytes / l->element;
  return elements <= room ? elements : -1;
}

/* Runs of up to so many bytes are moved as one element. */
#define WIDE_BYTES 64

/* Takes short runs, such as the correlations of a channel, for elements: the loop over them costs more than the bytes. */
static void widen(box *b) {
  if (b->axes < 2 || b->axis[0].file != b->element || b->axis[0].array != b->element) return;
  int64_t run = b->axis[0].count * b->element;
  if (run > WIDE_BYTES || (run & (run - 1)) != 0) return;
  b->element = (int)run;
  b->axes--;
  memmove(b->axis, b->axis + 1, (size_t)b->axes * sizeof *b->axis);
}

/* A checked move with at least one element, as integers, axes of one element dropped and contiguous ones joined. */
static void make_box(const list *l, const double *move, const sides *s, box *b) {
  int bits = l->kind == TESSERA_KIND_BITS;
  int64_t file_unit = bits ? 1 : l->element, array_unit = l->element;
  b->file = (int64_t)(bits ? move[0] - s->file_offset * 8 : move[0] - s->file_offset);
  b->array = (int64_t)move[1] * array_unit;
  b->axes = 0;
  for (int a = 0; a < l->ndim; a++) {
    int64_t count = (int64_t)move[2 + 3 * a];
    if (count == 1) continue;
    int64_t file = (int64_t)move[3 + 3 * a] * file_unit, array = (int64_t)move[4 + 3 * a] * array_unit;
    axis *last = b->axes ? &b->axis[b->axes - 1] : NULL;
    if (last && file == last->file * last->count && array == last->array * last->count) last->count *= count;
    else b->axis[b->axes++] = (axis){count, file, array};
  }
  b->element = l->element;
  /* Pairs of bytes are swapped best one by one. */
  if (!bits && l->unit != 2) widen(b);
  while (b->axes < 2) b->axis[b->axes++] = (axis){1, 0, 0};
}

/* Two axes of a box as one copies them: start and distance between neighbours, in bytes. */
typedef struct {
  uint8_t *to;
  const uint8_t *from;
  int64_t count[2], to_step[2], from_step[2];
} plane;

#define EACH_ELEMENT(type, change, before)                                      \
  for (int64_t j = 0; j < p->count[1]; j++) {                                   \
    uint8_t *to = p->to + j * p->to_step[1];                                    \
    const uint8_t *from = p->from + j * p->from_step[1];                        \
    for (int64_t i = 0; i < p->count[0]; i++) {                                 \
      before;                                                                   \
      type value;                                                               \
      memcpy(&value, from, sizeof value);                                       \
      change;                                                                   \
      memcpy(to, &value, sizeof value);                                         \
      to += p->to_step[0];                                                      \
      from += p->from_step[0];                                                  \
    }                                                                           \
  }
#define ELEMENTS(type, change)                                                                 \
  if (ahead == 0) EACH_ELEMENT(type, change, ) else EACH_ELEMENT(type, change, __builtin_prefetch(from + ahead)) \
  return

typedef struct {
  uint64_t word[2];
} words2;
typedef struct {
  uint64_t word[4];
} words4;
typedef struct {
  uint64_t word[8];
} words8;

#define EACH_WORD(change) \
  for (size_t k = 0; k < sizeof value.word / sizeof *value.word; k++) value.word[k] = change(value.word[k])

static inline uint64_t swap_halves(uint64_t value) {
  value = __builtin_bswap64(value);
  return value << 32 | value >> 32;
}

/* Runs shorter than this cost less as elements than as a call of memcpy. */
#define RUN_BYTES 64
/* Of runs shorter than this too much are lines of the cache that are shared with other runs: they aren't streamed. */
#define STREAM_RUN_BYTES 512
/* Elements that lie so far apart are each in a line, and soon in a page, of their own: so many ahead are fetched. */
#define FAR_BYTES 256
#define FAR_AHEAD 32

static void move_plane(const plane *p, int element, int unit, int stream) {
  int64_t ahead = llabs(p->from_step[0]) < FAR_BYTES ? 0 : FAR_AHEAD * p->from_step[0];
  if (p->count[0] == 1 || (p->to_step[0] == element && p->from_step[0] == element)) {
    size_t run = (size_t)p->count[0] * (size_t)element;
    if (run >= RUN_BYTES) {
      for (int64_t j = 0; j < p->count[1]; j++) {
        uint8_t *to = p->to + j * p->to_step[1];
        const uint8_t *from = p->from + j * p->from_step[1];
        if (stream && run >= STREAM_RUN_BYTES) tessera_stream_part(to, from, run, unit);
        else if (unit == 1) memcpy(to, from, run);
        else tessera_swap_copy(to, from, run, unit);
      }
      if (stream && run >= STREAM_RUN_BYTES) tessera_stream_end();
      return;
    }
  }
  switch (element * 16 + unit) {
    case 1 * 16 + 1: ELEMENTS(uint8_t, );
    case 2 * 16 + 1: ELEMENTS(uint16_t, );
    case 2 * 16 + 2: ELEMENTS(uint16_t, value = __builtin_bswap16(value));
    case 4 * 16 + 1: ELEMENTS(uint32_t, );
    case 4 * 16 + 4: ELEMENTS(uint32_t, value = __builtin_bswap32(value));
    case 8 * 16 + 1: ELEMENTS(uint64_t, );
    case 8 * 16 + 4: ELEMENTS(uint64_t, value = swap_halves(value));
    case 8 * 16 + 8: ELEMENTS(uint64_t, value = __builtin_bswap64(value));
    case 16 * 16 + 1: ELEMENTS(words2, );
    case 16 * 16 + 4: ELEMENTS(words2, EACH_WORD(swap_halves));
    case 16 * 16 + 8: ELEMENTS(words2, EACH_WORD(__builtin_bswap64));
    case 32 * 16 + 1: ELEMENTS(words4, );
    case 32 * 16 + 4: ELEMENTS(words4, EACH_WORD(swap_halves));
    case 32 * 16 + 8: ELEMENTS(words4, EACH_WORD(__builtin_bswap64));
    case 64 * 16 + 1: ELEMENTS(words8, );
    case 64 * 16 + 4: ELEMENTS(words8, EACH_WORD(swap_halves));
    case 64 * 16 + 8: ELEMENTS(words8, EACH_WORD(__builtin_bswap64));
  }
  for (int64_t j = 0; j < p->count[1]; j++) {
    for (int64_t i = 0; i < p->count[0]; i++) {
      uint8_t *to = p->to + j * p->to_step[1] + i * p->to_step[0];
      const uint8_t *from = p->from + j * p->from_step[1] + i * p->from_step[0];
      if (unit == 1) memcpy(to, from, (size_t)element);
      else tessera_swap_copy(to, from, (size_t)element, unit);
    }
  }
}

/* The two fastest axes of a box of bits. `file` is a bit number. */
static void move_bits(uint8_t *bytes, int64_t file, uint8_t *array, const axis *axes, int scatter) {
  int contiguous = axes[0].file == 1 && axes[0].array == 1 && axes[0].count >= 8;
  for (int64_t j = 0; j < axes[1].count; j++, file += axes[1].file, array += axes[1].array) {
    if (contiguous) {
      if (scatter) tessera_bytes_to_bits(array, bytes, (uint64_t)file, (uint64_t)axes[0].count);
      else tessera_bits_to_bytes(bytes, (uint64_t)file, array, (uint64_t)axes[0].count);
      continue;
    }
    int64_t bit = file;
    uint8_t *one = array;
    for (int64_t i = 0; i < axes[0].count; i++, bit += axes[0].file, one += axes[0].array) {
      unsigned shift = (unsigned)(bit & 7);
      uint8_t *byte = bytes + (bit >> 3);
      if (!scatter) *one = (*byte >> shift) & 1;
      else *byte = (uint8_t)((*byte & ~(1u << shift)) | (unsigned)(*one != 0) << shift);
    }
  }
}

static void run_box(const list *l, const sides *s, const box *b, int stream) {
  int64_t at[TESSERA_MAX_AXES] = {0};
  int64_t file = b->file, array = b->array;
  for (;;) {
    if (l->kind == TESSERA_KIND_BITS) {
      move_bits(s->file, file, s->array + array, b->axis, l->scatter);
    } else {
      plane p = {.count = {b->axis[0].count, b->axis[1].count}};
      for (int a = 0; a < 2; a++) {
        p.to_step[a] = l->scatter ? b->axis[a].file : b->axis[a].array;
        p.from_step[a] = l->scatter ? b->axis[a].array : b->axis[a].file;
      }
      p.to = l->scatter ? s->file + file : s->array + array;
      p.from = l->scatter ? s->array + array : s->file + file;
      move_plane(&p, b->element, l->unit, stream);
    }
    int a = 2;
    for (; a < b->axes; a++) {
      file += b->axis[a].file;
      array += b->axis[a].array;
      if (++at[a] < b->axis[a].count) break;
      file -= b->axis[a].file * b->axis[a].count;
      array -= b->axis[a].array * b->axis[a].count;
      at[a] = 0;
    }
    if (a >= b->axes) return;
  }
}

/* Checks moves `first` to `first + count`: 0, or 1 + the number of the bad one. Adds up their elements. */
static double check_moves(const list *l, int64_t first, int64_t count, const sides *s, double *total) {
  for (int64_t i = first; i < first + count; i++) {
    double elements = move_elements(l, l->moves + i * (2 + 3 * l->ndim), s);
    if (elements < 0) return (double)(i + 1);
    *total += elements;
  }
  return 0;
}

/* The part of an array whose pages are there, as addresses; none as long as `high` is 0. */
typedef struct {
  uintptr_t low, high;
} touched;

/* Sees to the pages that a box is going to fill, and to those that are likely next. */
static void touch_box(touched *t, const sides *s, const box *b) {
  int64_t low = 0, high = b->element;
  for (int a = 0; a < b->axes; a++) {
    int64_t last = (b->axis[a].count - 1) * b->axis[a].array;
    if (last < 0) low += last;
    else high += last;
  }
  uintptr_t start = (uintptr_t)s->array, end = start + (uintptr_t)s->array_bytes;
  uintptr_t from = start + (uintptr_t)(b->array + low), to = start + (uintptr_t)(b->array + high);
  if (t->high == 0) t->low = t->high = from;
  if (to > t->high) {
    if (to - t->high < TESSERA_TOUCH_BYTES) {
      to = end - t->high > TESSERA_TOUCH_BYTES ? t->high + TESSERA_TOUCH_BYTES : end;
    }
    tessera_touch((void *)t->high, to - t->high);
    t->high = to;
  }
  if (from < t->low) {
    if (t->low - from < TESSERA_TOUCH_BYTES) {
      from = t->low - start > TESSERA_TOUCH_BYTES ? t->low - TESSERA_TOUCH_BYTES : start;
    }
    tessera_touch((void *)from, t->low - from);
    t->low = from;
  }
}

/* `t`: NULL where the pages of the target are no concern. */
static void run_moves(const list *l, int64_t first, int64_t count, const sides *s, int stream, touched *t) {
  for (int64_t i = first; i < first + count; i++) {
    const double *move = l->moves + i * (2 + 3 * l->ndim);
    box b;
    int empty = 0;
    for (int a = 0; a < l->ndim; a++) empty |= move[2 + 3 * a] == 0;
    if (empty) continue;
    make_box(l, move, s, &b);
    if (t) touch_box(t, s, &b);
    run_box(l, s, &b, stream);
  }
}

static int worth_streaming(const list *l, double elements) {
  return elements * l->element >= (double)TESSERA_STREAM_BYTES;
}

static double move_all(const list *l, double first, double count, const sides *s) {
  int64_t from = tessera_whole(first), moves = tessera_whole(count);
  if (from < 0 || moves < 0 || !list_is_good(l)) return -EINVAL;
  if (tessera_whole(s->file_offset) < 0 || tessera_whole(s->file_bytes) < 0 || tessera_whole(s->array_bytes) < 0) {
    return -EINVAL;
  }
  double total = 0;
  double bad = check_moves(l, from, moves, s, &total);
  if (bad != 0) return bad;
  /* What is laid into a stretch of a file is sent next, and should be in the cache then. */
  int stream = !l->scatter && worth_streaming(l, total);
  touched t = {0, 0};
  run_moves(l, from, moves, s, stream, stream ? &t : NULL);
  return 0;
}

double tessera_gather(const double *moves, double first, double count, int32_t kind, int32_t ndim, int32_t element,
                      int32_t unit, const uint8_t *file, double file_bytes, double file_offset, uint8_t *array,
                      double array_bytes) {
  list l = {moves, kind, ndim, element, unit, 0};
  sides s = {(uint8_t *)(uintptr_t)file, array, file_bytes, file_offset, array_bytes}; /* only read from */
  return move_all(&l, first, count, &s);
}

double tessera_scatter(const double *moves, double first, double count, int32_t kind, int32_t ndim, int32_t element,
                       int32_t unit, const uint8_t *array, double array_bytes, uint8_t *file, double file_bytes,
                       double file_offset) {
  list l = {moves, kind, ndim, element, unit, 1};
  sides s = {file, (uint8_t *)(uintptr_t)array, file_bytes, file_offset, array_bytes}; /* the array is only read */
  return move_all(&l, first, count, &s);
}

double tessera_scatter_file(int32_t fd, double offset, double length, const double *moves, double first, double count,
                            int32_t kind, int32_t ndim, int32_t element, int32_t unit, const uint8_t *array,
                            double array_bytes, uint8_t *scratch, double scratch_bytes, uint64_t *stats) {
  if (tessera_whole(length) < 0 || length > scratch_bytes) return -EINVAL;
  memset(scratch, 0, (size_t)length);
  double bad = tessera_scatter(moves, first, count, kind, ndim, element, unit, array, array_bytes, scratch, length, offset);
  if (bad != 0) return bad;
  double put = tessera_pwrite(fd, scratch, length, offset, stats);
  return put < 0 ? put : 0;
}

/* Checks extents and all their moves; the file side of a move must lie in its extent. */
static double check_extents(const list *l, const double *extents, int32_t count, double move_count, uint8_t *array,
                            double array_bytes, double *total) {
  if (!list_is_good(l) || count < 0) return -EINVAL;
  for (int32_t i = 0; i < count; i++) {
    const double *e = extents + 4 * i;
    if (tessera_whole(e[0]) < 0 || tessera_whole(e[1]) < 0 || tessera_whole(e[2]) < 0 || tessera_whole(e[3]) < 0) {
      return -EINVAL;
    }
    if (e[2] + e[3] > move_count) return -EINVAL;
    sides s = {NULL, array, e[1], e[0], array_bytes};
    double bad = check_moves(l, (int64_t)e[2], (int64_t)e[3], &s, total);
    if (bad != 0) return bad;
  }
  return 0;
}

double tessera_gather_file(int32_t fd, const double *extents, int32_t extent_count, const double *moves,
                           double move_count, int32_t kind, int32_t ndim, int32_t element, int32_t unit,
                           uint8_t *array, double array_bytes, uint8_t *scratch, double scratch_bytes,
                           uint64_t *stats) {
  list l = {moves, kind, ndim, element, unit, 0};
  double total = 0;
  double bad = check_extents(&l, extents, extent_count, move_count, array, array_bytes, &total);
  if (bad != 0) return bad;
  int stream = worth_streaming(&l, total);
  touched t = {0, 0};
  int32_t next;
  for (int32_t i = 0; i < extent_count; i = next) {
    double start = extents[4 * i], end = start + extents[4 * i + 1];
    if (end - start > scratch_bytes) return -EINVAL;
    for (next = i + 1; next < extent_count; next++) {
      const double *e = extents + 4 * next;
      if (e[0] != end || e[0] + e[1] - start > scratch_bytes) break;
      end = e[0] + e[1];
    }
    double got = tessera_pread(fd, scratch, end - start, start, stats);
    if (got < 0) return got;
    for (; i < next; i++) {
      const double *e = extents + 4 * i;
      if (e[0] + e[1] > start + got) return -(TESSERA_SHORT + i);
      sides s = {scratch + (size_t)(e[0] - start), array, e[1], e[0], array_bytes};
      run_moves(&l, (int64_t)e[2], (int64_t)e[3], &s, stream, stream ? &t : NULL);
    }
  }
  return 0;
}

typedef struct {
  const list *l;
  const double *extents;
  int32_t count;
  uint8_t *map, *array;
  double array_bytes;
  int stream;
} map_work;

static double gather_mapped(void *argument) {
  const map_work *w = argument;
  touched t = {0, 0};
  for (int32_t i = 0; i < w->count; i++) {
    const double *e = w->extents + 4 * i;
    sides s = {w->map + (size_t)e[0], w->array, e[1], e[0], w->array_bytes};
    run_moves(w->l, (int64_t)e[2], (int64_t)e[3], &s, w->stream, w->stream ? &t : NULL);
  }
  return 0;
}

double tessera_gather_map(double address, double map_bytes, const double *extents, int32_t extent_count,
                          const double *moves, double move_count, int32_t kind, int32_t ndim, int32_t element,
                          int32_t unit, uint8_t *array, double array_bytes, uint64_t *stats) {
  list l = {moves, kind, ndim, element, unit, 0};
  double total = 0;
  double bad = check_extents(&l, extents, extent_count, move_count, array, array_bytes, &total);
  if (bad != 0) return bad;
  for (int32_t i = 0; i < extent_count; i++) {
    if (extents[4 * i] + extents[4 * i + 1] > map_bytes) return -(TESSERA_SHORT + i);
  }
  uint8_t *map = (uint8_t *)(uintptr_t)address;
  map_work work = {&l, extents, extent_count, map, array, array_bytes, worth_streaming(&l, total)};
  uint64_t started = tessera_clock(stats);
  double result = tessera_guarded(map, (size_t)map_bytes, gather_mapped, &work);
  tessera_count(stats, TESSERA_COPY, started, (int64_t)(total * element));
  return result;
}
