/*
 * The limit: a program that does nothing but the reads, writes and copies that a work can't do without, in pieces of 1 MiB,
 * on the same files and to arrays that lie in memory as Tessera's do: those of the caller 16 bytes past a page, as the
 * engine places large ones, results at a multiple of 64. It knows no table format; where things are is told by the lines below.
 */
#define _GNU_SOURCE
#include "side.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PIECE (1 << 20)
#define CELL 2048L      /* bytes of a cell of DATA */
#define FLAGS 256L      /* flags of a cell */
#define ARRAY_OFFSET 16 /* where the engine's large arrays begin in a page */

static struct told told;
static int fd = -1, others[2] = {-1, -1};
static uint8_t *array, *array2, *scratch, *flag_bytes;
static size_t array_size;
static long row;
static uint64_t spread[256];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint8_t *map_memory(size_t size) {
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  return at;
}

static void need_array(size_t size) {
  array_size = size + 4096;
  array = map_memory(array_size);
  memset(array, 1, array_size);
}

/* The file of a tiled manager: the hypercube that has rows. */
static int open_tiles(int manager) {
  char path[1024];
  for (int cube = 0; cube < 2; cube++) {
    struct stat found;
    snprintf(path, sizeof path, "%s/%s/table.f%d_TSM%d", told.folder, told.table, manager, cube);
    int opened = open(path, O_RDONLY);
    if (opened >= 0 && fstat(opened, &found) == 0 && found.st_size > 0) return opened;
    if (opened >= 0) close(opened);
  }
  fail(path);
  return -1;
}

static int make_file(const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", told.folder, name);
  int made = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (made < 0) fail(path);
  return made;
}

static void get(int from, uint8_t *to, long length, long offset) {
  for (long done = 0; done < length;) {
    long n = length - done < PIECE ? length - done : PIECE;
    ssize_t got = pread(from, to + done, n, offset + done);
    if (got <= 0) fail("pread");
    done += got;
  }
}

static void put(int to, const uint8_t *from, long length, long offset) {
  for (long done = 0; done < length;) {
    long n = length - done < PIECE ? length - done : PIECE;
    ssize_t sent = pwrite(to, from + done, n, offset + done);
    if (sent <= 0) fail("pwrite");
    done += sent;
  }
}

static void swap(uint8_t *to, const uint8_t *from, long length) {
  for (long i = 0; i < length; i += 4) {
    uint32_t word;
    memcpy(&word, from + i, 4);
    word = __builtin_bswap32(word);
    memcpy(to + i, &word, 4);
  }
}

static void unpack(uint8_t *to, const uint8_t *from, long bits) {
  for (long i = 0; i < bits / 8; i++) memcpy(to + i * 8, &spread[from[i]], 8);
}

static void pack(uint8_t *to, const uint8_t *from, long bits) {
  for (long i = 0; i < bits / 8; i++) {
    uint64_t word;
    memcpy(&word, from + i * 8, 8);
    to[i] = (uint8_t)((word * 0x0102040810204080u) >> 56);
  }
}

/* ---- the works */

static double put_all(int big) {
  begin();
  int data = make_file("limit.data"), flag = make_file("limit.flag"), flag_row = make_file("limit.flag_row");
  uint8_t *from = array + ARRAY_OFFSET;
  if (!big) put(data, from, told.rows * CELL, 0);
  else {
    for (long at = 0; at < told.rows * CELL; at += PIECE) {
      long n = told.rows * CELL - at < PIECE ? told.rows * CELL - at : PIECE;
      swap(scratch, from + at, n);
      put(data, scratch, n, at);
    }
  }
  for (long at = 0; at < told.rows * FLAGS; at += PIECE) {
    long n = told.rows * FLAGS - at < PIECE ? told.rows * FLAGS - at : PIECE;
    pack(scratch, flag_bytes + at, n);
    put(flag, scratch, n / 8, at / 8);
  }
  pack(scratch, flag_bytes, told.rows);
  put(flag_row, scratch, told.rows / 8, 0);
  close(data);
  close(flag);
  close(flag_row);
  return passed();
}

static double put_little(void) { return put_all(0); }
static double put_big(void) { return put_all(1); }

static double get_into(void) {
  begin();
  get(fd, array + ARRAY_OFFSET, told.rows * CELL, 0);
  return passed();
}

/* Of the file's own pages, by as many sums as JavaScript takes. */
static double view_sum(void) {
  begin();
  long count = told.rows * CELL / 4;
  const float *values = mmap(NULL, count * 4, PROT_READ, MAP_PRIVATE, fd, 0);
  if (values == MAP_FAILED) fail("mmap");
  double sums[8] = {0};
  for (long i = 0; i < count; i += 8) {
    for (int k = 0; k < 8; k++) sums[k] += values[i + k];
  }
  double took = passed(), sum = 0;
  for (int k = 0; k < 8; k++) sum += sums[k];
  if (sum < 0) abort();
  munmap((void *)values, count * 4);
  return took;
}

