/*
 * Memory of a result, most of which nobody ever touched: the system gives such pages one by one as they are written,
 * each by a fault that costs as much as copying two pages. Asked for a MiB at once they cost two thirds of that, and
 * while they are still in the processor's cache they are filled.
 */
#ifdef __linux__
#define _GNU_SOURCE /* mincore, MADV_* */
#endif
#include "tessera.h"

#include <sys/mman.h>

#ifdef __linux__
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; older ones refuse it, and pages come one by one */
#endif
/* Smallest page of any Linux: a range that is rounded to it may be refused elsewhere, and nothing is lost. */
#define PAGE_BYTES ((uintptr_t)4096)
/* Bytes of one call. */
#define STEP_BYTES ((uintptr_t)256 << 10)

void tessera_touch(void *bytes, size_t length) {
  uintptr_t start = ((uintptr_t)bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  uintptr_t end = ((uintptr_t)bytes + length) & ~(PAGE_BYTES - 1);
  while (start < end) {
    uintptr_t next = end - start > TESSERA_TOUCH_BYTES ? start + TESSERA_TOUCH_BYTES : end;
    unsigned char there = 1;
    /* One page speaks for its neighbours: arrays are filled from one end to the other. */
    void *middle = (void *)((start + (next - start) / 2) & ~(PAGE_BYTES - 1));
    if (mincore(middle, PAGE_BYTES, &there) == 0 && !(there & 1)) {
      /* Nobody can map or unmap anything within one call. */
      for (uintptr_t at = start; at < next; at += STEP_BYTES) {
        uintptr_t step = next - at < STEP_BYTES ? next - at : STEP_BYTES;
        if (madvise((void *)at, step, MADV_POPULATE_WRITE) != 0) return;
      }
    }
    start = next;
  }
}
#else
void tessera_touch(void *bytes, size_t length) { (void)bytes, (void)length; }
#endif
