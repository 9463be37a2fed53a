;; Imports a function, a memory and a global of library.wat.
(module
  (import "library" "twice" (func $twice (param i32) (result i32)))
  (import "library" "calls" (global $calls (mut i32)))
  (import "library" "memory" (memory 1))
  (export "also_twice" (func $twice))
  (func (export "four_times") (param i32) (result i32)
    (call $twice (call $twice (local.get 0))))
  (func (export "calls") (result i32)
    (drop (call $twice (i32.const 0)))
    (global.get $calls))
  (func (export "star") (result i32)
    (i32.load8_u (i32.const 0))))
