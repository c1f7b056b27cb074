/** Runs changes one after the other, each on what the one before left. Knows none of them. */

export type InTurn = <T>(change: () => Promise<T>) => Promise<T>;

/** A change that fails fails alone. */
export function inTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (change) => {
    const done = last.then(change);
    last = done.catch(() => {});
    return done;
  };
}
