/*
 * Mapped files, and what happens when a file becomes shorter than its map.
 *
 * The system answers a touch of a page that its file no longer has with SIGBUS on the thread that touched it. The
 * handler tells three cases apart by the address:
 *
 *   | address                                    | what it does                                                     |
 *   | ------------------------------------------ | ---------------------------------------------------------------- |
 *   | in the map that this thread is copying from | leaves the copy by siglongjmp; the call gives -EIO               |
 *   | in a registered view                       | puts a zero page there and counts it; the load or store goes on  |
 *   | anywhere else                              | hands it to the handler that was there before                    |
 *
 * It uses atomics, a thread-local pointer and the mmap call only, nothing that takes a lock.
 */
#ifdef __linux__
#define _GNU_SOURCE /* MAP_NORESERVE, MADV_* with one name on every C library */
#endif
#include "tessera.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

/* A copy that may be cut short. */
typedef struct {
  uintptr_t start, end;
  sigjmp_buf leave;
} guard;

/*
 * The general way to reach a thread-local variable of a loaded library may allocate on a thread's first use, which a
 * signal handler must not; glibc keeps room for a few in every thread.
 */
#ifdef __GLIBC__
#define IN_EVERY_THREAD __attribute__((tls_model("initial-exec")))
#else
#define IN_EVERY_THREAD
#endif
static _Thread_local guard *volatile current IN_EVERY_THREAD;

/* A view; start 0 means the slot is free. Slots are never given back, so that the handler may walk the list any time. */
typedef struct view {
  _Atomic uintptr_t start, end;
  _Atomic uint64_t faults;
  _Atomic int taken;
  struct view *next;
} view;

static _Atomic(view *) views;
static _Atomic uint64_t faults;
static struct sigaction previous;
static long page_bytes;

static int zero_pages(uintptr_t address, size_t length) {
  void *got = mmap((void *)address, length, PROT_READ | PROT_WRITE,
                   MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return got == MAP_FAILED ? -errno : 0;
}

static void hand_on(int signal_number, siginfo_t *info, void *context) {
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal_number, info, context);
    return;
  }
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal_number);
    return;
  }
  int from_the_processor = info->si_code > 0;
  if (!from_the_processor && previous.sa_handler == SIG_IGN) return;
  /* The default ends the process. A fault comes again as soon as this returns; a sent signal must be sent again. */
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  sigaction(signal_number, &standard, NULL);
  if (!from_the_processor) raise(signal_number);
}

static void on_fault(int signal_number, siginfo_t *info, void *context) {
  int saved = errno;
  uintptr_t at = (uintptr_t)info->si_addr;
  if (info->si_code > 0) {
    guard *g = current;
    if (g && at >= g->start && at < g->end) {
      current = NULL;
      siglongjmp(g->leave, 1);
    }
    for (view *v = atomic_load_explicit(&views, memory_order_acquire); v; v = v->next) {
      uintptr_t start = atomic_load_explicit(&v->start, memory_order_acquire);
      if (start == 0 || at < start || at >= atomic_load_explicit(&v->end, memory_order_acquire)) continue;
      uintptr_t page = at - at % (uintptr_t)page_bytes;
      if (zero_pages(page, (size_t)page_bytes) != 0) break;
      atomic_fetch_add(&v->faults, 1);
      atomic_fetch_add(&faults, 1);
      errno = saved;
      return;
    }
  }
  hand_on(signal_number, info, context);
  errno = saved;
}

/* Puts the handler in place, once, before the first map. Two isolates may come here at the same time. */
static void install(void) {
  static _Atomic int state; /* 0 not yet, 1 somebody is at it, 2 done */
  if (atomic_load_explicit(&state, memory_order_acquire) == 2) return;
  int fresh = 0;
  if (!atomic_compare_exchange_strong(&state, &fresh, 1)) {
    while (atomic_load_explicit(&state, memory_order_acquire) != 2) continue;
    return;
  }
  page_bytes = sysconf(_SC_PAGESIZE);
  struct sigaction ours;
  memset(&ours, 0, sizeof ours);
  sigemptyset(&ours.sa_mask);
  ours.sa_sigaction = on_fault;
  /* NODEFER: siglongjmp then finds the signal unblocked without a call to restore the mask. ONSTACK: for those before us. */
  ours.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  sigaction(SIGBUS, NULL, &previous); /* first, so that a fault in between finds it */
  sigaction(SIGBUS, &ours, NULL);
  atomic_store_explicit(&state, 2, memory_order_release);
}

static view *take_slot(void) {
  for (view *v = atomic_load(&views); v; v = v->next) {
    int unused = 0;
    if (atomic_compare_exchange_strong(&v->taken, &unused, 1)) return v;
  }
  view *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  atomic_store(&made->taken, 1);
  made->next = atomic_load(&views);
  while (!atomic_compare_exchange_weak(&views, &made->next, made)) continue;
  return made;
}

static view *find_view(uintptr_t address) {
  for (view *v = atomic_load(&views); v; v = v->next) {
    if (atomic_load(&v->start) == address) return v;
  }
  return NULL;
}

