;; Well-formed, but the function has no result. Built without validation.
(module (func (export "f") (result i32) nop))
