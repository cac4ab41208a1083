/*
 * The limit of appending durably: a program that does nothing but write groups of one size behind each other, past the
 * page cache, with an fdatasync after each.
 *
 *   ingest_limit FILE TOTAL_KIB GROUP_KIB [none|truncate|fallocate|written]
 *
 * The last argument says how the file gets its length: with the writes, or before them by ftruncate, by fallocate, or
 * by writing zeros (which isn't timed). Prints the seconds that the writes took.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const char *how = argc > 4 ? argv[4] : "none";
  size_t total = (size_t)atol(argv[2]) << 10, group = (size_t)atol(argv[3]) << 10;
  int fd = open(argv[1], O_CREAT | O_TRUNC | O_RDWR | O_DIRECT | O_CLOEXEC, 0666);
  if (fd < 0) fail(argv[1]);
  uint8_t *bytes = aligned_alloc(4096, group);
  if (bytes == NULL) fail("aligned_alloc");
  for (size_t i = 0; i < group; i++) bytes[i] = (uint8_t)(i * 7 >> 3);
  if (strcmp(how, "truncate") == 0 && ftruncate(fd, (off_t)total) != 0) fail("ftruncate");
  if (strcmp(how, "fallocate") == 0 && fallocate(fd, 0, 0, (off_t)total) != 0) fail("fallocate");
  if (strcmp(how, "written") == 0) {
    for (size_t at = 0; at < total; at += group) {
      if (pwrite(fd, bytes, group, (off_t)at) != (ssize_t)group) fail("pwrite");
    }
  }
  if (fsync(fd) != 0) fail("fsync");
  double began = now();
  for (size_t at = 0; at + group <= total; at += group) {
    if (pwrite(fd, bytes, group, (off_t)at) != (ssize_t)group) fail("pwrite");
    if (fdatasync(fd) != 0) fail("fdatasync");
  }
  printf("%.6f\n", now() - began);
  close(fd);
  return 0;
}
