/*
 * The C side of Tessera: calls that place their reads and writes, mapped memory that survives a shrinking file,
 * byte-range locks, and the inner loops of the table format. `binding.ts` is the only caller.
 *
 * Numbers cross as int32_t and double only: those make the cheapest calls out of the engine, and a double holds every
 * offset up to 2^53. Results are >= 0, or -errno. No function starts a thread or keeps memory of the caller's.
 *
 * Statistics. Functions that enter the system take a block of uint64_t (NULL: don't count). Kind k owns the
 * TESSERA_STATS_WORDS words from k * TESSERA_STATS_WORDS:
 *
 *   | word | meaning                                                                                     |
 *   | ---- | ------------------------------------------------------------------------------------------- |
 *   | 0    | calls into the system (a call that is repeated after EINTR or a short transfer counts again) |
 *   | 1    | bytes moved                                                                                 |
 *   | 2+b  | calls that took 2^b <= nanoseconds < 2^(b+1), b = 0 … 39 (b = 0 also shorter, 39 also longer) |
 */
#ifndef TESSERA_H
#define TESSERA_H

#ifndef _GNU_SOURCE
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* preadv, pwritev, madvise, MAP_ANONYMOUS */
#endif
#define _DARWIN_C_SOURCE
#define _FILE_OFFSET_BITS 64

#include <stddef.h>
#include <stdint.h>

#define TESSERA_EXPORT __attribute__((visibility("default")))

/* Kinds of a statistics block, in its order. */
enum {
  TESSERA_OPEN,
  TESSERA_CLOSE,
  TESSERA_READ,     /* pread */
  TESSERA_WRITE,    /* pwrite */
  TESSERA_READV,    /* preadv */
  TESSERA_WRITEV,   /* pwritev */
  TESSERA_STAT,     /* fstat */
  TESSERA_TRUNCATE, /* ftruncate */
  TESSERA_SYNC,     /* fdatasync, fsync */
  TESSERA_MAP,      /* mmap */
  TESSERA_UNMAP,    /* munmap, or mmap of zero pages in its place */
  TESSERA_ADVISE,   /* madvise, posix_fadvise */
  TESSERA_MSYNC,    /* msync */
  TESSERA_LOCK,     /* fcntl */
  TESSERA_COPY,     /* copies out of a map: no call into the system, but page faults */
  TESSERA_KINDS
};
#define TESSERA_STATS_BUCKETS 40
#define TESSERA_STATS_WORDS (2 + TESSERA_STATS_BUCKETS)

/* Flags of tessera_open, the same on every system. */
#define TESSERA_O_WRITE 1
#define TESSERA_O_CREATE 2
#define TESSERA_O_EXCLUSIVE 4
#define TESSERA_O_TRUNCATE 8

/* errors.c: names of error numbers. Both return the length of the text, which is cut to fit. */
TESSERA_EXPORT int32_t tessera_errno_name(int32_t error, char *text, int32_t size);
TESSERA_EXPORT int32_t tessera_errno_text(int32_t error, char *text, int32_t size);

/* stats.c */
uint64_t tessera_clock(const uint64_t *stats);
void tessera_count(uint64_t *stats, int kind, uint64_t started, int64_t bytes);

/* A double that is a whole number from 0 to 2^53, as an integer; -1 for any other. */
static inline int64_t tessera_whole(double value) {
  return value >= 0 && value <= 9007199254740992.0 && value == (double)(int64_t)value ? (int64_t)value : -1;
}

/* io.c: files. Reads and writes repeat until everything is moved, an error, or the end of the file. */
TESSERA_EXPORT int32_t tessera_open(const char *path, int32_t flags, uint64_t *stats);
/* What is at a path. With `follow` a symbolic link is what it leads to. */
enum { TESSERA_NOTHING, TESSERA_FILE, TESSERA_DIRECTORY, TESSERA_LINK, TESSERA_OTHER };
TESSERA_EXPORT int32_t tessera_kind(const char *path, int32_t follow, uint64_t *stats);
/* Removes a name. Not counted: there is no kind for it. */
TESSERA_EXPORT int32_t tessera_unlink(const char *path);
TESSERA_EXPORT int32_t tessera_close(int32_t fd, uint64_t *stats);
TESSERA_EXPORT double tessera_pread(int32_t fd, void *bytes, double length, double offset, uint64_t *stats);
/*
 * As tessera_pread, into memory that may never have been touched. Its pages are asked for before the call: within it,
 * Linux takes the lock of the whole address space for each, and our other threads wait.
 */
