/**
 * Why a work may miss its target or the limit, by its name: what docs/performance.md says beside a line that does. No figures here,
 * the run has them; the profiles are in docs/performance.md, "Where time goes".
 */
const WRITES = "the system's writing is most of it, for both; the rest is making and committing a table";
const COPIES =
  "the kernel's copy from the page cache is all of it, for casacore as well; from mapped files it is half the work";

export const REASONS: Readonly<Record<string, string>> = {
  "put": WRITES,
  "big-put": WRITES,
  "split-put": `${WRITES}; tiles are put together from pieces of each cell first`,
  "get-into": COPIES,
  "big-get-into": COPIES,
  "split-get": `${COPIES}; cells are put together from two tiles each`,
  "get-fresh": "the system clears new memory, page by page, which takes longer than reading",
  "get-fresh-async": "the system clears new memory, page by page; two threads of it get in each other's way",
  "flag-into": "a call costs some microseconds beside its values",
  "slice":
    "casacore has all tiles in memory from the time before; ours, whose cache is bounded, are read again",
  "split-channel":
    "casacore has all tiles in memory from the time before; ours, whose cache is bounded, are read again",
  "view-sum": "the sum in JavaScript, an addition at a time, is nearly all of it",
  "rows-shared": "new blocks of memory for each 1,000 rows, which the system clears",
  "rows-into": "the kernel's copy, and some microseconds for each 1,000 rows",
  "rows-copy": "an array is made for each cell",
  "flag-row": "a call costs some microseconds whatever it brings",
  "scalars": "a call costs some microseconds whatever it brings; strings are made one by one by the engine",
  "overwrite":
    "a whole column goes to new files, so that the old one stays until the commit: their blocks have to be found, the old ones given back; casacore overwrites pages that are there",
  "append-integrations": "a commit is a journal, the data and the table's own files",
  "chunks": "the kernel's copy, and some microseconds for each call",
  "chunks-fresh": "each batch has arrays of its own, whose memory the system clears",
  "open": "tables are found, described and checked in JavaScript",
  "two-readers": "two workers and their messages; the C program's threads have neither",
  ...Object.fromEntries([0, 1, 2, 3].map((way) => [
    `direct-${way}`,
    "what a table costs beside its data, and, for any array, a copy to where the disk can take it from",
  ])),
  "dysco-into": "finding the row's factors and taking values from a table is the same work for both",
  "dysco-fresh": "the system clears new memory, for both; the rest as into an array",
  "dysco-weights": "values are taken from a table one by one, for both",
  "dysco-put-1": "for weights the files are most of it, for both",
  "baselines": "the disk gives a page at a time, one after the other; the C program waits as long",
};
