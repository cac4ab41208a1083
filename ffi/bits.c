/*
 * Bits as the format stores Bool: least significant bit first, eight to a byte, starting anywhere in a byte; in memory
 * one byte of 0 or 1 each. Format reference part 1, section 1; part 4, section "Bool".
 */
#include "tessera.h"

#include <errno.h>
#include <string.h>

/* Bit k of `bits` as byte k (in memory order) of a word. */
static inline uint64_t spread(unsigned bits) {
  /* The product puts bits 0 … 6 each at the bottom of its byte; a seventh shifted copy would carry, so bit 7 goes alone. */
  uint64_t word = (((uint64_t)(bits & 0x7f) * 0x02040810204081u) & 0x0101010101010101u) | ((uint64_t)(bits & 0x80) << 49);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* The inverse, taking any byte but 0 as 1. */
static inline uint8_t collect(uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  const uint64_t low = 0x7f7f7f7f7f7f7f7fu;
  word = ((((word & low) + low) | word) >> 7) & 0x0101010101010101u;
  return (uint8_t)((word * 0x0102040810204080u) >> 56);
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* 32 bits at a time. `target` is 32-byte aligned; `past_cache`: it won't fit there, don't fetch it first. */
__attribute__((target("avx2"))) static void spread_wide(const uint8_t *from, unsigned shift, uint8_t *target,
                                                        uint64_t groups, int past_cache) {
  const __m256i place = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i mask = _mm256_set1_epi64x((long long)0x8040201008040201u);
  const __m256i one = _mm256_set1_epi8(1);
  for (; groups > 0; groups--, from += 4, target += 32) {
    uint32_t bits;
    memcpy(&bits, from, 4);
    if (shift != 0) bits = bits >> shift | (uint32_t)from[4] << (32 - shift);
    __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), place);
    bytes = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(bytes, mask), mask), one);
    if (past_cache) _mm256_stream_si256((__m256i *)(void *)target, bytes);
    else _mm256_store_si256((__m256i *)(void *)target, bytes);
  }
  if (past_cache) _mm_sfence();
}

/* The inverse for 32 bytes at a time. */
__attribute__((target("avx2"))) static void collect_wide(const uint8_t *from, uint8_t *to, uint64_t groups) {
  const __m256i zero = _mm256_setzero_si256();
  for (; groups > 0; groups--, from += 32, to += 4) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)from);
    uint32_t bits = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, zero));
    memcpy(to, &bits, 4);
  }
}

static int wide(void) { return __builtin_cpu_supports("avx2"); }
#else
static void collect_wide(const uint8_t *from, uint8_t *to, uint64_t groups) { (void)from, (void)to, (void)groups; }

static void spread_wide(const uint8_t *from, unsigned shift, uint8_t *target, uint64_t groups, int past_cache) {
  (void)from, (void)shift, (void)target, (void)groups, (void)past_cache;
}

static int wide(void) { return 0; }
#endif

/* Fewer bits are not worth finding out what the processor can do. */
#define WIDE_BITS 256

void tessera_bits_to_bytes(const uint8_t *source, uint64_t bit, uint8_t *target, uint64_t count) {
  if (count >= WIDE_BITS && wide()) {
    uint64_t head = (32 - ((uintptr_t)target & 31)) & 31, groups = (count - head) / 32;
    if (head > 0) tessera_bits_to_bytes(source, bit, target, head);
    bit += head;
    spread_wide(source + (bit >> 3), (unsigned)(bit & 7), target + head, groups, count >= TESSERA_STREAM_BYTES);
    head += groups * 32;
    bit += groups * 32;
    target += head;
    count -= head;
  }
  const uint8_t *from = source + (bit >> 3);
  unsigned shift = (unsigned)(bit & 7);
  if (shift == 0) {
    for (; count >= 8; count -= 8, from++, target += 8) {
      uint64_t word = spread(*from);
      memcpy(target, &word, 8);
    }
  } else {
    for (; count >= 8; count -= 8, from++, target += 8) {
      uint64_t word = spread(((unsigned)from[0] >> shift | (unsigned)from[1] << (8 - shift)) & 0xff);
      memcpy(target, &word, 8);
    }
  }
  for (unsigned i = 0; i < count; i++) {
    unsigned at = shift + i;
    target[i] = (from[at >> 3] >> (at & 7)) & 1;
  }
}

static inline void set_bit(uint8_t *bytes, uint64_t bit, uint8_t value) {
  uint8_t mask = (uint8_t)(1u << (bit & 7));
  bytes[bit >> 3] = (uint8_t)(value ? bytes[bit >> 3] | mask : bytes[bit >> 3] & ~mask);
}

void tessera_bytes_to_bits(const uint8_t *source, uint8_t *target, uint64_t bit, uint64_t count) {
  for (; count > 0 && (bit & 7) != 0; count--) set_bit(target, bit++, *source++);
  if (count >= WIDE_BITS && wide()) {
    uint64_t groups = count / 32;
    collect_wide(source, target + (bit >> 3), groups);
    bit += groups * 32;
    source += groups * 32;
    count -= groups * 32;
  }
  for (uint8_t *to = target + (bit >> 3); count >= 8; count -= 8, bit += 8, source += 8) {
    uint64_t word;
    memcpy(&word, source, 8);
    *to++ = collect(word);
  }
  for (; count > 0; count--) set_bit(target, bit++, *source++);
}

/* Nonzero when `count` bits from `bit` on lie within `bytes` bytes. */
static int reaches(double bytes, double bit, double count) {
  return tessera_whole(bytes) >= 0 && tessera_whole(bit) >= 0 && tessera_whole(count) >= 0 && bit + count <= bytes * 8;
}

int32_t tessera_unpack_bits(const uint8_t *source, double source_bytes, double bit, uint8_t *target,
                            double target_bytes, double count) {
  if (!reaches(source_bytes, bit, count) || !(count <= target_bytes)) return -EINVAL;
  tessera_bits_to_bytes(source, (uint64_t)bit, target, (uint64_t)count);
  return 0;
}

int32_t tessera_pack_bits(const uint8_t *source, double source_bytes, uint8_t *target, double target_bytes,
                          double bit, double count) {
  if (!reaches(target_bytes, bit, count) || !(count <= source_bytes)) return -EINVAL;
  tessera_bytes_to_bits(source, target, (uint64_t)bit, (uint64_t)count);
  return 0;
}
