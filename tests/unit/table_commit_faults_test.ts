/**
 * Faults in the middle of a commit: no space, a broken disk, a file system that became read-only, a permission that was
 * taken away, at each call that would change something. The old state is there for everybody else, and the same table
 * goes on when the fault is gone.
 */
import assert from "node:assert/strict";
import { Context, Table, TableError } from "../../mod.ts";
import { change, type Kind, KINDS, makeTable, randomFrom, stateOf } from "../changing-tables.ts";
import { contextOn, stateIn } from "../crash-points.ts";
import { FaultyBackend, type FaultyCall } from "../faulty-backend.ts";

/** ENOSPC, EIO, EROFS, EACCES. */
const FAULTS = [28, 5, 30, 13];
const SECTOR = 512;

/** True for calls that change something: a file system that is read-only refuses them. */
function changes({ kind, mode }: FaultyCall): boolean {
  return kind === "open" ? mode !== "read" : !["read", "size", "close"].includes(kind);
}

/** When a fault strikes: at one call, at it and all that follow, or in the middle of a write. */
type How = "once" | "from then on" | "half written";

/** A table with a commit behind it, on a disk that can have faults. */
class Patient {
  readonly table: Table;
  readonly before: string;
  readonly wanted: string;
  readonly #kind: Kind;
  readonly #context = new Context();
  readonly #backends: FaultyBackend[] = [];

