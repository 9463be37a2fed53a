;; Its start function traps, so it cannot be instantiated.
(module
  (func $fail (unreachable))
  (start $fail)
  (func (export "never")))
