/** The longest network that holds an address, found bit by bit: one trie for IPv4, one for IPv6. Knows no event. */
import { type Address, type Network, parseAddress } from "@vedette/condition";

interface Node<T> {
  zero?: Node<T>;
  one?: Node<T>;
  value?: T;
}

const bitOf = (address: Address, at: number): boolean => {
  const i = address.v4 ? 96 + at : at;
  return ((address.words[i >> 5]! >>> (31 - (i & 31))) & 1) === 1;
};

export class NetworkTrie<T> {
  readonly #v4: Node<T> = {};
  readonly #v6: Node<T> = {};
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** False where the very network has a value already: the first stays. */
  add(network: Network, value: T): boolean {
    let at = network.v4 ? this.#v4 : this.#v6;
    for (let i = 0; i < network.bits; i++) {
      if (bitOf(network, i)) {
        at.one ??= {};
        at = at.one;
      } else {
        at.zero ??= {};
        at = at.zero;
      }
    }
    if (at.value !== undefined) return false;
    at.value = value;
    this.#size++;
    return true;
  }

  /** Undefined for what no network holds and for what is no address. */
  find(text: string): T | undefined {
    const address = parseAddress(text);
    if (address === undefined) return undefined;
    let at: Node<T> | undefined = address.v4 ? this.#v4 : this.#v6;
    let found = at.value;
    const bits = address.v4 ? 32 : 128;
    for (let i = 0; i < bits; i++) {
      at = bitOf(address, i) ? at.one : at.zero;
      if (at === undefined) break;
      if (at.value !== undefined) found = at.value;
    }
    return found;
  }
}
