/**
 * How long bytes that were handed to a plan are looked at: until the next step that anybody runs.
 *
 * JavaScript runs one thing at a time. A plan is handed the bytes of a read step and looks at them until it yields its
 * next step; no other plan runs meanwhile, in either driver. So when a step begins, nobody looks any more at what an
 * earlier one was handed, and its memory may take other bytes. The drivers count; the page cache compares.
 */

/** Steps that the drivers of this isolate have begun. */
export const steps = { begun: 0 };
