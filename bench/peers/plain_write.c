/*
 * The limit of sustained writing: a file made of equal writes from aligned memory, then fdatasync. Nothing else.
 *
 *   plain_write PATH TOTAL BLOCK direct|buffered    bytes; prints the seconds of writing and of fdatasync
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Memory that the writes go round in: more than the processor's cache holds, as with data that was just computed. */
#define SOURCE_BYTES ((size_t)64 << 20)

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: plain_write PATH TOTAL BLOCK direct|buffered\n");
    return 2;
  }
  size_t total = strtoull(argv[2], NULL, 10), block = strtoull(argv[3], NULL, 10);
  int direct = strcmp(argv[4], "direct") == 0;
  if (block == 0 || block > SOURCE_BYTES || block % 4096 != 0 || total % block != 0) {
    fprintf(stderr, "BLOCK is a multiple of 4096 up to 64 MiB, TOTAL one of BLOCK\n");
    return 2;
  }
  char *source = aligned_alloc(4096, SOURCE_BYTES);
  if (!source) fail("memory");
  for (size_t i = 0; i < SOURCE_BYTES; i++) source[i] = (char)(i * 31 + (i >> 12));
  double started = now();
  int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | (direct ? O_DIRECT : 0), 0666);
  if (fd < 0) fail("open");
  for (size_t done = 0; done < total; done += block) {
    size_t at = done % (SOURCE_BYTES / block * block);
    if (pwrite(fd, source + at, block, (off_t)done) != (ssize_t)block) fail("pwrite");
  }
  double written = now();
  if (fdatasync(fd) != 0) fail("fdatasync");
  close(fd);
  double synced = now();
  printf("{\"write\":%.6f,\"sync\":%.6f}\n", written - started, synced - written);
  return 0;
}
