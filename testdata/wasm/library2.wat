;; Another version of library.wat.
(module
  (global $calls (export "calls") (mut i32) (i32.const 0))
  (memory (export "memory") 1)
  (data (i32.const 0) "*")
  (func $twice (export "twice") (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.mul (local.get 0) (i32.const 3))))
