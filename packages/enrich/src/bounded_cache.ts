/** Remembers answers for what was asked lately: the same few thousand addresses and names turn up in every batch. Knows neither questions nor answers. */

/** An answer is a small object; so many of them are a few MB a worker. */
const most = 8_192;

/** A function that remembers. It forgets everything at once when full, which costs less than an order of use. */
export function remembered<T>(answer: (question: string) => T): (question: string) => T {
  let known = new Map<string, T>();
  return (question) => {
    const before = known.get(question);
    if (before !== undefined || known.has(question)) return before as T;
    if (known.size >= most) known = new Map();
    const found = answer(question);
    known.set(question, found);
    return found;
  };
}
