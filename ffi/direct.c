/*
 * Reads and writes past the page cache (O_DIRECT). The disk moves whole blocks between itself and memory that begins at a
 * multiple of an alignment; what isn't so passes through a scratch buffer or, where a block keeps other bytes, through
 * the page cache.
 *
 * | part of a write                                        | how                                                        |
 * | ------------------------------------------------------ | ---------------------------------------------------------- |
 * | up to the first block boundary                         | page cache                                                 |
 * | whole blocks that are aligned in the caller's array    | from where they lie                                        |
 * | whole blocks that are not                              | copied to the scratch buffer                               |
 * | the last, incomplete block, nothing of the file behind | padded with zeros in the scratch buffer, then the file cut |
 * | the last, incomplete block, bytes of the file behind   | page cache                                                 |
 * | the same while others write to the file                | page cache: it may be longer by now than it was just asked |
 *
 * The page cache reads the rest of a block and changes the bytes in memory, under the file's own lock: whoever else writes
 * to that block meanwhile loses nothing, which reading and writing the block ourselves could not promise. Blocks are never
 * smaller than a page, so that no page is used both ways by one write. The system writes back and drops the pages of a
 * range before and after it is accessed with O_DIRECT: all descriptors of a file on this machine see the same bytes.
 */
#ifdef __linux__
#define _GNU_SOURCE /* O_DIRECT, statx */
#endif
#include "tessera.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

/* The page cache's unit on the systems that we know, and the largest block of common disks. */
#define BLOCK 4096
#define CALL_BYTES ((int64_t)1 << 30)

#if defined(__linux__) && defined(O_DIRECT)
/* Linux 6.1; older headers don't have the name, and older systems don't set the bit in what they answer. */
#define ASK_ALIGNMENT 0x2000U
/* Where struct statx has the two numbers, for headers without their names. */
#define MEMORY_ALIGNMENT_AT 0x98
#define OFFSET_ALIGNMENT_AT 0x9c
#define IN_MEMORY_MAGIC 0x01021994 /* tmpfs takes O_DIRECT since Linux 6.6 and ignores it */
#define RAMFS_MAGIC 0x858458f6

/* True when the system gave the alignments; all 0 means that the file can't be accessed that way. */
static int asked(int fd, uint32_t *memory, uint32_t *offset, uint64_t *stats) {
#ifdef STATX_BASIC_STATS
  struct statx found;
  memset(&found, 0, sizeof found);
  uint64_t started = tessera_clock(stats);
  int status = statx(fd, "", AT_EMPTY_PATH, ASK_ALIGNMENT, &found);
  tessera_count(stats, TESSERA_STAT, started, 0);
  if (status != 0 || !(found.stx_mask & ASK_ALIGNMENT)) return 0;
  memcpy(memory, (char *)&found + MEMORY_ALIGNMENT_AT, sizeof *memory);
  memcpy(offset, (char *)&found + OFFSET_ALIGNMENT_AT, sizeof *offset);
  return 1;
#else
  (void)fd, (void)memory, (void)offset, (void)stats;
  return 0;
#endif
}

/* Tries whether the file can be read to an address that is a multiple of 512 only. An empty file doesn't tell. */
static uint32_t tried(int fd, uint64_t *stats) {
  static const uint32_t smallest = 512;
  _Alignas(BLOCK) char room[2 * BLOCK];
  uint64_t started = tessera_clock(stats);
  ssize_t got = pread(fd, room + smallest, BLOCK, 0);
  tessera_count(stats, TESSERA_READ, started, got);
  return got > 0 ? smallest : BLOCK;
}

static int32_t refused(double *found, int why, int error) {
  found[2] = why;
  return -error;
}

int32_t tessera_direct_open(int32_t fd, int32_t writing, double *found, uint64_t *stats) {
  struct statfs system;
  found[0] = found[1] = found[2] = 0;
  if (fstatfs(fd, &system) == 0 &&
      ((uint32_t)system.f_type == IN_MEMORY_MAGIC || (uint32_t)system.f_type == RAMFS_MAGIC)) {
    return refused(found, TESSERA_DIRECT_IN_MEMORY, ENOTSUP);
  }
  /* Of the same file whatever became of its name. */
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  uint64_t started = tessera_clock(stats);
  int direct = open(path, O_CLOEXEC | O_DIRECT | (writing ? O_RDWR : O_RDONLY));
  int error = errno;
  tessera_count(stats, TESSERA_OPEN, started, 0);
  if (direct < 0) return refused(found, TESSERA_DIRECT_REFUSED, error);
  uint32_t memory = 0, offset = 0;
  if (asked(direct, &memory, &offset, stats)) {
    if (memory == 0 || offset == 0) {
      tessera_close(direct, stats);
      return refused(found, TESSERA_DIRECT_NOT_FOR_FILE, ENOTSUP);
    }
  } else {
    memory = tried(direct, stats);
  }
  found[0] = memory;
  found[1] = offset > BLOCK ? offset : BLOCK;
  return direct;
}