static void forget_view(uintptr_t address) {
  view *v = find_view(address);
  if (!v) return;
  atomic_store(&v->start, 0);
  atomic_store(&v->end, 0);
  atomic_store(&v->taken, 0);
}

double tessera_map(int32_t fd, double offset, double length, int32_t kind, uint64_t *stats) {
  int64_t at = tessera_whole(offset), size = tessera_whole(length);
  if (at < 0 || size < 1 || (kind != TESSERA_MAP_READ && kind != TESSERA_MAP_VIEW)) return -EINVAL;
  install();
  int protection = PROT_READ, sharing = MAP_SHARED;
  view *slot = NULL;
  if (kind == TESSERA_MAP_VIEW) {
    /* JavaScript may write wherever it may read: it writes its own copy of the page, never the file. */
    protection = PROT_READ | PROT_WRITE;
    sharing = MAP_PRIVATE | MAP_NORESERVE;
    slot = take_slot();
    if (!slot) return -ENOMEM;
  }
  uint64_t started = tessera_clock(stats);
  void *got = mmap(NULL, (size_t)size, protection, sharing, fd, (off_t)at);
  int error = errno;
  tessera_count(stats, TESSERA_MAP, started, 0);
  if (got == MAP_FAILED) {
    if (slot) atomic_store(&slot->taken, 0);
    return -error;
  }
  if (slot) {
    atomic_store(&slot->faults, 0);
    atomic_store(&slot->end, (uintptr_t)got + (size_t)size);
    atomic_store(&slot->start, (uintptr_t)got);
  }
  return (double)(uintptr_t)got;
}

int32_t tessera_unmap(double address, double length, uint64_t *stats) {
  int64_t at = tessera_whole(address), size = tessera_whole(length);
  if (at <= 0 || size < 1) return -EINVAL;
  forget_view((uintptr_t)at);
  uint64_t started = tessera_clock(stats);
  int status = munmap((void *)(uintptr_t)at, (size_t)size);
  int error = errno;
  tessera_count(stats, TESSERA_UNMAP, started, 0);
  return status == 0 ? 0 : -error;
}

int32_t tessera_map_zero(double address, double length, uint64_t *stats) {
  int64_t at = tessera_whole(address), size = tessera_whole(length);
  if (at <= 0 || size < 1) return -EINVAL;
  uint64_t started = tessera_clock(stats);
  int status = zero_pages((uintptr_t)at, (size_t)size);
  tessera_count(stats, TESSERA_UNMAP, started, 0);
  if (status == 0) forget_view((uintptr_t)at);
  return status;
}

int32_t tessera_madvise(double address, double length, int32_t advice, uint64_t *stats) {
  static const int codes[] = {MADV_NORMAL, MADV_SEQUENTIAL, MADV_RANDOM, MADV_WILLNEED, MADV_DONTNEED};
  int64_t at = tessera_whole(address), size = tessera_whole(length);
  if (at <= 0 || size < 1 || advice < 0 || advice >= (int32_t)(sizeof codes / sizeof *codes)) return -EINVAL;
  uint64_t started = tessera_clock(stats);
  int status = madvise((void *)(uintptr_t)at, (size_t)size, codes[advice]);
  int error = errno;
  tessera_count(stats, TESSERA_ADVISE, started, 0);
  return status == 0 ? 0 : -error;
}

int32_t tessera_msync(double address, double length, uint64_t *stats) {
  int64_t at = tessera_whole(address), size = tessera_whole(length);
  if (at <= 0 || size < 1) return -EINVAL;
  uint64_t started = tessera_clock(stats);
  int status = msync((void *)(uintptr_t)at, (size_t)size, MS_SYNC);
  int error = errno;
  tessera_count(stats, TESSERA_MSYNC, started, 0);
  return status == 0 ? 0 : -error;
}

double tessera_page_size(void) { return (double)sysconf(_SC_PAGESIZE); }

double tessera_map_faults(void) { return (double)atomic_load(&faults); }

double tessera_view_faults(double address) {
  view *v = find_view((uintptr_t)address);
  return v ? (double)atomic_load(&v->faults) : 0;
}

/* Stretches apart by no more than this are read together; longer ones than the second come best by reading on. */
#define NEAR_BYTES ((uintptr_t)16 << 10)
#define WANT_BYTES ((uintptr_t)4 << 20)
/* Pages that are looked at before anything is asked for. */
#define LOOKS 4

#ifdef __linux__
/* True when a page is not in memory. Who may not know (files that aren't ours, Linux 5.2) is told that all are. */
static int is_missing(uintptr_t address) {
  unsigned char there = 1;
  return mincore((void *)(address & ~((uintptr_t)page_bytes - 1)), 1, &there) == 0 && !(there & 1);
}

