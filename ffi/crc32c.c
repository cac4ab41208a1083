/*
 * CRC-32C (Castagnoli): polynomial 0x1EDC6F41, least significant bit first. Processors have an instruction that takes 8
 * bytes, and can begin a new one every cycle although each takes three: so long inputs go in three streams side by side,
 * whose registers are joined afterwards. Joining needs what a number of zero bytes does to a register: a linear map,
 * kept as a table for each of its four bytes.
 *
 * Where there is no such instruction, eight tables take 8 bytes a step.
 */
#include "tessera.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78U
/* Bytes of a stream: long ones as long as that is possible, then short ones. */
#define LONG_BYTES 8192
#define SHORT_BYTES 256

/* By byte: what it does when k other bytes follow it. */
static uint32_t table[8][256];
/* By byte of the register: what LONG_BYTES or SHORT_BYTES zeros make of it. */
static uint32_t after_long[4][256], after_short[4][256];

/* The register after `count` zero bytes, one at a time. */
static uint32_t zeros(uint32_t crc, size_t count) {
  for (; count > 0; count--) crc = crc >> 8 ^ table[0][crc & 255];
  return crc;
}

static void make_after(uint32_t after[4][256], size_t count) {
  uint32_t bit[32];
  for (int i = 0; i < 32; i++) bit[i] = zeros((uint32_t)1 << i, count);
  for (int byte = 0; byte < 4; byte++) {
    for (uint32_t value = 0; value < 256; value++) {
      uint32_t sum = 0;
      for (int i = 0; i < 8; i++) {
        if (value >> i & 1) sum ^= bit[8 * byte + i];
      }
      after[byte][value] = sum;
    }
  }
}

/* Before anybody can call: threads need not agree on who does it. */
__attribute__((constructor)) static void make_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int i = 0; i < 8; i++) crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    table[0][byte] = crc;
  }
  for (int k = 1; k < 8; k++) {
    for (int byte = 0; byte < 256; byte++) {
      table[k][byte] = table[k - 1][byte] >> 8 ^ table[0][table[k - 1][byte] & 255];
    }
  }
  make_after(after_long, LONG_BYTES);
  make_after(after_short, SHORT_BYTES);
}

static uint64_t word_at(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

static uint32_t by_table(uint32_t crc, const uint8_t *bytes, size_t length) {
  for (; length >= 8; length -= 8, bytes += 8) {
    uint32_t low = crc ^ ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                          (uint32_t)bytes[3] << 24);
    crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^
          table[3][bytes[4]] ^ table[2][bytes[5]] ^ table[1][bytes[6]] ^ table[0][bytes[7]];
  }
  for (; length > 0; length--, bytes++) crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 255];
  return crc;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define WITH_INSTRUCTION __attribute__((target("sse4.2")))
#define STEP(crc, bytes) ((uint32_t)_mm_crc32_u64(crc, word_at(bytes)))
#define STEP_BYTE(crc, byte) _mm_crc32_u8(crc, byte)
static int has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__) && defined(__GNUC__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define WITH_INSTRUCTION
#define STEP(crc, bytes) __crc32cd(crc, word_at(bytes))
#define STEP_BYTE(crc, byte) __crc32cb(crc, byte)
static int has_instruction(void) { return 1; }
#elif defined(__aarch64__) && defined(__GNUC__) && defined(__linux__)
#include <sys/auxv.h>
#define CRC_CAPABILITY (1UL << 7) /* HWCAP_CRC32 */
#define WITH_INSTRUCTION __attribute__((target("+crc")))
/* As text, since the names of the header are only there when the compiler may use the instruction everywhere. */
WITH_INSTRUCTION static inline uint32_t step(uint32_t crc, uint64_t word) {
  __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
  return crc;
}
WITH_INSTRUCTION static inline uint32_t step_byte(uint32_t crc, uint8_t byte) {
  __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)byte));
  return crc;
}
#define STEP(crc, bytes) step(crc, word_at(bytes))
#define STEP_BYTE(crc, byte) step_byte(crc, byte)
static int has_instruction(void) { return (getauxval(AT_HWCAP) & CRC_CAPABILITY) != 0; }
#endif

#ifdef WITH_INSTRUCTION
static uint32_t join(const uint32_t after[4][256], uint32_t crc) {
  return after[0][crc & 255] ^ after[1][crc >> 8 & 255] ^ after[2][crc >> 16 & 255] ^ after[3][crc >> 24];
}

/* As many triples of streams of `stream` bytes as there are; what is left is told through the pointers. */
WITH_INSTRUCTION static inline uint32_t triples(uint32_t crc, const uint8_t **bytes, size_t *length, size_t stream,
                                                const uint32_t after[4][256]) {
  const uint8_t *at = *bytes;
  size_t left = *length;
  for (; left >= 3 * stream; left -= 3 * stream, at += 2 * stream) {
    uint32_t second = 0, third = 0;
    for (const uint8_t *end = at + stream; at < end; at += 8) {
      crc = STEP(crc, at);
      second = STEP(second, at + stream);
      third = STEP(third, at + 2 * stream);
    }
    crc = join(after, join(after, crc) ^ second) ^ third;
  }
  *bytes = at;
  *length = left;
  return crc;
}

WITH_INSTRUCTION static uint32_t by_instruction(uint32_t crc, const uint8_t *bytes, size_t length) {
  crc = triples(crc, &bytes, &length, LONG_BYTES, after_long);
  crc = triples(crc, &bytes, &length, SHORT_BYTES, after_short);
  for (; length >= 8; length -= 8, bytes += 8) crc = STEP(crc, bytes);
  for (; length > 0; length--, bytes++) crc = STEP_BYTE(crc, *bytes);
  return crc;
}
#endif

int32_t tessera_crc32c(const void *bytes, double length, double seed) {
  uint32_t crc = ~(uint32_t)(int64_t)seed;
  size_t count = (size_t)length;
#ifdef WITH_INSTRUCTION
  if (has_instruction()) return (int32_t)~by_instruction(crc, bytes, count);
#endif
  return (int32_t)~by_table(crc, bytes, count);
}
