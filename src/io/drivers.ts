/**
 * The two drivers: they run a plan to its end, step by step, on a set of files. `runSync` blocks; `runAsync` waits
 * for reads without blocking, and runs the same plans.
 *
 * A step that fails is thrown into the plan, which may clean up; whatever the plan throws, the driver throws.
 */
import type { FileAccess } from "./access.ts";
import { PAGE_BYTES } from "./page-cache.ts";
import type { Plan, ReadStep, Step } from "./plan.ts";
import { steps } from "./steps.ts";

/** Carries out a step that needs no waiting in either driver; what it returns is handed to the plan. */
function carryOut(step: Step, access: FileAccess): unknown {
  switch (step.kind) {
    case "size":
      return step.files.map((file) => access.size(file));
    case "committed":
      return access.committed(step.file);
    case "read":
      return step.ranges.map(({ file, offset, length }) => access.read(file, offset, length));
    case "readInto":
      return access.readInto(step.file, step.offset, step.target);
    case "gather":
      return access.gather(step);
    case "scatter":
      return access.scatter(step);
    case "write":
      return access.write(step.file, step.offset, step.bytes);
    case "replace":
      return access.replace(step.file, step.bytes);
    case "resize":
      return access.resize(step.file, step.length, step.shrink);
    case "create":
      return access.create(step.file);
    case "remove":
      return access.remove(step.file);
    case "barrier":
      return access.barrier();
    case "delegate":
      return runSync(step.plan, step.access);
  }
}

/** The same, waiting where the files can be waited for. */
async function carryOutAsync(step: Step, access: FileAccess): Promise<unknown> {
  switch (step.kind) {
    case "readInto":
      return await access.readIntoAsync(step.file, step.offset, step.target);
    case "gather":
      return await access.gatherAsync(step);
    case "delegate":
      return await runAsync(step.plan, step.access);
    default:
      steps.begun++;
      return carryOut(step, access);
  }
}

/** Waits for all ranges, one after the other: two at once would gain nothing, the files' cache serves most of them. */
async function readAll({ ranges }: ReadStep, access: FileAccess): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (const { file, offset, length } of ranges) parts.push(await access.readAsync(file, offset, length));
  return parts;
}

/**
 * What a plan is handed after {@linkcode readAll}. Short ranges may be views, and steps of other plans ran since they
 * were taken: they are taken anew, all at once, from the cache that they are in.
 */
function takeAll({ ranges }: ReadStep, parts: readonly Uint8Array[], access: FileAccess): Uint8Array[] {
  steps.begun++;
  return ranges.map(({ file, offset, length }, i) =>
    length <= PAGE_BYTES ? access.read(file, offset, length) : parts[i]!
  );
}

/**
 * Runs a plan to its end and returns what it made.
 *
 * @throws whatever the plan throws; TableErrors of the files go through the plan first.
 */
export function runSync<T>(plan: Plan<T>, access: FileAccess): T {
  let next = plan.next();
  while (!next.done) {
    let result: unknown;
    steps.begun++;
    try {
      result = carryOut(next.value, access);
    } catch (error) {
      next = plan.throw(error);
      continue;
    }
    next = plan.next(result);
  }
  return next.value;
}

/** As {@linkcode runSync}, without blocking while bytes are read. */
export async function runAsync<T>(plan: Plan<T>, access: FileAccess): Promise<T> {
  let next = plan.next();
  while (!next.done) {
    let result: unknown;
    try {
      const step = next.value;
      // Nothing may run between taking the bytes of a read step and going on with the plan.
      if (step.kind === "read") result = takeAll(step, await readAll(step, access), access);
      else result = await carryOutAsync(step, access);
    } catch (error) {
      next = plan.throw(error);
      continue;
    }
    next = plan.next(result);
  }
  return next.value;
}
