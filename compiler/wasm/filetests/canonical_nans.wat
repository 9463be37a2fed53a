;; canonical_nans
(module
  (func $scalar (param f32 f64) (result f32)
    (f32.neg (f32.add (f32.sqrt (local.get 0)) (f32.demote_f64 (local.get 1)))))
  (func $vector (param v128) (result v128)
    (f64x2.pmin (local.get 0) (f64x2.max (local.get 0) (f32x4.neg (local.get 0))))))
;; ---- lifted
;; function "scalar"(f32, f64) -> (f32) wasm entries block0 {
;; block0(v0: f32, v1: f64) pc 0x1f:
;;   v2 = fsqrt.f32 v0
;;   v3 = fconst.f32 0x7fc00000
;;   v4 = fcmp.f32 ne v2, v2
;;   v5 = select.f32 v4, v3, v2
;;   v6 = fdemote.f32 v1
;;   v7 = fcmp.f32 ne v6, v6
;;   v8 = select.f32 v7, v3, v6
;;   v9 = fadd.f32 v5, v8
;;   v10 = fcmp.f32 ne v9, v9
;;   v11 = select.f32 v10, v3, v9
;;   v12 = fneg.f32 v11
;;   ret v12
;; }
;;
;; function "vector"(v128) -> (v128) wasm entries block0 {
;; block0(v0: v128) pc 0x2a:
;;   v1 = simd.f32x4.neg v0
;;   v2 = simd.f64x2.max v0, v1
;;   v3 = simd.f64x2.ne v2, v2
;;   v4 = vconst 0x000000000000f87f000000000000f87f
;;   v5 = simd.v128.bitselect v4, v2, v3
;;   v6 = simd.f64x2.pmin v0, v5
;;   ret v6
;; }
