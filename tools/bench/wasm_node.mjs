// node wasm_node.mjs MODULE TIMES: runs a WASI command under Node; the milliseconds of processor time that it took,
// compiling it not included, go to file TIMES. For wasm_compare.sh.
import { readFileSync, writeFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const wasi = new WASI({ version: 'preview1', args: ['bench'], returnOnExit: true });
const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const instance = new WebAssembly.Instance(module, wasi.getImportObject());
const start = process.cpuUsage();
process.exitCode = wasi.start(instance) ?? 0;
const used = process.cpuUsage(start);
writeFileSync(process.argv[3], `${(used.user + used.system) / 1000}\n`);
