/**
 * The two drivers: they run a plan to its end, step by step, on a set of files. `runSync` blocks; `runAsync` runs the
 * same plans, lets other threads read and write, and the event loop turn.
 *
 * A step that fails is thrown into the plan, which may clean up; whatever the plan throws, the driver throws. What is
 * written on another thread may fail after its step: that is thrown into the plan at the next one.
 */
import type { FileAccess } from "./access.ts";
import { AsyncRequest } from "./async-request.ts";
import { turn, turnIsDue } from "./async-turns.ts";
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
    case "spare":
      return access.spare?.(step.file, step.offset, step.length);
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
async function carryOutAsync(step: Step, access: FileAccess, request: AsyncRequest): Promise<unknown> {
  // What is written while the plan goes on is no part of what it asks for until it is there.
  if (step.kind === "scatter" && access.scatterAsync !== undefined) {
    return await access.scatterAsync(step, request);
  }
  if (step.kind === "write" && access.writeAsync !== undefined) {
    return await access.writeAsync(step.file, step.offset, step.bytes, request);
  }
  if (request.lanes.running > 0) await request.lanes.drain();
  switch (step.kind) {
    case "readInto":
      return await access.readIntoAsync(step.file, step.offset, step.target, request);
    case "gather":
      return await access.gatherAsync(step, request);
    case "delegate":
      return await runAsync(step.plan, step.access, request);
    default:
      steps.begun++;
      return carryOut(step, access);
  }
}

/** Waits for all ranges, one after the other: two at once would gain nothing, the files' cache serves most of them. */
async function readAll({ ranges }: ReadStep, access: FileAccess): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (const { file, offset, length } of ranges) {
    parts.push(await access.readAsync(file, offset, length));
    if (turnIsDue()) await turn();
  }
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

/**
 * As {@linkcode runSync}, without blocking. Nothing of it is under way any more when the promise settles.
 *
 * @throws as {@linkcode runSync}; what the request's signal was aborted with
 */
export async function runAsync<T>(
  plan: Plan<T>,
  access: FileAccess,
  request: AsyncRequest = new AsyncRequest(),
): Promise<T> {
  let next = plan.next();
  for (;;) {
    let result: unknown;
    try {
      if (next.done) {
        await request.lanes.drain();
        return next.value;
      }
      request.check();
      const step = next.value;
      if (turnIsDue()) await turn();
      // Nothing may run between taking the bytes of a read step and going on with the plan.
      if (step.kind === "read") {
        if (request.lanes.running > 0) await request.lanes.drain();
        result = takeAll(step, await readAll(step, access), access);
      } else result = await carryOutAsync(step, access, request);
    } catch (error) {
      // Nothing of this request looks at anybody's memory when it is said to have failed.
      await request.lanes.drain().catch(() => {});
      if (next.done) throw error;
      next = plan.throw(error);
      continue;
    }
    next = plan.next(result);
  }
}
