/*
 * Files at an offset: pread and pwrite in all their forms, so that no call ever moves a file position.
 * A transfer goes on after EINTR and after a short count, until all of it is done, the file ends, or the system
 * reports an error; the error is what the caller gets, even if a part had been moved.
 */
#include "tessera.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

/* No system moves more than 2^31 bytes a call, and macOS refuses to try. */
#define CALL_BYTES ((size_t)1 << 30)
/* Segments handed to one preadv or pwritev. POSIX promises 16, the systems we know take 1024. */
#define CALL_SEGMENTS 256

int32_t tessera_open(const char *path, int32_t flags, uint64_t *stats) {
  int how = O_CLOEXEC | (flags & TESSERA_O_WRITE ? O_RDWR : O_RDONLY);
  if (flags & TESSERA_O_CREATE) how |= O_CREAT;
  if (flags & TESSERA_O_EXCLUSIVE) how |= O_EXCL;
  if (flags & TESSERA_O_TRUNCATE) how |= O_TRUNC;
  for (;;) {
    uint64_t started = tessera_clock(stats);
    int fd = open(path, how, 0666);
    int error = errno;
    tessera_count(stats, TESSERA_OPEN, started, 0);
    if (fd >= 0) return fd;
    if (error != EINTR) return -error;
  }
}

int32_t tessera_kind(const char *path, int32_t follow, uint64_t *stats) {
  struct stat found;
  uint64_t started = tessera_clock(stats);
  int result = follow ? stat(path, &found) : lstat(path, &found);
  int error = errno;
  tessera_count(stats, TESSERA_STAT, started, 0);
  if (result != 0) return error == ENOENT || error == ENOTDIR ? TESSERA_NOTHING : -error;
  if (S_ISREG(found.st_mode)) return TESSERA_FILE;
  if (S_ISDIR(found.st_mode)) return TESSERA_DIRECTORY;
  return S_ISLNK(found.st_mode) ? TESSERA_LINK : TESSERA_OTHER;
}

int32_t tessera_unlink(const char *path) { return unlink(path) == 0 ? 0 : -errno; }

int32_t tessera_close(int32_t fd, uint64_t *stats) {
  /* Not repeated after EINTR: the descriptor is gone by then, its number may be somebody else's. */
  uint64_t started = tessera_clock(stats);
  int result = close(fd);
  int error = errno;
  tessera_count(stats, TESSERA_CLOSE, started, 0);
  return result == 0 || error == EINTR ? 0 : -error;
}

double tessera_pread(int32_t fd, void *bytes, double length, double offset, uint64_t *stats) {
  int64_t want = tessera_whole(length), at = tessera_whole(offset), done = 0;
  if (want < 0 || at < 0) return -EINVAL;
  if ((size_t)want >= TESSERA_STREAM_BYTES) tessera_touch(bytes, (size_t)want);
  while (done < want) {
    size_t part = (size_t)(want - done) < CALL_BYTES ? (size_t)(want - done) : CALL_BYTES;
    uint64_t started = tessera_clock(stats);
    ssize_t got = pread(fd, (char *)bytes + done, part, (off_t)(at + done));
    int error = errno;
    tessera_count(stats, TESSERA_READ, started, got);
    if (got < 0) {
      if (error == EINTR) continue;
      return -error;
    }
    done += got;
    /* A regular file gives less than asked only at its end: asking again would cost a call that returns 0. */
    if ((size_t)got < part) break;
  }
  return (double)done;
}

/* Smallest page of any system here. */
#define PAGE_BYTES 4096

double tessera_read_new(int32_t fd, void *bytes, double length, double offset, uint64_t *stats) {
  int64_t want = tessera_whole(length);
  if (want < 0) return -EINVAL;
  tessera_touch(bytes, (size_t)want);
  volatile char *byte = bytes;
  /* Written, not read: a page that is only read at first comes twice. What isn't read into may change. */
  for (int64_t at = 0; at < want; at += PAGE_BYTES) byte[at] = 0;
  return tessera_pread(fd, bytes, length, offset, stats);
}

double tessera_pwrite(int32_t fd, const void *bytes, double length, double offset, uint64_t *stats) {
  int64_t want = tessera_whole(length), at = tessera_whole(offset), done = 0;
  if (want < 0 || at < 0) return -EINVAL;
  while (done < want) {
    size_t part = (size_t)(want - done) < CALL_BYTES ? (size_t)(want - done) : CALL_BYTES;
    uint64_t started = tessera_clock(stats);
    ssize_t put = pwrite(fd, (const char *)bytes + done, part, (off_t)(at + done));
    int error = errno;
    tessera_count(stats, TESSERA_WRITE, started, put);
    if (put < 0) {
      if (error == EINTR) continue;
      return -error;
    }
    if (put == 0) return -EIO;
    done += put;
  }
  return (double)done;
}

