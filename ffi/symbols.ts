/**
 * The symbols of the C library, each with the C declaration of its parameters beside it (`tessera.h` documents them).
 *
 * Only `i32`, `f64` and `buffer`: the engine calls C with these in about 10 ns. A `usize`, which may be a bigint,
 * costs 70 ns more. A double holds every offset up to 2^53, and every address.
 *
 * Symbols in `BLOCKING` are called on our thread. Those in `NONBLOCKING` run the same functions on a native thread, at
 * 50–100 µs a round trip; the caller keeps their buffers alive and in place until they are done.
 */

const PREAD = {
  parameters: [
    "i32", // int32_t fd
    "buffer", // void *bytes
    "f64", // double length
    "f64", // double offset
    "buffer", // uint64_t *stats
  ],
  result: "f64", // double
} as const;

const PREADV = {
  parameters: [
    "i32", // int32_t fd
    "buffer", // const double *segments
    "i32", // int32_t count
    "f64", // double offset
    "buffer", // uint64_t *stats
  ],
  result: "f64", // double
} as const;

const SYNC = {
  parameters: [
    "i32", // int32_t fd
    "buffer", // uint64_t *stats
  ],
  result: "i32", // int32_t
} as const;

const DIRECT = {
  parameters: [
    "i32", // int32_t fd
    "i32", // int32_t direct
    "buffer", // void *bytes
    "f64", // double length
    "f64", // double offset
    "buffer", // const double *alignment
    "buffer", // void *scratch
    "f64", // double scratch_bytes
    "buffer", // double *moved
    "buffer", // uint64_t *stats
  ],
  result: "f64", // double
} as const;

const GATHER = {
  parameters: [
    "buffer", // const double *moves
    "f64", // double first
    "f64", // double count
    "i32", // int32_t kind
    "i32", // int32_t ndim
    "i32", // int32_t element
    "i32", // int32_t unit
    "buffer", // const uint8_t *file
    "f64", // double file_bytes
    "f64", // double file_offset
    "buffer", // uint8_t *array
    "f64", // double array_bytes
  ],
  result: "f64", // double
} as const;

const SCATTER = {
  parameters: [
    "buffer", // const double *moves
    "f64", // double first
    "f64", // double count
    "i32", // int32_t kind
    "i32", // int32_t ndim
    "i32", // int32_t element
    "i32", // int32_t unit
    "buffer", // const uint8_t *array
    "f64", // double array_bytes
    "buffer", // uint8_t *file
    "f64", // double file_bytes
    "f64", // double file_offset
  ],
  result: "f64", // double
} as const;

const SCATTER_FILE = {
  parameters: [
    "i32", // int32_t fd
    "f64", // double offset
    "f64", // double length
    "buffer", // const double *moves
    "f64", // double first
    "f64", // double count
    "i32", // int32_t kind
    "i32", // int32_t ndim
    "i32", // int32_t element
    "i32", // int32_t unit
    "buffer", // const uint8_t *array
    "f64", // double array_bytes
    "buffer", // uint8_t *scratch
    "f64", // double scratch_bytes
    "buffer", // uint64_t *stats
  ],
  result: "f64", // double
} as const;

const GATHER_FILE = {
  parameters: [
    "i32", // int32_t fd
    "buffer", // const double *extents
    "i32", // int32_t extent_count
    "buffer", // const double *moves
    "f64", // double move_count
    "i32", // int32_t kind
    "i32", // int32_t ndim
    "i32", // int32_t element
    "i32", // int32_t unit
    "buffer", // uint8_t *array
    "f64", // double array_bytes
    "buffer", // uint8_t *scratch
    "f64", // double scratch_bytes
    "buffer", // uint64_t *stats
  ],
  result: "f64", // double
} as const;

const GATHER_MAP = {
  parameters: [
    "f64", // double address
    "f64", // double map_bytes
    "buffer", // const double *extents
    "i32", // int32_t extent_count
    "buffer", // const double *moves
    "f64", // double move_count
    "i32", // int32_t kind
    "i32", // int32_t ndim
    "i32", // int32_t element
    "i32", // int32_t unit
    "buffer", // uint8_t *array
    "f64", // double array_bytes
    "buffer", // uint64_t *stats
  ],
  result: "f64", // double
} as const;