int32_t tessera_direct_try(const char *directory, double *found) {
#ifdef O_TMPFILE
  int fd = open(directory, O_CLOEXEC | O_TMPFILE | O_RDWR, 0600);
  if (fd < 0) return refused(found, TESSERA_DIRECT_UNKNOWN, errno);
  int direct = tessera_direct_open(fd, 1, found, NULL);
  close(fd);
  if (direct < 0) return direct;
  close(direct);
  return 0;
#else
  (void)directory;
  return refused(found, TESSERA_DIRECT_UNKNOWN, ENOTSUP);
#endif
}
#else
int32_t tessera_direct_open(int32_t fd, int32_t writing, double *found, uint64_t *stats) {
  (void)fd, (void)writing, (void)stats;
  found[0] = found[1] = 0;
  found[2] = TESSERA_DIRECT_NO_SYSTEM;
  return -ENOTSUP;
}

int32_t tessera_direct_try(const char *directory, double *found) {
  (void)directory;
  return tessera_direct_open(-1, 0, found, NULL);
}
#endif

/* What both directions are told. */
typedef struct {
  int fd, direct;
  int64_t offset, end;
  uintptr_t memory;
  int64_t block;
  char *scratch;
  int64_t scratch_bytes;
  int padding;
  double *moved;
  uint64_t *stats;
} request;