/* preadv or pwritev over any number of segments, from wherever the last call stopped. */
static double vectored(int writing, int32_t fd, const double *segments, int32_t count, double offset,
                       uint64_t *stats) {
  int64_t at = tessera_whole(offset), done = 0, within = 0;
  if (at < 0 || count < 0) return -EINVAL;
  for (int32_t i = 0; i < count; i++) {
    if (tessera_whole(segments[2 * i]) < 0 || tessera_whole(segments[2 * i + 1]) < 0) return -EINVAL;
  }
  int32_t next = 0;
  for (;;) {
    struct iovec parts[CALL_SEGMENTS];
    int used = 0;
    size_t want = 0;
    for (int32_t i = next; i < count && used < CALL_SEGMENTS && want < CALL_BYTES; i++) {
      int64_t skip = i == next ? within : 0;
      size_t size = (size_t)((int64_t)segments[2 * i + 1] - skip);
      if (size > CALL_BYTES - want) size = CALL_BYTES - want;
      if (size == 0) continue;
      parts[used].iov_base = (void *)((uintptr_t)segments[2 * i] + (uintptr_t)skip);
      parts[used].iov_len = size;
      want += size;
      used++;
    }
    if (used == 0) return (double)done;
    uint64_t started = tessera_clock(stats);
    ssize_t moved = writing ? pwritev(fd, parts, used, (off_t)(at + done)) : preadv(fd, parts, used, (off_t)(at + done));
    int error = errno;
    tessera_count(stats, writing ? TESSERA_WRITEV : TESSERA_READV, started, moved);
    if (moved < 0) {
      if (error == EINTR) continue;
      return -error;
    }
    if (moved == 0) return writing ? -EIO : (double)done;
    done += moved;
    within += moved;
    while (next < count && within >= (int64_t)segments[2 * next + 1]) within -= (int64_t)segments[2 * next++ + 1];
  }
}

double tessera_preadv(int32_t fd, const double *segments, int32_t count, double offset, uint64_t *stats) {
  return vectored(0, fd, segments, count, offset, stats);
}

double tessera_pwritev(int32_t fd, const double *segments, int32_t count, double offset, uint64_t *stats) {
  return vectored(1, fd, segments, count, offset, stats);
}

int32_t tessera_fstat(int32_t fd, double *result, uint64_t *stats) {
  struct stat found;
  uint64_t started = tessera_clock(stats);
  int status = fstat(fd, &found);
  int error = errno;
  tessera_count(stats, TESSERA_STAT, started, 0);
  if (status != 0) return -error;
#ifdef __APPLE__
  struct timespec modified = found.st_mtimespec;
#else
  struct timespec modified = found.st_mtim;
#endif
  uint64_t inode = (uint64_t)found.st_ino;
  result[0] = (double)found.st_size;
  result[1] = S_ISREG(found.st_mode) ? 1 : S_ISDIR(found.st_mode) ? 2 : 0;
  result[2] = (double)found.st_dev;
  result[3] = (double)(inode >> 32);
  result[4] = (double)(inode & 0xffffffffu);
  result[5] = (double)modified.tv_sec;
  result[6] = (double)modified.tv_nsec;
  return 0;
}

int32_t tessera_is_local(int32_t fd, uint64_t *stats) {
#ifdef __linux__
  /* Of network file systems a map may stay as it was; of overlays that of a file that has meanwhile become another. */
  static const uint32_t known[] = {
      0xef53,     /* ext2, ext3, ext4 */
      0x58465342, /* xfs */
      0x9123683e, /* btrfs */
      0x01021994, /* tmpfs */
      0xf2f52010, /* f2fs */
  };
  struct statfs found;
  uint64_t started = tessera_clock(stats);
  int result = fstatfs(fd, &found);
  tessera_count(stats, TESSERA_STAT, started, 0);
  if (result != 0) return 0;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if ((uint32_t)found.f_type == known[i]) return 1;
  }
#else
  (void)fd, (void)stats;
#endif
  return 0;
}

int32_t tessera_ftruncate(int32_t fd, double length, uint64_t *stats) {
  int64_t size = tessera_whole(length);
  if (size < 0) return -EINVAL;
  for (;;) {
    uint64_t started = tessera_clock(stats);
    int status = ftruncate(fd, (off_t)size);
    int error = errno;
    tessera_count(stats, TESSERA_TRUNCATE, started, 0);
    if (status == 0) return 0;
    if (error != EINTR) return -error;
  }
}

static int32_t sync_file(int32_t fd, int whole, uint64_t *stats) {
  for (;;) {
    uint64_t started = tessera_clock(stats);
#ifdef __APPLE__
    /* fsync leaves the data in the drive's cache there. */
    int status = fcntl(fd, F_FULLFSYNC);
    if (status != 0) status = fsync(fd);
    (void)whole;
#else
    int status = whole ? fsync(fd) : fdatasync(fd);
#endif
    int error = errno;
    tessera_count(stats, TESSERA_SYNC, started, 0);
    if (status == 0) return 0;
    if (error != EINTR) return -error;
  }
}

int32_t tessera_fdatasync(int32_t fd, uint64_t *stats) { return sync_file(fd, 0, stats); }

int32_t tessera_fsync(int32_t fd, uint64_t *stats) { return sync_file(fd, 1, stats); }

int32_t tessera_forget(int32_t fd, double offset, double length, uint64_t *stats) {
  int64_t at = tessera_whole(offset), size = tessera_whole(length);
  if (at < 0 || size < 0) return -EINVAL;
#ifdef POSIX_FADV_DONTNEED
  uint64_t started = tessera_clock(stats);
  int error = posix_fadvise(fd, (off_t)at, (off_t)size, POSIX_FADV_DONTNEED);
  tessera_count(stats, TESSERA_ADVISE, started, 0);
  return -error;
#else
  (void)fd, (void)stats;
  return -ENOSYS;
#endif
}

double tessera_address(const void *bytes) { return (double)(uintptr_t)bytes; }