const MAP_COPY = {
  parameters: [
    "f64", // double address
    "f64", // double length
    "buffer", // void *target
    "buffer", // uint64_t *stats
  ],
  result: "f64", // double
} as const;

const MAP_RANGE = {
  parameters: [
    "f64", // double address
    "f64", // double length
    "buffer", // uint64_t *stats
  ],
  result: "i32", // int32_t
} as const;

const LOCK = {
  parameters: [
    "i32", // int32_t fd
    "i32", // int32_t kind
    "f64", // double start
    "f64", // double length
    "buffer", // uint64_t *stats
  ],
  result: "i32", // int32_t
} as const;

const ERROR_TEXT = {
  parameters: [
    "i32", // int32_t error
    "buffer", // char *text
    "i32", // int32_t size
  ],
  result: "i32", // int32_t
} as const;

const BITS = {
  parameters: [
    "buffer", // const uint8_t *source
    "f64", // double source_bytes
    "f64", // double bit
    "buffer", // uint8_t *target
    "f64", // double target_bytes
    "f64", // double count
  ],
  result: "i32", // int32_t
} as const;

const BLOCKING = {
  tessera_errno_name: ERROR_TEXT,
  tessera_errno_text: ERROR_TEXT,
  tessera_kind: {
    parameters: [
      "buffer", // const char *path
      "i32", // int32_t follow
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_unlink: {
    parameters: [
      "buffer", // const char *path
    ],
    result: "i32", // int32_t
  },
  tessera_open: {
    parameters: [
      "buffer", // const char *path
      "i32", // int32_t flags
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_close: SYNC,
  tessera_pread: PREAD,
  tessera_pwrite: PREAD,
  tessera_preadv: PREADV,
  tessera_pwritev: PREADV,
  tessera_fstat: {
    parameters: [
      "i32", // int32_t fd
      "buffer", // double *result
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_ftruncate: {
    parameters: [
      "i32", // int32_t fd
      "f64", // double length
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_fdatasync: SYNC,
  tessera_fsync: SYNC,
  tessera_sync_all: {
    parameters: [
      "buffer", // const int32_t *fds
      "i32", // int32_t count
      "i32", // int32_t whole
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_forget: {
    parameters: [
      "i32", // int32_t fd
      "f64", // double offset
      "f64", // double length
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_address: {
    parameters: [
      "buffer", // const void *bytes
    ],
    result: "f64", // double
  },
  tessera_direct_open: {
    parameters: [
      "i32", // int32_t fd
      "i32", // int32_t writing
      "buffer", // double *found
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_direct_try: {
    parameters: [
      "buffer", // const char *directory
      "buffer", // double *found
    ],
    result: "i32", // int32_t
  },
  tessera_direct_read: DIRECT,
  tessera_direct_write: DIRECT,
  tessera_lock: LOCK,
  tessera_lock_test: LOCK,
  tessera_lock_owner: { parameters: [], result: "i32" }, // int32_t (void)
  tessera_map: {
    parameters: [
      "i32", // int32_t fd
      "f64", // double offset
      "f64", // double length
      "i32", // int32_t kind
      "buffer", // uint64_t *stats
    ],
    result: "f64", // double
  },
  tessera_unmap: MAP_RANGE,
  tessera_map_zero: MAP_RANGE,
  tessera_msync: MAP_RANGE,
  tessera_madvise: {
    parameters: [
      "f64", // double address
      "f64", // double length
      "i32", // int32_t advice
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_page_size: { parameters: [], result: "f64" }, // double (void)
  tessera_map_copy: MAP_COPY,
  tessera_map_look: {
    parameters: [
      "f64", // double address
      "f64", // double length
      "buffer", // void *target
    ],
    result: "f64", // double
  },
  tessera_is_local: {
    parameters: [
      "i32", // int32_t fd
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_map_missing: {
    parameters: [
      "f64", // double address
      "f64", // double map_bytes
      "buffer", // const double *extents
      "i32", // int32_t extent_count
    ],
    result: "i32", // int32_t
  },
  tessera_map_want: {
    parameters: [
      "f64", // double address
      "f64", // double map_bytes
      "buffer", // const double *extents
      "i32", // int32_t extent_count
      "buffer", // uint64_t *stats
    ],
    result: "i32", // int32_t
  },
  tessera_map_faults: { parameters: [], result: "f64" }, // double (void)
  tessera_view_faults: {
    parameters: [
      "f64", // double address
    ],
    result: "f64", // double
  },
  tessera_swap: {
    parameters: [
      "buffer", // void *bytes
      "f64", // double length
      "i32", // int32_t unit
    ],
    result: "i32", // int32_t
  },
  tessera_crc32c: {
    parameters: [
      "buffer", // const void *bytes
      "f64", // double length
      "f64", // double seed
    ],
    result: "i32", // int32_t
  },
  tessera_unpack_bits: BITS,
  tessera_pack_bits: {
    parameters: [
      "buffer", // const uint8_t *source
      "f64", // double source_bytes
      "buffer", // uint8_t *target
      "f64", // double target_bytes
      "f64", // double bit
      "f64", // double count
    ],
    result: "i32", // int32_t
  },
  tessera_decode_symbols: {
    parameters: [
      "buffer", // const double *box
      "buffer", // const uint8_t *stream
      "f64", // double stream_bytes
      "buffer", // const double *levels
      "f64", // double level_count
      "buffer", // const double *channel
      "f64", // double channel_count
      "buffer", // const double *row
      "f64", // double row_count
      "buffer", // uint8_t *target
      "f64", // double target_bytes
    ],
    result: "i32", // int32_t
  },
  tessera_encode_visibilities: {
    parameters: [
      "buffer", // const double *block
      "buffer", // const uint8_t *values
      "f64", // double value_bytes
      "buffer", // const double *levels
      "f64", // double level_count
      "buffer", // const uint32_t *guide
      "f64", // double guide_count
      "f64", // double scale
      "buffer", // const int32_t *first
      "buffer", // const int32_t *second
      "f64", // double baseline_count
      "buffer", // double *scratch
      "f64", // double scratch_count
      "buffer", // uint8_t *target
      "f64", // double target_bytes
    ],
    result: "i32", // int32_t
  },
  tessera_encode_weights: {
    parameters: [
      "f64", // double rows
      "f64", // double block_rows
      "f64", // double channels
      "f64", // double correlations
      "i32", // int32_t bits
      "buffer", // const uint8_t *values
      "f64", // double value_bytes
      "buffer", // uint8_t *target
      "f64", // double target_bytes
    ],
    result: "i32", // int32_t
  },
  tessera_gather: GATHER,
  tessera_scatter: SCATTER,
  tessera_gather_file: GATHER_FILE,
  tessera_gather_map: GATHER_MAP,
} as const;

const NONBLOCKING = {
  pread_async: { name: "tessera_read_new", nonblocking: true, ...PREAD },
  pwrite_async: { name: "tessera_pwrite", nonblocking: true, ...PREAD },
  preadv_async: { name: "tessera_preadv", nonblocking: true, ...PREADV },
  pwritev_async: { name: "tessera_pwritev", nonblocking: true, ...PREADV },
  direct_read_async: { name: "tessera_direct_read", nonblocking: true, ...DIRECT },
  direct_write_async: { name: "tessera_direct_write", nonblocking: true, ...DIRECT },
  fdatasync_async: { name: "tessera_fdatasync", nonblocking: true, ...SYNC },
  fsync_async: { name: "tessera_fsync", nonblocking: true, ...SYNC },
  gather_async: { name: "tessera_gather", nonblocking: true, ...GATHER },
  scatter_async: { name: "tessera_scatter", nonblocking: true, ...SCATTER },
  scatter_file_async: { name: "tessera_scatter_file", nonblocking: true, ...SCATTER_FILE },
  gather_file_async: { name: "tessera_gather_file", nonblocking: true, ...GATHER_FILE },
  gather_map_async: { name: "tessera_gather_map", nonblocking: true, ...GATHER_MAP },
  map_copy_async: { name: "tessera_map_copy", nonblocking: true, ...MAP_COPY },
} as const;

/** Everything that `Deno.dlopen` is asked for. */
export const SYMBOLS = { ...BLOCKING, ...NONBLOCKING } as const;

/** The functions of the loaded library. */
export type Symbols = Deno.StaticForeignLibraryInterface<typeof SYMBOLS>;
