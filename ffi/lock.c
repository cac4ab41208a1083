/*
 * Byte-range locks. Those of the open file description work against the process locks of casacore in both
 * directions and, unlike them, survive the closing of another descriptor of the same file. They never wait: the
 * caller polls, because it has a timeout and a request list to look after.
 */
#ifdef __linux__
#define _GNU_SOURCE /* F_OFD_SETLK */
#endif
#include "tessera.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#ifdef F_OFD_SETLK
#define SET_LOCK F_OFD_SETLK
#define GET_LOCK F_OFD_GETLK
#define OWNED_BY_DESCRIPTION 1
#else
#define SET_LOCK F_SETLK
#define GET_LOCK F_GETLK
#define OWNED_BY_DESCRIPTION 0
#endif

static int request(int32_t fd, int command, int32_t kind, double start, double length, struct flock *lock,
                   uint64_t *stats) {
  int64_t at = tessera_whole(start), size = tessera_whole(length);
  if (at < 0 || size < 0 || kind < TESSERA_UNLOCK || kind > TESSERA_LOCK_WRITE) return -EINVAL;
  for (;;) {
    memset(lock, 0, sizeof *lock); /* l_pid must be 0 for locks of the description */
    lock->l_type = kind == TESSERA_UNLOCK ? F_UNLCK : kind == TESSERA_LOCK_READ ? F_RDLCK : F_WRLCK;
    lock->l_whence = SEEK_SET;
    lock->l_start = (off_t)at;
    lock->l_len = (off_t)size;
    uint64_t started = tessera_clock(stats);
    int status = fcntl(fd, command, lock);
    int error = errno;
    tessera_count(stats, TESSERA_LOCK, started, 0);
    if (status == 0) return 0;
    if (error != EINTR) return -error;
  }
}

int32_t tessera_lock(int32_t fd, int32_t kind, double start, double length, uint64_t *stats) {
  struct flock lock;
  int status = request(fd, SET_LOCK, kind, start, length, &lock, stats);
  return status == -EACCES ? -EAGAIN : status; /* POSIX lets a system say either when the range is taken */
}

int32_t tessera_lock_test(int32_t fd, int32_t kind, double start, double length, uint64_t *stats) {
  struct flock lock;
  int status = request(fd, GET_LOCK, kind, start, length, &lock, stats);
  if (status != 0) return status;
  return lock.l_type == F_UNLCK ? 0 : lock.l_type == F_RDLCK ? 1 : 2;
}

int32_t tessera_lock_owner(void) { return OWNED_BY_DESCRIPTION; }