  constructor(kind: Kind, seed: number) {
    this.#kind = kind;
    this.#context.wrapBackend = (inner) => {
      const backend = new FaultyBackend(inner);
      this.#backends.push(backend);
      return backend;
    };
    makeTable(kind, "/t", { io: "memory", context: this.#context }).close();
    this.table = Table.open("/t", { mode: "rw", io: "memory", context: this.#context });
    const random = randomFrom(seed);
    change(this.table, kind, random, 4);
    this.table.keywords.set("K", seed);
    this.table.flush();
    this.before = stateOf(this.table, kind);
    change(this.table, kind, random, 5);
    this.table.keywords.set("K", -seed);
    this.wanted = stateOf(this.table, kind);
  }

  /** Calls that change something fail as told, from the one of that number on. @returns how many were made */
  strike(number: number, errno: number, how: How): { calls: number } {
    const count = { calls: 0 };
    for (const backend of this.#backends) {
      backend.fault = (call) => {
        if (!changes(call)) return;
        const at = count.calls++;
        if (at < number || (how !== "from then on" && at > number)) return;
        if (how !== "half written" || call.kind !== "write") return { errno };
        // A sector is written whole or not at all.
        const end = call.offset + call.length / 2;
        return { bytes: Math.max(0, end - end % SECTOR - call.offset) };
      };
    }
    return count;
  }

  heal(): void {
    for (const backend of this.#backends) backend.fault = () => {};
  }

  /** What others see. */
  seen(): string {
    return stateIn(contextOn(this.#context.memory), this.#kind, "r");
  }

  /** What a writer sees who finds the table, and recovers it; nothing of the commit is left behind then. */
  recovered(): string {
    const context = contextOn(this.#context.memory), state = stateIn(context, this.#kind, "rw");
    assert.deepEqual([...context.memory.files.keys()].filter((path) => /journal|_tmp/.test(path)), []);
    return state;
  }
}

/** Calls that change something in a commit. */
function callsOf(kind: Kind, seed: number, durable: boolean): number {
  const patient = new Patient(kind, seed), count = patient.strike(Infinity, 0, "once");
  patient.table.flush({ durable });
  patient.table.close();
  return count.calls;
}

function flushFails(table: Table, durable: boolean): boolean {
  try {
    table.flush({ durable });
    return false;
  } catch (error) {
    assert(error instanceof TableError, `${error}`);
    return true;
  }
}

for (const kind of KINDS) {
  Deno.test(`${kind.name}: a fault at any call of a commit leaves the old state, and the table goes on`, () => {
    let tried = 0;
    for (const seed of kind.large ? [3] : [3, 4]) {
      const durable = seed === 4, calls = callsOf(kind, seed, durable);
      assert(calls > 4, `${calls} calls`);
      for (let number = 0; number < calls; number++) {
        for (const how of ["once", "from then on", "half written"] as const) {
          const errno = FAULTS[tried++ % FAULTS.length]!;
          const where = `${kind.name}, seed ${seed}, call ${number} of ${calls}, errno ${errno} ${how}`;
          const patient = new Patient(kind, seed), { table, before, wanted } = patient;
          patient.strike(number, errno, how);
          const failed = flushFails(table, durable);
          // After the change counters say so a commit is complete, whatever becomes of the journal.
          // When the disk takes no more just as the last thing, the new counters, is to be made sure of, they can't be taken
          // back: others see a commit of which its writer was told that it failed.
          const unsure = durable && how === "from then on" && number === calls - 2;
          const others = failed && !unsure ? before : wanted;
          assert.equal(patient.seen(), others, where);
          if (number % 3 === 0) {
            // Who finds the table recovers it; its writer has no lock here that would keep him away, and ends.
            assert.equal(patient.recovered(), others, `${where}, recovered`);
            continue;
          }
          if (failed) assert.equal(stateOf(table, kind), wanted, `${where}, the same table`);
          if (failed && number % 3 === 1) {
            // Giving up needs the disk to put back what was sent.
            patient.heal();
            table.discard();
            assert.equal(stateOf(table, kind), before, `${where}, given up`);
            table.keywords.set("LATER", 1);
            table.flush({ durable });
            assert.equal(patient.seen(), stateOf(table, kind), `${where}, after giving up`);
          } else {
            if (failed && how === "from then on") assert(flushFails(table, durable), where);
            patient.heal();
            table.flush({ durable });
            assert.equal(patient.seen(), wanted, `${where}, once it is gone`);
          }
          const state = stateOf(table, kind);
          table.close();
          // What couldn't be removed then goes with the next writer.
          assert.equal(patient.recovered(), state, `${where}, after all`);
        }
      }
    }
  });
}

Deno.test("a fault while much is sent before its commit leaves the old state, in a transaction or without", () => {
  const kind = KINDS.find(({ large }) => large)!;
  /** Puts more than is kept pending. */
  const work = (table: Table) => {
    for (let row = 0; row < table.rowCount; row += 1) {
      table.putCell("BIG", row, new Float32Array(65536).fill(row + 0.5));
    }
    table.addRows(50);
    table.putColumn("BIG", new Float32Array(30 * 65536).fill(7), { rows: { start: 40, end: 70 } });
    for (let row = 0; row < table.rowCount; row += 1) {
      table.putCell("BIG", row, new Float32Array(65536).fill(row + 0.25));
    }
  };
  const calls = (() => {
    const patient = new Patient(kind, 3);
    patient.table.discard();
    const count = patient.strike(Infinity, 0, "once");
    work(patient.table);
    return count.calls;
  })();
  assert(calls >= 8, `only ${calls} calls before the commit`);
  // Each takes as long as all calls of a small table: some of them, at other places in the middle for other faults.
  let thrown = 0;
  for (let number = 0, tried = 0; number < calls; number += 5, tried++) {
    const how = (["once", "from then on", "half written"] as const)[tried % 3]!;
    const errno = FAULTS[tried % FAULTS.length]!, inside = tried % 2 === 0;
    const where = `call ${number} of ${calls}, errno ${errno} ${how}${inside ? ", in a transaction" : ""}`;
    const patient = new Patient(kind, 3), { table, before } = patient;
    table.discard();
    patient.strike(number, errno, how);
    try {
      if (inside) table.transaction(() => work(table));
      else work(table);
      // A file that may not be opened for writing is tried again when it is written.
      assert(number === 0, where);
    } catch (error) {
      assert(error instanceof TableError, where);
      thrown++;
    }
    if (!inside || thrown > 0) {
      assert.equal(patient.seen(), before, where);
      assert.equal(patient.recovered(), before, `${where}, recovered`);
    }
    patient.heal();
    table.discard();
    if (!inside || thrown > 0) assert.equal(stateOf(table, kind), before, `${where}, given up`);
    table.putCell("N", 0, number);
    table.flush();
    assert.equal(patient.seen(), stateOf(table, kind), `${where}, after all`);
    table.close();
  }
  assert(thrown > 10, `${thrown}`);
});