static double get_fresh(void) {
  begin();
  uint8_t *fresh = map_memory(told.rows * CELL);
  get(fd, fresh, told.rows * CELL, 0);
  double took = passed();
  munmap(fresh, told.rows * CELL);
  return took;
}

static double get_swapped(void) {
  begin();
  for (long at = 0; at < told.rows * CELL; at += PIECE) {
    long n = told.rows * CELL - at < PIECE ? told.rows * CELL - at : PIECE;
    get(fd, scratch, n, at);
    swap(array + ARRAY_OFFSET + at, scratch, n);
  }
  return passed();
}

static double get_flags(void) {
  begin();
  long bytes = told.rows * FLAGS / 8;
  for (long at = 0; at < bytes; at += PIECE) {
    long n = bytes - at < PIECE ? bytes - at : PIECE;
    get(fd, scratch, n, at);
    unpack(array + ARRAY_OFFSET + at * 8, scratch, n * 8);
  }
  return passed();
}

static double get_flag_row(void) {
  begin();
  get(fd, scratch, told.rows / 8, 0);
  unpack(array + ARRAY_OFFSET, scratch, told.rows);
  return passed();
}

/* Correlations 0 and 1 of channels 10 to 17 of every row. */
static double get_slice(void) {
  begin();
  uint64_t *to = (uint64_t *)(array + ARRAY_OFFSET);
  for (long at = 0; at < told.rows * CELL; at += PIECE) {
    long n = told.rows * CELL - at < PIECE ? told.rows * CELL - at : PIECE;
    get(fd, scratch, n, at);
    for (long cell = 0; cell < n; cell += CELL) {
      const uint64_t *from = (const uint64_t *)(scratch + cell) + 4 * 10;
      for (int channel = 0; channel < 8; channel++, from += 4, to += 2) to[0] = from[0], to[1] = from[1];
    }
  }
  return passed();
}

/* Tiles of 4 correlations, 32 channels and 128 rows: two for each 128 rows. */
#define TILE_RUN 1024L
#define TILE_ROWS 128L

static double get_split(void) {
  begin();
  for (long first = 0; first < told.rows; first += TILE_ROWS) {
    get(fd, scratch, 2 * TILE_ROWS * TILE_RUN, first * CELL);
    long rows = told.rows - first < TILE_ROWS ? told.rows - first : TILE_ROWS;
    for (int half = 0; half < 2; half++) {
      for (long r = 0; r < rows; r++) {
        memcpy(array + ARRAY_OFFSET + (first + r) * CELL + half * TILE_RUN, scratch + (half * TILE_ROWS + r) * TILE_RUN, TILE_RUN);
      }
    }
  }
  return passed();
}

static double get_channel(void) {
  begin();
  for (long first = 0; first < told.rows; first += TILE_ROWS) {
    get(fd, scratch, TILE_ROWS * TILE_RUN, first * CELL);
    long rows = told.rows - first < TILE_ROWS ? told.rows - first : TILE_ROWS;
    for (long r = 0; r < rows; r++) memcpy(array + ARRAY_OFFSET + (first + r) * 32, scratch + r * TILE_RUN + 20 * 32, 32);
  }
  return passed();
}

static double put_split(void) {
  begin();
  int data = make_file("limit.data");
  for (long first = 0; first < told.rows; first += TILE_ROWS) {
    long rows = told.rows - first < TILE_ROWS ? told.rows - first : TILE_ROWS;
    for (int half = 0; half < 2; half++) {
      for (long r = 0; r < rows; r++) {
        memcpy(scratch + (half * TILE_ROWS + r) * TILE_RUN, array + ARRAY_OFFSET + (first + r) * CELL + half * TILE_RUN, TILE_RUN);
      }
    }
    put(data, scratch, 2 * TILE_ROWS * TILE_RUN, first * CELL);
  }
  close(data);
  return passed();
}

static double rows_into(void) {
  begin();
  for (long at = 0; at < told.rows * CELL; at += 128 << 10) {
    long n = told.rows * CELL - at < 128 << 10 ? told.rows * CELL - at : 128 << 10;
    get(fd, scratch, n, at);
    for (long cell = 0; cell < n; cell += CELL) memcpy(array + ARRAY_OFFSET, scratch + cell, CELL);
  }
  return passed();
}

/* Rows of a baseline at a time, 351 apart. */
static double baselines(void) {
  begin();
  long count = atol(told.argument);
  for (long baseline = 0; baseline < count; baseline++) {
    uint8_t *to = array + ARRAY_OFFSET;
    for (long r = baseline * 351 / count; r < told.rows; r += 351, to += CELL) get(fd, to, CELL, r * CELL);
  }
  return passed();
}

static double overwrite(void) {
  begin();
  put(others[0], array + ARRAY_OFFSET, told.rows * CELL, 0);
  return passed();
}