TESSERA_EXPORT double tessera_read_new(int32_t fd, void *bytes, double length, double offset, uint64_t *stats);
TESSERA_EXPORT double tessera_pwrite(int32_t fd, const void *bytes, double length, double offset, uint64_t *stats);
/* `segments`: address and length of each, as doubles. */
TESSERA_EXPORT double tessera_preadv(int32_t fd, const double *segments, int32_t count, double offset, uint64_t *stats);
TESSERA_EXPORT double tessera_pwritev(int32_t fd, const double *segments, int32_t count, double offset, uint64_t *stats);
/*
 * | result | 0    | 1                      | 2      | 3                | 4           | 5         | 6               |
 * | ------ | ---- | ---------------------- | ------ | ---------------- | ----------- | --------- | --------------- |
 * |        | size | 1 file, 2 folder, or 0 | device | inode / 2^32     | inode % 2^32 | mtime (s) | mtime (ns part) |
 */
TESSERA_EXPORT int32_t tessera_fstat(int32_t fd, double *result, uint64_t *stats);
/* 1 when what any process writes to the file is seen at once in its map: on file systems of this machine that are known. */
TESSERA_EXPORT int32_t tessera_is_local(int32_t fd, uint64_t *stats);
TESSERA_EXPORT int32_t tessera_ftruncate(int32_t fd, double length, uint64_t *stats);
TESSERA_EXPORT int32_t tessera_fdatasync(int32_t fd, uint64_t *stats);
TESSERA_EXPORT int32_t tessera_fsync(int32_t fd, uint64_t *stats);
/*
 * sync.c: waits for several files at once, tessera_fdatasync of the first `whole` and tessera_fsync of the others.
 * 0, or -errno of one that failed; the others were waited for all the same.
 */
TESSERA_EXPORT int32_t tessera_sync_all(const int32_t *fds, int32_t count, int32_t whole, uint64_t *stats);
/* Asks the system to forget a file's clean pages (length 0: to the end); -ENOSYS where it can't be asked. */
TESSERA_EXPORT int32_t tessera_forget(int32_t fd, double offset, double length, uint64_t *stats);
/* Address of a buffer, to find out how it is aligned. */
TESSERA_EXPORT double tessera_address(const void *bytes);

/*
 * direct.c: past the page cache. tessera_direct_open opens the file of `fd` anew with O_DIRECT: the descriptor, and in
 * `found` the alignment of memory and the size of a block, both in bytes; or -errno and in found[2] the reason.
 * tessera_direct_try does that with a file without a name in a directory: 0 or -errno.
 */
enum {
  TESSERA_DIRECT_UNKNOWN,
  TESSERA_DIRECT_NO_SYSTEM,    /* this system doesn't have O_DIRECT */
  TESSERA_DIRECT_IN_MEMORY,    /* a file system without a disk */
  TESSERA_DIRECT_REFUSED,      /* open failed */
  TESSERA_DIRECT_NOT_FOR_FILE, /* the file system can't do it with this file */
};
TESSERA_EXPORT int32_t tessera_direct_open(int32_t fd, int32_t writing, double *found, uint64_t *stats);
TESSERA_EXPORT int32_t tessera_direct_try(const char *directory, double *found);
/*
 * As tessera_pread and tessera_pwrite. `alignment`: memory and block, as above, and 1 if nobody else writes to the file
 * meanwhile: the last block may be padded, and the file cut. `scratch` begins at a multiple of the
 * alignment and has room for a block at least. `moved` gets the bytes that went straight between disk and array added to
 * its first double, those that were copied on the way to its second.
 */
TESSERA_EXPORT double tessera_direct_read(int32_t fd, int32_t direct, void *target, double length, double offset,
                                          const double *alignment, void *scratch, double scratch_bytes, double *moved,
                                          uint64_t *stats);
TESSERA_EXPORT double tessera_direct_write(int32_t fd, int32_t direct, const void *source, double length,
                                           double offset, const double *alignment, void *scratch,
                                           double scratch_bytes, double *moved, uint64_t *stats);

