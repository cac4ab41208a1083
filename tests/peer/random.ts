/** Marsaglia's xorshift32: small, seeded, the same everywhere. Gives whole numbers below what it is called with. */
export function generator(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
