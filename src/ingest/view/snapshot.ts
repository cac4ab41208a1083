/**
 * All of a store at one moment, as a table that stays as it is.
 */
import { Table } from "../../table/table.ts";
import { OpenPart } from "./open-part.ts";
import { type HeldTable, partsOf, type StateSource } from "./state.ts";

/** Rows that are looked at together for deletions. */
const LOOK_ROWS = 64 * 1024;

function liveRows(open: OpenPart): readonly number[] | null {
  const { rows, deletions } = open.part;
  if (deletions.length === 0) return null;
  const found: number[] = [];
  for (let start = 0; start < rows; start += LOOK_ROWS) {
    const end = Math.min(rows, start + LOOK_ROWS), live = open.live(start, end);
    if (live === null) { for (let row = start; row < end; row++) found.push(row); }
    else for (const row of live) found.push(row);
  }
  return found.length === rows ? null : found;
}

/**
 * The store's rows as they are now, in the order of segments and then of arrival, with its keywords and subtables. What
 * is sealed, merged or removed later changes nothing of it until it is closed.
 *
 * @throws TableError NOT_FOUND when a segment went while it was opened: to be tried again; others of opening tables
 */
export function snapshotOf(source: StateSource): Table {
  const state = source.state();
  const held: HeldTable[] = [], tables: Table[] = [];
  const release = () => {
    for (const each of held.splice(0).reverse()) each.release();
  };
  try {
    const template = source.openTemplate();
    held.push(template);
    tables.push(template.table);
    for (const part of partsOf(state, source.schema)) {
      const open = OpenPart.of(source, state, part);
      held.push(open);
      const live = liveRows(open);
      if (live?.length === 0) continue;
      const table = live === null ? open.table : open.table.select([...live]);
      if (live !== null) held.push({ table, release: () => table.close() });
      tables.push(table);
    }
    return Table.concat(tables, undefined, { onClose: release });
  } catch (error) {
    release();
    throw error;
  }
}
