// Runs a WASI command under Node's own WASI: the oracle of this proof.
//
//   node run_node.mjs MODULE GUEST_DIRECTORY HOST_DIRECTORY [NAME=VALUE]... -- ARGUMENT...
//
// The process's exit code is the program's; a trap is 134. $WASM_TIMES: a file to which the milliseconds of
// processor time from instantiation to the end are written.
import { readFileSync, writeFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [module, guest, host, ...rest] = process.argv.slice(2);
const dashes = rest.indexOf('--');
const env = Object.fromEntries(rest.slice(0, dashes).map((text) => text.split(/=(.*)/s)));
const wasi = new WASI({
  version: 'preview1',
  args: [module.replace(/.*\//, ''), ...rest.slice(dashes + 1)],
  env,
  preopens: { [guest]: host },
  returnOnExit: true,
});
const compiled = new WebAssembly.Module(readFileSync(module));
const start = process.cpuUsage();
let code = 134;
try {
  const instance = new WebAssembly.Instance(compiled, wasi.getImportObject());
  code = wasi.start(instance) ?? 0;
} catch (error) {
  console.error(`trap: ${error.message}`);
}
const used = process.cpuUsage(start);
if (process.env.WASM_TIMES) {
  writeFileSync(process.env.WASM_TIMES, `${(used.user + used.system) / 1000}\n`);
}
process.exitCode = code;
