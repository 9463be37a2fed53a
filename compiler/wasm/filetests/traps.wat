;; What traps is asked before, with the fuel that the trapping instruction and those after it were charged.
;; metered
(module
  (func $div (param i32 i32) (result i32)
    (i32.add (i32.div_s (local.get 0) (local.get 1)) (i32.rem_u (local.get 0) (i32.const 10))))
  (func $rem (param i64) (result i64)
    (i64.rem_s (local.get 0) (i64.const -1))
    (i64.div_u (i64.const 0)))
  (func $trunc (param f64 f32) (result i64)
    (drop (i32.trunc_f64_s (local.get 0)))
    (drop (i32.trunc_f32_u (local.get 1)))
    (drop (i64.trunc_sat_f32_u (local.get 1)))
    (i64.trunc_f64_s (local.get 0)))
  (func $unreachable (param i32)
    (if (local.get 0) (then (unreachable)))))
;; ---- lifted
;; function "div"(i32, i32) -> (i32) wasm entries block0 {
;; block0(v0: i32, v1: i32) pc 0x2b:
;;   meter 7 @0x2c refund 7
;;   v2 = iconst.i32 0
;;   v3 = icmp.i32 eq v1, v2
;;   trap_if v3, 9 @0x30 refund 5
;;   v4 = iconst.i32 -2147483648
;;   v5 = icmp.i32 eq v0, v4
;;   v6 = iconst.i32 -1
;;   v7 = icmp.i32 eq v1, v6
;;   v8 = and.i32 v5, v7
;;   trap_if v8, 10 @0x30 refund 5
;;   v9 = sdiv_total.i32 v0, v1 guarded
;;   v10 = iconst.i32 10
;;   v11 = urem_total.i32 v0, v10 guarded
;;   v12 = add.i32 v9, v11
;;   ret v12
;; }
;;
;; function "rem"(i64) -> (i64) wasm entries block0 {
;; block0(v0: i64) pc 0x39:
;;   meter 5 @0x3a refund 5
;;   v1 = iconst.i64 -1
;;   v2 = iconst.i64 0
;;   v3 = iconst.i32 0
;;   v4 = iconst.i32 1
;;   trap_if v4, 9 @0x41 refund 1
;;   ret v1
;; }
;;
;; function "trunc"(f64, f32) -> (i64) wasm entries block0 {
;; block0(v0: f64, v1: f32) pc 0x44:
;;   meter 11 @0x45 refund 11
;;   v2 = fcmp.f64 ne v0, v0
;;   trap_if v2, 11 @0x47 refund 10
;;   v3 = fconst.f64 0xc1e0000000200000
;;   v4 = fcmp.f64 le v0, v3
;;   trap_if v4, 10 @0x47 refund 10
;;   v5 = fconst.f64 0x41e0000000000000
;;   v6 = fcmp.f64 ge v0, v5
;;   trap_if v6, 10 @0x47 refund 10
;;   v7 = f_to_s.i32 v0 in_range
;;   v8 = fcmp.f32 ne v1, v1
;;   trap_if v8, 11 @0x4b refund 7
;;   v9 = fconst.f32 0xbf800000
;;   v10 = fcmp.f32 le v1, v9
;;   trap_if v10, 10 @0x4b refund 7
;;   v11 = fconst.f32 0x4f800000
;;   v12 = fcmp.f32 ge v1, v11
;;   trap_if v12, 10 @0x4b refund 7
;;   v13 = f_to_u.i32 v1 in_range
;;   v14 = f_to_u.i64 v1
;;   v15 = fcmp.f64 ne v0, v0
;;   trap_if v15, 11 @0x54 refund 1
;;   v16 = fconst.f64 0xc3e0000000000000
;;   v17 = fcmp.f64 lt v0, v16
;;   trap_if v17, 10 @0x54 refund 1
;;   v18 = fconst.f64 0x43e0000000000000
;;   v19 = fcmp.f64 ge v0, v18
;;   trap_if v19, 10 @0x54 refund 1
;;   v20 = f_to_s.i64 v0 in_range
;;   ret v20
;; }
;;
;; function "unreachable"(i32) -> () wasm entries block0 {
;; block0(v0: i32) pc 0x57:
;;   meter 2 @0x58 refund 2
;;   br_if v0, block1, block2
;; block1 cold pc 0x5c:
;;   meter 1 @0x5c refund 1
;;   trap 8 @0x5c refund 1
;; block2 pc 0x5e:
;;   ret
;; }
