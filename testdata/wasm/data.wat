;; Initial memory in several pieces: overlapping, far apart, of zeros, empty, at the very end.
(module
  (memory 48)
  (memory $other 1)
  (data (i32.const 4090) "0123456789")
  (data (i32.const 4094) "ab")
  (data (i32.const 200000) "\00\00\00\00")
  (data (i32.const 3145727) "z")
  (data (i32.const 3145728) "")
  (data (memory $other) (i32.const 5) "other")
  (data "passive")
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "other") (param i32) (result i32) (i32.load8_u $other (local.get 0))))
