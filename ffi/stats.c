/* Counters and latency histograms; the layout of the block is in tessera.h. Calls may come from several threads. */
#include "tessera.h"

#include <time.h>

static uint64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t tessera_clock(const uint64_t *stats) { return stats ? nanoseconds() : 0; }

void tessera_count(uint64_t *stats, int kind, uint64_t started, int64_t bytes) {
  if (!stats) return;
  uint64_t took = nanoseconds() - started;
  int bucket = took < 2 ? 0 : 63 - __builtin_clzll(took);
  if (bucket >= TESSERA_STATS_BUCKETS) bucket = TESSERA_STATS_BUCKETS - 1;
  uint64_t *block = stats + kind * TESSERA_STATS_WORDS;
  __atomic_fetch_add(&block[0], 1, __ATOMIC_RELAXED);
  if (bytes > 0) __atomic_fetch_add(&block[1], (uint64_t)bytes, __ATOMIC_RELAXED);
  __atomic_fetch_add(&block[2 + bucket], 1, __ATOMIC_RELAXED);
}