static int are_within(double address, double map_bytes, const double *extents, int32_t count) {
  if (tessera_whole(address) <= 0 || tessera_whole(map_bytes) < 0 || count < 0) return 0;
  for (int32_t i = 0; i < count; i++) {
    const double *e = extents + 4 * i;
    if (tessera_whole(e[0]) < 0 || tessera_whole(e[1]) < 0 || e[0] + e[1] > map_bytes) return 0;
  }
  return 1;
}

int32_t tessera_map_missing(double address, double map_bytes, const double *extents, int32_t extent_count) {
  if (!are_within(address, map_bytes, extents, extent_count)) return -EINVAL;
  uintptr_t map = (uintptr_t)address;
  /* A look is a call: of several extents a few are looked at, of one its middle and its end. */
  int32_t step = extent_count > LOOKS ? extent_count / LOOKS : 1;
  for (int32_t i = 0; i < extent_count; i += step) {
    const double *e = extents + 4 * i;
    if (e[1] < 1) continue;
    if (is_missing(map + (uintptr_t)(e[0] + e[1] / 2))) return 1;
    if (extent_count == 1 && is_missing(map + (uintptr_t)(e[0] + e[1] - 1))) return 1;
  }
  return 0;
}

static void want(uintptr_t start, uintptr_t end, uint64_t *stats) {
  if (end <= start || end - start > WANT_BYTES) return;
  uintptr_t from = start & ~((uintptr_t)page_bytes - 1);
  uint64_t started = tessera_clock(stats);
  madvise((void *)from, end - from, MADV_WILLNEED);
  tessera_count(stats, TESSERA_ADVISE, started, 0);
}

int32_t tessera_map_want(double address, double map_bytes, const double *extents, int32_t extent_count,
                         uint64_t *stats) {
  if (!are_within(address, map_bytes, extents, extent_count)) return -EINVAL;
  uintptr_t map = (uintptr_t)address, start = 0, end = 0;
  for (int32_t i = 0; i < extent_count; i++) {
    uintptr_t from = map + (uintptr_t)extents[4 * i], to = from + (uintptr_t)extents[4 * i + 1];
    if (from < start || from > end + NEAR_BYTES) {
      want(start, end, stats);
      start = from;
      end = to;
    } else if (to > end) end = to;
  }
  want(start, end, stats);
  return 0;
}
#else
int32_t tessera_map_missing(double address, double map_bytes, const double *extents, int32_t extent_count) {
  (void)address, (void)map_bytes, (void)extents, (void)extent_count;
  return 0;
}

int32_t tessera_map_want(double address, double map_bytes, const double *extents, int32_t extent_count,
                         uint64_t *stats) {
  (void)address, (void)map_bytes, (void)extents, (void)extent_count, (void)stats;
  return 0;
}
#endif

double tessera_guarded(const void *start, size_t length, double (*work)(void *), void *argument) {
  guard g;
  g.start = (uintptr_t)start;
  g.end = (uintptr_t)start + length;
  if (sigsetjmp(g.leave, 0) != 0) return -EIO;
  current = &g;
  atomic_signal_fence(memory_order_seq_cst);
  double result = work(argument);
  atomic_signal_fence(memory_order_seq_cst);
  current = NULL;
  return result;
}

typedef struct {
  void *target;
  const void *source;
  size_t length;
} copy_work;

static double copy(void *argument) {
  const copy_work *w = argument;
  if (w->length < TESSERA_STREAM_BYTES) {
    memcpy(w->target, w->source, w->length);
    return (double)w->length;
  }
  for (size_t at = 0; at < w->length; at += TESSERA_TOUCH_BYTES) {
    size_t part = w->length - at < TESSERA_TOUCH_BYTES ? w->length - at : TESSERA_TOUCH_BYTES;
    tessera_touch((char *)w->target + at, part);
    tessera_stream_copy((char *)w->target + at, (const char *)w->source + at, part, 1);
  }
  return (double)w->length;
}

static double look(void *argument) {
  const copy_work *w = argument;
  memcpy(w->target, w->source, w->length);
  return (double)w->length;
}

double tessera_map_look(double address, double length, void *target) {
  int64_t at = tessera_whole(address), size = tessera_whole(length);
  if (at <= 0 || size < 0) return -EINVAL;
  copy_work work = {target, (const void *)(uintptr_t)at, (size_t)size};
  /* What was copied before was there before the look, and what is copied after it after: a call to read sees to that, too. */
  atomic_thread_fence(memory_order_seq_cst);
  double result = tessera_guarded(work.source, work.length, look, &work);
  atomic_thread_fence(memory_order_seq_cst);
  return result;
}

double tessera_map_copy(double address, double length, void *target, uint64_t *stats) {
  int64_t at = tessera_whole(address), size = tessera_whole(length);
  if (at <= 0 || size < 0) return -EINVAL;
  copy_work work = {target, (const void *)(uintptr_t)at, (size_t)size};
  uint64_t started = tessera_clock(stats);
  double result = tessera_guarded(work.source, work.length, copy, &work);
  tessera_count(stats, TESSERA_COPY, started, result > 0 ? (int64_t)result : 0);
  return result;
}