/* lock.c: byte-range locks, of the open file description where the system has them. Never waits. */
#define TESSERA_UNLOCK 0
#define TESSERA_LOCK_READ 1
#define TESSERA_LOCK_WRITE 2
TESSERA_EXPORT int32_t tessera_lock(int32_t fd, int32_t kind, double start, double length, uint64_t *stats);
/* The lock that is in the way: 0 for none, else 1 for a read lock and 2 for a write lock. */
TESSERA_EXPORT int32_t tessera_lock_test(int32_t fd, int32_t kind, double start, double length, uint64_t *stats);
/* 1 where locks belong to the open file description, 0 where they belong to the process. */
TESSERA_EXPORT int32_t tessera_lock_owner(void);

/* map.c: mapped files. Addresses cross as doubles. */
#define TESSERA_MAP_READ 0 /* shared, read-only: for tessera_map_copy and tessera_gather_map */
#define TESSERA_MAP_VIEW 1 /* private copy-on-write, registered: for the engine's own loads and stores */
TESSERA_EXPORT double tessera_map(int32_t fd, double offset, double length, int32_t kind, uint64_t *stats);
TESSERA_EXPORT int32_t tessera_unmap(double address, double length, uint64_t *stats);
/* Zero pages in place of a map that somebody may still look at. */
TESSERA_EXPORT int32_t tessera_map_zero(double address, double length, uint64_t *stats);
/* `advice`: 0 normal, 1 sequential, 2 random, 3 will need, 4 don't need. */
TESSERA_EXPORT int32_t tessera_madvise(double address, double length, int32_t advice, uint64_t *stats);
TESSERA_EXPORT int32_t tessera_msync(double address, double length, uint64_t *stats);
TESSERA_EXPORT double tessera_page_size(void);
/* Copies out of a map; -EIO when the file has become shorter meanwhile. */
TESSERA_EXPORT double tessera_map_copy(double address, double length, void *target, uint64_t *stats);
/* The same for a few bytes that others change to say that they changed something; not counted. */
TESSERA_EXPORT double tessera_map_look(double address, double length, void *target);
/* Zero pages that were put under views because their file had become shorter: in all, and under one view. */
TESSERA_EXPORT double tessera_map_faults(void);
TESSERA_EXPORT double tessera_view_faults(double address);

/*
 * 1 when some of a few pages of extents (as those of tessera_gather_map) that are looked at are not in memory, else 0.
 * Linux tells only who owns the file or may write it; others hear that all are there.
 */
TESSERA_EXPORT int32_t tessera_map_missing(double address, double map_bytes, const double *extents,
                                           int32_t extent_count);
/*
 * Asks the system to bring extents into memory, without waiting: just them, where a fault would read on all sides of a
 * page. Stretches that are so long that reading on serves them better are left to their faults.
 */
TESSERA_EXPORT int32_t tessera_map_want(double address, double map_bytes, const double *extents, int32_t extent_count,
                                        uint64_t *stats);

/* Runs `work`; -EIO when it touched bytes of [start, start + length) that their file no longer has. */
double tessera_guarded(const void *start, size_t length, double (*work)(void *), void *argument);

/* memory.c: the pages of memory that is about to be written, and that perhaps nobody touched so far. Its bytes stay. */
#define TESSERA_TOUCH_BYTES ((size_t)1 << 20)
void tessera_touch(void *bytes, size_t length);

/* swap.c: byte order. `unit` is 2, 4 or 8; `length` is in bytes, a multiple of `unit`. */
TESSERA_EXPORT int32_t tessera_swap(void *bytes, double length, int32_t unit);
void tessera_swap_copy(void *target, const void *source, size_t length, int unit);

/*
 * crc32c.c: CRC-32C of `length` bytes behind bytes whose checksum is `seed` (0 for none); 32 bits, as a signed number.
 */
TESSERA_EXPORT int32_t tessera_crc32c(const void *bytes, double length, double seed);

/* stream.c: copies past the cache, for more bytes than it holds. `unit` 1 copies as it is. */
#define TESSERA_STREAM_BYTES ((size_t)4 << 20)
void tessera_stream_copy(void *target, const void *source, size_t length, int unit);
/* The same in parts: another thread may read the target when the last part was followed by the end. */
void tessera_stream_part(void *target, const void *source, size_t length, int unit);
void tessera_stream_end(void);

/* bits.c: bits, least significant first, and bytes of 0 and 1. */
TESSERA_EXPORT int32_t tessera_unpack_bits(const uint8_t *source, double source_bytes, double bit, uint8_t *target,
                                           double target_bytes, double count);
TESSERA_EXPORT int32_t tessera_pack_bits(const uint8_t *source, double source_bytes, uint8_t *target,
                                         double target_bytes, double bit, double count);
