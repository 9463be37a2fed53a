;; Conversions and wide arithmetic.
(module
  (func $integers (param i64 i32) (result i64)
    (i64.rotl (i64.extend32_s (local.get 0)) (i64.extend_i32_u (i32.extend8_s (i32.clz (local.get 1))))))
  (func $floats (param f32 f64 i64) (result f64)
    (f64.copysign (f64.promote_f32 (f32.nearest (local.get 0)))
      (f64.min (local.get 1) (f64.convert_i64_u (local.get 2)))))
  (func $bits (param f32 i64) (result i32)
    (i32.xor (i32.reinterpret_f32 (local.get 0))
      (f64.lt (f64.reinterpret_i64 (local.get 1)) (f64.const nan:0x4000000000001)))))
;; ---- lifted
;; function "integers"(i64, i32) -> (i64) wasm entries block0 {
;; block0(v0: i64, v1: i32) pc 0x28:
;;   v2 = wrap.i64 v0
;;   v3 = extend_s32.i32 v2
;;   v4 = clz.i32 v1
;;   v5 = extend_u32.i32 v4
;;   v6 = rotl.i64 v3, v5
;;   ret v6
;; }
;;
;; function "floats"(f32, f64, i64) -> (f64) wasm entries block0 {
;; block0(v0: f32, v1: f64, v2: i64) pc 0x34:
;;   v3 = fnearest.f32 v0
;;   v4 = fpromote.f64 v3
;;   v5 = u_to_f.f64 v2
;;   v6 = fmin.f64 v1, v5
;;   v7 = fcopysign.f64 v4, v6
;;   ret v7
;; }
;;
;; function "bits"(f32, i64) -> (i32) wasm entries block0 {
;; block0(v0: f32, v1: i64) pc 0x42:
;;   v2 = bitcast.i32 v0
;;   v3 = bitcast.f64 v1
;;   v4 = fconst.f64 0x7ff4000000000001
;;   v5 = fcmp.f64 lt v3, v4
;;   v6 = xor.i32 v2, v5
;;   ret v6
;; }