static double append_integrations(void) {
  begin();
  int data = make_file("limit.data"), flag = make_file("limit.flag");
  for (long i = 0; i < told.rows / 351; i++) {
    put(data, array + ARRAY_OFFSET, 351 * CELL, i * 351 * CELL);
    pack(scratch, flag_bytes, 351 * FLAGS);
    put(flag, scratch, 351 * FLAGS / 8, i * 351 * FLAGS / 8);
  }
  close(data);
  close(flag);
  return passed();
}

static double append_rows(void) {
  begin();
  int data = make_file("limit.data");
  for (long i = 0; i < told.rows; i += PIECE / CELL) {
    long n = told.rows - i < PIECE / CELL ? told.rows - i : PIECE / CELL;
    for (long r = 0; r < n; r++) memcpy(scratch + r * CELL, array + ARRAY_OFFSET, CELL);
    put(data, scratch, n * CELL, i * CELL);
  }
  close(data);
  return passed();
}

static double change(void) {
  begin();
  row = (row + 7919) % told.rows;
  put(others[0], array + ARRAY_OFFSET, CELL, row * CELL);
  return passed();
}

static double change_durable(void) {
  begin();
  row = (row + 7919) % told.rows;
  put(others[0], array + ARRAY_OFFSET, CELL, row * CELL);
  if (fdatasync(others[0]) != 0) fail("fdatasync");
  return passed();
}

static void *read_all(void *to) {
  get(fd, to, told.rows * CELL, 0);
  return NULL;
}

static double two_readers(void) {
  double start = now_ms(); /* both threads are waited for: all time counts */
  pthread_t thread;
  if (pthread_create(&thread, NULL, read_all, array2 + ARRAY_OFFSET) != 0) fail("pthread_create");
  read_all(array + ARRAY_OFFSET);
  pthread_join(thread, NULL);
  return now_ms() - start;
}

/* What each needs: DATA's file (d), FLAG's (f), FLAG_ROW's (r), a file of its own to change (c), a second array (2). */
static const struct {
  const char *name, *needs;
  double (*run)(void);
} WORKS[] = {
    {"put", "", put_little},
    {"big-put", "", put_big},
    {"split-put", "", put_split},
    {"get-into", "d", get_into},
    {"view-sum", "d", view_sum},
    {"get-fresh", "d", get_fresh},
    {"get-fresh-async", "d", get_fresh},
    {"big-get-into", "d", get_swapped},
    {"flag-into", "f", get_flags},
    {"flag-row", "r", get_flag_row},
    {"slice", "d", get_slice},
    {"split-get", "d", get_split},
    {"split-channel", "d", get_channel},
    {"rows-shared", "d", get_fresh},
    {"rows-copy", "d", get_fresh},
    {"rows-into", "d", rows_into},
    {"rows-one", "d", rows_into},
    {"baselines", "d", baselines},
    {"overwrite", "c", overwrite},
    {"append-integrations", "", append_integrations},
    {"append-rows", "", append_rows},
    {"flush-change", "c", change},
    {"flush-change-none", "c", change},
    {"flush-change-durable", "c", change_durable},
    {"two-readers", "d2", two_readers},
};
static double (*run)(void);

static int side_set(const struct told *what) {
  run = NULL;
  for (size_t i = 0; i < sizeof WORKS / sizeof *WORKS; i++) {
    if (strcmp(WORKS[i].name, what->name) != 0) continue;
    told = *what;
    run = WORKS[i].run;
    const char *needs = WORKS[i].needs;
    need_array(told.rows * CELL);
    scratch = map_memory(4 * PIECE);
    flag_bytes = map_memory(told.rows * FLAGS + PIECE);
    for (long k = 0; k < told.rows * FLAGS; k += 7) flag_bytes[k] = 1;
    if (strchr(needs, 'd')) fd = open_tiles(0);
    if (strchr(needs, 'f')) fd = open_tiles(1);
    if (strchr(needs, 'r')) {
      char path[1024];
      snprintf(path, sizeof path, "%s/%s/table.f2", told.folder, told.table);
      fd = open(path, O_RDONLY);
      if (fd < 0) fail(path);
    }
    if (strchr(needs, 'c')) {
      others[0] = make_file("limit.data");
      put(others[0], array, told.rows * CELL, 0);
    }
    if (strchr(needs, '2')) {
      array2 = map_memory(array_size);
      memset(array2, 1, array_size);
    }
    return 1;
  }
  return 0;
}

static double side_run(void) { return run(); }

static void side_end(void) {
  if (run == NULL) return;
  if (fd >= 0) close(fd);
  if (others[0] >= 0) close(others[0]);
  munmap(array, array_size);
  if (array2) munmap(array2, array_size);
  munmap(scratch, 4 * PIECE);
  munmap(flag_bytes, told.rows * FLAGS + PIECE);
  fd = others[0] = -1;
  array2 = NULL;
  run = NULL;
}

int main(void) {
  for (unsigned byte = 0; byte < 256; byte++) {
    for (unsigned bit = 0; bit < 8; bit++) spread[byte] |= (uint64_t)(byte >> bit & 1) << (8 * bit);
  }
  return side_main();
}
