// What needs a newer engine (QuickJS).
class Animal {
  #name;
  static count = 0;
  constructor(name) { this.#name = name; Animal.count++; }
  get name() { return this.#name; }
  *letters() { yield* this.#name; }
}
class Dog extends Animal { speak() { return `${this.name} says ${[...this.letters()].reverse().join('')}`; } }
print(new Dog('rex').speak(), Animal.count);
try { null.x; } catch (error) { print(error instanceof TypeError, error.message); }
try { throw new RangeError('mine', { cause: 7 }); } catch ({ name, cause }) { print(name, cause); } finally { print('finally'); }
print(2n ** 521n - 1n, (-7n) / 2n, BigInt.asUintN(64, -1n), 0x1fn << 100n);
const map = new Map([['a', 1], ['b', 2]]), set = new Set([1, 2, 2, 3]);
print([...map.entries()].flat(), set.size, new WeakMap() instanceof WeakMap, Symbol('s').toString());
const { a = 5, ...others } = { b: 2, c: 3 };
print(a, JSON.stringify(others), [..."𝒳y"].length, 'abc'.at(-1), Object.fromEntries(map)?.b ?? 'none');
print('2024-02-29'.replace(/(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)/u, '$<d>.$<m>.$<y>'), /(?<=\$)\d+/.exec('cost $42')[0], /\p{Lu}+/u.exec('xÄÖy')[0]);
print(new Proxy({}, { get: (_, key) => `no ${String(key)}` }).anything, Reflect.ownKeys({ z: 1, 2: 1, [Symbol.iterator]: 1 }).length);
async function later() { await null; print('second'); return 'third'; }
later().then(print);
print('first', scriptArgs.length, scriptArgs.join());
let depth = 0;
const deep = () => { depth++; deep(); };
const digits = (() => {  // pi with a spigot
  let q = 1n, r = 0n, t = 1n, k = 1n, n = 3n, l = 3n, out = '';
  while (out.length < 300) {
    if (4n * q + r - t < n * t) {
      out += n;
      [q, r, n] = [10n * q, 10n * (r - n * t), (10n * (3n * q + r)) / t - 10n * n];
    } else {
      [q, r, t, k, n, l] = [q * k, (2n * q + r) * l, t * l, k + 1n, (q * (7n * k + 2n) + r * l) / (t * l), l + 2n];
    }
  }
  return out;
})();
print(digits);
