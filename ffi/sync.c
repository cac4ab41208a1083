/*
 * Waiting for several files at once. Each wait costs the disk a flush of its own, one after the other; waited for
 * together, the file system writes them in one go. A thread a file, none of which outlives the call.
 */
#include "tessera.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* Threads of one call, ours included; the files are shared out among them. */
#define MOST_THREADS 16

struct waits {
  const int32_t *fds;
  int32_t count, whole, next, result;
  uint64_t *stats;
};

/* Takes the files that nobody has taken yet. */
static void *wait_for(void *given) {
  struct waits *all = given;
  for (;;) {
    int32_t i = __atomic_fetch_add(&all->next, 1, __ATOMIC_RELAXED);
    if (i >= all->count) return NULL;
    int32_t result =
        i < all->whole ? tessera_fdatasync(all->fds[i], all->stats) : tessera_fsync(all->fds[i], all->stats);
    if (result != 0) __atomic_store_n(&all->result, result, __ATOMIC_RELAXED);
  }
}

int32_t tessera_sync_all(const int32_t *fds, int32_t count, int32_t whole, uint64_t *stats) {
  struct waits all = {.fds = fds, .count = count, .whole = whole, .stats = stats};
  pthread_t threads[MOST_THREADS];
  int others = 0;
  sigset_t every, before;
  sigfillset(&every);
  /* Signals are the engine's: none is handled on a thread of ours. */
  int masked = pthread_sigmask(SIG_SETMASK, &every, &before) == 0;
  /* Where no thread can be had, ours does all of it. */
  while (masked && others < count - 1 && others < MOST_THREADS - 1 &&
         pthread_create(&threads[others], NULL, wait_for, &all) == 0) {
    others++;
  }
  if (masked) pthread_sigmask(SIG_SETMASK, &before, NULL);
  wait_for(&all);
  for (int i = 0; i < others; i++) pthread_join(threads[i], NULL);
  return all.result;
}
