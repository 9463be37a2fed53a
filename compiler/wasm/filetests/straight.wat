;; Values are SSA values; locals begin as zero; constants fold.
(module
  (func $sum_of_squares (param i32 i32) (result i32)
    (i32.add (i32.mul (local.get 0) (local.get 0)) (i32.mul (local.get 1) (local.get 1))))
  (func $locals (param i64) (result i64 i64)
    (local i64 f32 v128)
    (local.set 1 (i64.add (local.get 0) (local.get 1)))
    (local.get 1)
    (i64.sub (local.tee 1 (i64.const 5)) (i64.const 3)))
  (func $select (param i32 f64 f64) (result f64)
    (select (local.get 1) (local.get 2) (i32.eqz (local.get 0))))
  (func $refs (param externref) (result i32)
    (i32.or (ref.is_null (local.get 0)) (ref.is_null (ref.null func)))))
;; ---- lifted
;; function "sum_of_squares"(i32, i32) -> (i32) wasm entries block0 {
;; block0(v0: i32, v1: i32) pc 0x2e:
;;   v2 = mul.i32 v0, v0
;;   v3 = mul.i32 v1, v1
;;   v4 = add.i32 v2, v3
;;   ret v4
;; }
;;
;; function "locals"(i64) -> (i64, i64) wasm entries block0 {
;; block0(v0: i64) pc 0x3c:
;;   v1 = iconst.i64 0
;;   v2 = fconst.f32 0x0
;;   v3 = vconst 0x00000000000000000000000000000000
;;   v4 = iconst.i64 5
;;   v5 = iconst.i64 3
;;   v6 = iconst.i64 2
;;   ret v0, v6
;; }
;;
;; function "select"(i32, f64, f64) -> (f64) wasm entries block0 {
;; block0(v0: i32, v1: f64, v2: f64) pc 0x55:
;;   v3 = iconst.i32 0
;;   v4 = icmp.i32 eq v0, v3
;;   v5 = select.f64 v4, v1, v2
;;   ret v5
;; }
;;
;; function "refs"(i64) -> (i32) wasm entries block0 {
;; block0(v0: i64) pc 0x60:
;;   v1 = iconst.i64 0
;;   v2 = icmp.i64 eq v0, v1
;;   v3 = iconst.i32 1
;;   v4 = or.i32 v2, v3
;;   ret v4
;; }
