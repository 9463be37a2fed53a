// node wasm_node.mjs MODULE [REPORT]: runs a WASI command under Node. REPORT, if given, becomes a JSON file with the
// seconds of processor time that compiling and running took, each alone. For //tools/bench:compare.
import { readFileSync, writeFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const seconds = (used) => ({ user: used.user / 1e6, system: used.system / 1e6 });
const wasi = new WASI({ version: 'preview1', args: ['bench'], returnOnExit: true });
const bytes = readFileSync(process.argv[2]);
const before = process.cpuUsage();
const begin = performance.now();
const module = new WebAssembly.Module(bytes);
const compile = process.cpuUsage(before);
const instance = new WebAssembly.Instance(module, wasi.getImportObject());
const start = process.cpuUsage();
const runBegin = performance.now();
process.exitCode = wasi.start(instance) ?? 0;
const run = process.cpuUsage(start);
const end = performance.now();
if (process.argv[3]) {
  writeFileSync(process.argv[3], JSON.stringify({
    compile: { ...seconds(compile), wall: (runBegin - begin) / 1e3 },
    run: { ...seconds(run), wall: (end - runBegin) / 1e3 },
  }));
}
