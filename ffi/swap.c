/* Byte order: reverses each group of 2, 4 or 8 bytes, in place or on the way to another buffer. */
#include "tessera.h"

#include <errno.h>
#include <string.h>

/* Eight bytes at a time for every unit: groups lie side by side in the word, so two shifts do what no instruction does. */
static inline uint64_t reverse2(uint64_t w) {
  return ((w & 0x00ff00ff00ff00ffu) << 8) | ((w >> 8) & 0x00ff00ff00ff00ffu);
}

static inline uint64_t reverse4(uint64_t w) {
  w = __builtin_bswap64(w);
  return (w << 32) | (w >> 32);
}

static inline uint64_t reverse8(uint64_t w) { return __builtin_bswap64(w); }

#define SWAP_LOOP(reverse)                \
  for (; length >= 8; length -= 8) {      \
    uint64_t word;                        \
    memcpy(&word, from, 8);               \
    word = reverse(word);                 \
    memcpy(to, &word, 8);                 \
    from += 8;                            \
    to += 8;                              \
  }

void tessera_swap_copy(void *target, const void *source, size_t length, int unit) {
  uint8_t *to = target;
  const uint8_t *from = source;
  if (unit == 2) {
    SWAP_LOOP(reverse2)
    for (; length >= 2; length -= 2, from += 2, to += 2) {
      uint8_t first = from[0];
      to[0] = from[1];
      to[1] = first;
    }
  } else if (unit == 4) {
    SWAP_LOOP(reverse4)
    if (length >= 4) {
      uint32_t word;
      memcpy(&word, from, 4);
      word = __builtin_bswap32(word);
      memcpy(to, &word, 4);
    }
  } else {
    SWAP_LOOP(reverse8)
  }
}

int32_t tessera_swap(void *bytes, double length, int32_t unit) {
  int64_t size = tessera_whole(length);
  if (size < 0 || (unit != 2 && unit != 4 && unit != 8) || size % unit != 0) return -EINVAL;
  tessera_swap_copy(bytes, bytes, (size_t)size, unit);
  return 0;
}