static int unpack(request *r, int32_t fd, int32_t direct, double length, double offset, const double *alignment,
                  void *scratch, double scratch_bytes, double *moved, uint64_t *stats) {
  int64_t size = tessera_whole(length), memory = tessera_whole(alignment[0]);
  r->fd = fd;
  r->direct = direct;
  r->offset = tessera_whole(offset);
  r->end = r->offset + size;
  r->memory = (uintptr_t)memory;
  r->block = tessera_whole(alignment[1]);
  r->padding = alignment[2] != 0;
  r->scratch = scratch;
  r->moved = moved;
  r->stats = stats;
  if (size < 0 || r->offset < 0 || memory < 1 || r->block < BLOCK || (uintptr_t)scratch % r->memory != 0) return 0;
  r->scratch_bytes = tessera_whole(scratch_bytes) / r->block * r->block;
  return r->scratch_bytes >= r->block;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* One call, repeated after EINTR: bytes moved, or -errno. */
static int64_t call(const request *r, int writing, const struct iovec *parts, int count, int64_t at) {
  for (;;) {
    uint64_t started = tessera_clock(r->stats);
    ssize_t moved = writing ? pwritev(r->direct, parts, count, (off_t)at) : preadv(r->direct, parts, count, (off_t)at);
    int error = errno;
    tessera_count(r->stats, writing ? TESSERA_WRITEV : TESSERA_READV, started, moved);
    if (moved >= 0) return moved;
    if (error != EINTR) return -error;
  }
}

/* Sends `bytes` through the page cache. */
static double buffered(const request *r, const char *bytes, int64_t from, int64_t to) {
  if (from >= to) return 0;
  double put = tessera_pwrite(r->fd, bytes + (from - r->offset), (double)(to - from), (double)from, r->stats);
  if (put > 0) r->moved[1] += put;
  return put < 0 ? put : 0;
}

double tessera_direct_write(int32_t fd, int32_t direct, const void *source, double length, double offset,
                            const double *alignment, void *scratch, double scratch_bytes, double *moved,
                            uint64_t *stats) {
  request r;
  if (!unpack(&r, fd, direct, length, offset, alignment, scratch, scratch_bytes, moved, stats)) return -EINVAL;
  const char *bytes = source;
  int64_t at = (r.offset + r.block - 1) / r.block * r.block, stop = r.end / r.block * r.block;
  if (at >= stop) {
    double result = buffered(&r, bytes, r.offset, r.end);
    return result < 0 ? result : length;
  }
  double result = buffered(&r, bytes, r.offset, at);
  if (result < 0) return result;
  /* Bytes of the last block that may be padded: those behind which the file has none. */
  int64_t rest = r.padding ? r.end - stop : 0;
  if (rest > 0) {
    double found[7];
    int32_t status = tessera_fstat(fd, found, stats);
    if (status < 0) return status;
    if (found[0] > (double)r.end) rest = 0;
  }
  int64_t last = rest > 0 ? stop + r.block : stop;
  int straight = (uintptr_t)(bytes + (at - r.offset)) % r.memory == 0;
  while (at < last) {
    struct iovec parts[2];
    int count = 0;
    int64_t want = 0;
    if (straight && at < stop) {
      want = smaller(stop - at, CALL_BYTES);
      parts[count].iov_base = (void *)(uintptr_t)(bytes + (at - r.offset));
      parts[count++].iov_len = (size_t)want;
    }
    int64_t copies = straight ? 0 : smaller(stop - at, r.scratch_bytes);
    if (copies > 0) memcpy(r.scratch, bytes + (at - r.offset), (size_t)copies);
    int64_t fill = copies;
    if (rest > 0 && at + want + copies == stop && copies + r.block <= r.scratch_bytes) {
      memcpy(r.scratch + copies, bytes + (stop - r.offset), (size_t)rest);
      memset(r.scratch + copies + rest, 0, (size_t)(r.block - rest));
      fill += r.block;
    }
    if (fill > 0) {
      parts[count].iov_base = r.scratch;
      parts[count++].iov_len = (size_t)fill;
    }
    int64_t put = call(&r, 1, parts, count, at);
    if (put <= 0) {
      result = put < 0 ? (double)put : -EIO;
      break;
    }
    int64_t lay = smaller(put, want);
    moved[0] += (double)lay;
    moved[1] += (double)(smaller(at + put, r.end) - at - lay);
    at += put;
    if (at >= r.end) break;
    if (at % r.block != 0) {
      /* The system stopped within a block: what is left goes on from there. */
      result = buffered(&r, bytes, at, r.end);
      break;
    }
  }
  if (rest > 0 && at > stop) {
    /* The padding, or what a call that failed has left of it. */
    int32_t status = tessera_ftruncate(fd, (double)r.end, stats);
    if (status < 0 && result >= 0) result = status;
  }
  if (result < 0) return result;
  if (at == stop && r.end > stop) {
    result = buffered(&r, bytes, stop, r.end);
    if (result < 0) return result;
  }
  return length;
}

double tessera_direct_read(int32_t fd, int32_t direct, void *target, double length, double offset,
                           const double *alignment, void *scratch, double scratch_bytes, double *moved,
                           uint64_t *stats) {
  request r;
  if (!unpack(&r, fd, direct, length, offset, alignment, scratch, scratch_bytes, moved, stats)) return -EINVAL;
  char *bytes = target;
  int64_t at = r.offset / r.block * r.block, stop = r.end / r.block * r.block;
  int64_t first = (r.offset + r.block - 1) / r.block * r.block;
  if (first >= stop) return tessera_pread(fd, target, length, offset, stats);
  int straight = (uintptr_t)(bytes + (first - r.offset)) % r.memory == 0;
  while (at < r.end) {
    struct iovec part;
    int lies = straight && at >= r.offset && at < stop;
    if (lies) {
      part.iov_len = (size_t)smaller(stop - at, CALL_BYTES);
      part.iov_base = bytes + (at - r.offset);
    } else {
      int64_t until = straight && at < r.offset ? first : (r.end + r.block - 1) / r.block * r.block;
      part.iov_len = (size_t)smaller(until - at, r.scratch_bytes);
      part.iov_base = r.scratch;
    }
    int64_t got = call(&r, 0, &part, 1, at);
    if (got < 0) return (double)got;
    int64_t from = at < r.offset ? r.offset : at, to = smaller(at + got, r.end);
    if (to > from) {
      if (!lies) memcpy(bytes + (from - r.offset), r.scratch + (from - at), (size_t)(to - from));
      moved[lies ? 0 : 1] += (double)(to - from);
    }
    /* Only the end of the file is no block boundary. */
    if (got == 0 || got % r.block != 0) {
      at += got;
      break;
    }
    at += got;
  }
  at = smaller(at, r.end);
  return at > r.offset ? (double)(at - r.offset) : 0;
}