void tessera_bits_to_bytes(const uint8_t *source, uint64_t bit, uint8_t *target, uint64_t count);
void tessera_bytes_to_bits(const uint8_t *source, uint8_t *target, uint64_t bit, uint64_t count);

/*
 * dysco.c: a box of packed symbols to floats, see src/array/symbols.ts. `box` has 10 doubles: bits, items, copies, first
 * symbol; rows, channels, correlations; the step of each in symbols. `levels` NULL: a symbol stands for itself. -EINVAL when
 * anything leaves its buffer; nothing has changed then.
 */
TESSERA_EXPORT int32_t tessera_decode_symbols(const double *box, const uint8_t *stream, double stream_bytes,
                                              const double *levels, double level_count, const double *channel,
                                              double channel_count, const double *row, double row_count,
                                              uint8_t *target, double target_bytes);

/*
 * dysco_encode.c: float visibilities or weights to a column's part of a block, see src/array/visibility-block.ts and
 * weight-block.ts. `block` has 8 doubles: scaling (0 AF, 1 RF, 2 Row), rows, rows of the block, channels, correlations,
 * antennas, bits, seed. -EINVAL when anything leaves its buffer; nothing has changed then.
 */
TESSERA_EXPORT int32_t tessera_encode_visibilities(const double *block, const uint8_t *values, double value_bytes,
                                                   const double *levels, double level_count, const uint32_t *guide,
                                                   double guide_count, double scale, const int32_t *first,
                                                   const int32_t *second, double baseline_count, double *scratch,
                                                   double scratch_count, uint8_t *target, double target_bytes);
TESSERA_EXPORT int32_t tessera_encode_weights(double rows, double block_rows, double channels, double correlations,
                                              int32_t bits, const uint8_t *values, double value_bytes, uint8_t *target,
                                              double target_bytes);

/*
 * moves.c: boxes from a file's bytes to an array and back. A move is 2 + 3 * ndim doubles, see src/array/moves.ts.
 * All moves are checked before the first byte changes. Results: 0, or 1 + the number (in the list) of the first move
 * that is malformed, leaves its buffers, or has more elements than its target holds.
 */
#define TESSERA_MAX_AXES 64
#define TESSERA_KIND_BYTES 0
#define TESSERA_KIND_BITS 1
TESSERA_EXPORT double tessera_gather(const double *moves, double first, double count, int32_t kind, int32_t ndim,
                                     int32_t element, int32_t unit, const uint8_t *file, double file_bytes,
                                     double file_offset, uint8_t *array, double array_bytes);
TESSERA_EXPORT double tessera_scatter(const double *moves, double first, double count, int32_t kind, int32_t ndim,
                                      int32_t element, int32_t unit, const uint8_t *array, double array_bytes,
                                      uint8_t *file, double file_bytes, double file_offset);

/*
 * The same from a file, extent by extent: `extents` has 4 doubles each, offset and length in the file, first move and
 * number of moves. Extents that follow one another in the file are read together as far as `scratch` reaches; it must
 * hold the largest. From a map: `address` is that of the file's byte 0.
 * Results also: -errno, and -(TESSERA_SHORT + i) when the file ends before extent i does.
 */
#define TESSERA_SHORT 1000000.0
TESSERA_EXPORT double tessera_gather_file(int32_t fd, const double *extents, int32_t extent_count,
                                          const double *moves, double move_count, int32_t kind, int32_t ndim,
                                          int32_t element, int32_t unit, uint8_t *array, double array_bytes,
                                          uint8_t *scratch, double scratch_bytes, uint64_t *stats);
/* Lays moves over zeros in `scratch` and writes its first `length` bytes at `offset`; a bad move: nothing is written. */
TESSERA_EXPORT double tessera_scatter_file(int32_t fd, double offset, double length, const double *moves,
                                           double first, double count, int32_t kind, int32_t ndim, int32_t element,
                                           int32_t unit, const uint8_t *array, double array_bytes, uint8_t *scratch,
                                           double scratch_bytes, uint64_t *stats);
TESSERA_EXPORT double tessera_gather_map(double address, double map_bytes, const double *extents, int32_t extent_count,
                                         const double *moves, double move_count, int32_t kind, int32_t ndim,
                                         int32_t element, int32_t unit, uint8_t *array, double array_bytes,
                                         uint64_t *stats);
#endif
