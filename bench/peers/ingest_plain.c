/*
 * What live ingest can't do without, and nothing else.
 *
 *   ingest_plain append FILE TOTAL BLOCK EVERY direct|buffered   writes behind each other, fdatasync after every EVERY of them
 *                                                              (0: one at the end); prints seconds
 *   ingest_plain paced FILE BLOCK RATE COUNT                   as many writes a second, past the page cache, each with an
 *                                                              fdatasync; prints the milliseconds of each, a line each
 *   ingest_plain copy direct|buffered TO FROM...               files behind each other into one, then fsync; prints seconds
 *                                                              and bytes
 *
 * Numbers are bytes; BLOCK is a multiple of 4096.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)
/* What the writes go round in: more than the processor's cache holds, as with data that just arrived. */
#define SOURCE ((size_t)64 << 20)

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static uint8_t *memory(size_t bytes) {
  uint8_t *at = aligned_alloc(4096, bytes);
  if (at == NULL) fail("memory");
  for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(i * 31 + (i >> 12));
  return at;
}

static int make(const char *path, int direct) {
  int fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC | (direct ? O_DIRECT : 0), 0666);
  if (fd < 0) fail(path);
  return fd;
}

static void put(int fd, const uint8_t *from, size_t bytes, size_t at) {
  if (pwrite(fd, from, bytes, (off_t)at) != (ssize_t)bytes) fail("pwrite");
}

static void append(const char *path, size_t total, size_t block, size_t every, int direct) {
  if (block == 0 || block % 4096 != 0 || block > SOURCE) exit(2);
  uint8_t *source = memory(SOURCE);
  size_t places = SOURCE / block;
  double began = now();
  int fd = make(path, direct);
  for (size_t i = 0; i < total / block; i++) {
    put(fd, source + i % places * block, block, i * block);
    if (every != 0 && (i + 1) % every == 0 && fdatasync(fd) != 0) fail("fdatasync");
  }
  if (fdatasync(fd) != 0) fail("fdatasync");
  printf("%.6f\n", now() - began);
  close(fd);
}

static void paced(const char *path, size_t block, double rate, long count) {
  uint8_t *source = memory(block);
  int fd = make(path, 1);
  put(fd, source, block, 0);
  if (fsync(fd) != 0) fail("fsync");
  double began = now();
  for (long i = 0; i < count; i++) {
    double due = began + (double)i / rate, early = due - now();
    if (early > 0) usleep((useconds_t)(early * 1e6));
    double start = now();
    put(fd, source, block, (size_t)(i + 1) * block);
    if (fdatasync(fd) != 0) fail("fdatasync");
    /* Who comes while another one is written waits for it. */
    printf("%.6f\n", (now() - (start > due ? due : start)) * 1e3);
  }
  close(fd);
}

static void copy(int direct, const char *to, char **from, int count) {
  uint8_t *buffer = memory(PIECE);
  size_t at = 0, bytes = 0;
  double began = now();
  int out = make(to, direct);
  for (int i = 0; i < count; i++) {
    int in = open(from[i], O_RDONLY | O_CLOEXEC);
    if (in < 0) fail(from[i]);
    ssize_t got;
    for (off_t place = 0; (got = pread(in, buffer, PIECE, place)) > 0; place += got) {
      size_t whole = ((size_t)got + 4095) / 4096 * 4096;
      put(out, buffer, direct ? whole : (size_t)got, at);
      at += direct ? whole : (size_t)got;
      bytes += (size_t)got;
    }
    if (got < 0) fail(from[i]);
    close(in);
  }
  if (fsync(out) != 0) fail("fsync");
  close(out);
  printf("%.6f %zu\n", now() - began, bytes);
}

int main(int argc, char **argv) {
  if (argc == 7 && strcmp(argv[1], "append") == 0) {
    append(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10), strtoull(argv[5], NULL, 10),
           strcmp(argv[6], "direct") == 0);
  } else if (argc == 6 && strcmp(argv[1], "paced") == 0) {
    paced(argv[2], strtoull(argv[3], NULL, 10), atof(argv[4]), atol(argv[5]));
  } else if (argc > 4 && strcmp(argv[1], "copy") == 0) {
    copy(strcmp(argv[2], "direct") == 0, argv[3], argv + 4, argc - 4);
  } else {
    return 2;
  }
  return 0;
}
