/*
 * Asks Linux to drop a file's pages from its cache, and prints the share of them that is still there.
 *
 *   forget PATH
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct stat status;
  int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
  if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) return 1;
  if (fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) return 1;
  size_t pages = ((size_t)status.st_size + 4095) / 4096, resident = 0;
  unsigned char *seen = malloc(pages);
  void *map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
  if (!seen || map == MAP_FAILED || mincore(map, (size_t)status.st_size, seen) != 0) return 1;
  for (size_t i = 0; i < pages; i++) resident += seen[i] & 1;
  printf("%.3f\n", (double)resident / (double)pages);
  return 0;
}
