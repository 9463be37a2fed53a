;; Vectors: operations by name; memory instructions are made of a scalar access and an operation.
(module
  (memory 1)
  (func $arithmetic (param v128 i32) (result v128)
    (i8x16.replace_lane 3 (f32x4.add (local.get 0) (v128.const f32x4 1 2 3 4)) (local.get 1))
    (i16x8.shl (i32.const 20))
    (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 31 (local.get 0))
    (v128.bitselect (local.get 0) (local.get 0)))
  (func $loads (param i32) (result v128)
    (v128.load offset=16 (local.get 0))
    (i32x4.add (v128.load16x4_u (local.get 0)))
    (i32x4.add (v128.load8_splat (local.get 0)))
    (i32x4.add (v128.load64_zero (local.get 0)))
    (i32x4.add (v128.load16_lane 5 (local.get 0) (v128.const i32x4 0 0 0 0))))
  (func $stores (param i32 v128)
    (v128.store (local.get 0) (local.get 1))
    (v128.store32_lane offset=4 2 (local.get 0) (local.get 1)))
  (func $dot (param v128 v128) (result i32)
    (i32x4.extract_lane 1 (i32x4.dot_i16x8_s (local.get 0) (local.get 1)))))
;; ---- lifted
;; function "arithmetic"(v128, i32) -> (v128) wasm entries block0 {
;; block0(v0: v128, v1: i32) pc 0x32:
;;   v2 = vconst 0x0000803f000000400000404000008040
;;   v3 = simd.f32x4.add v0, v2
;;   v4 = simd.i8x16.replace_lane v3, v1, 3
;;   v5 = iconst.i32 20
;;   v6 = simd.i16x8.shl v4, v5
;;   v7 = shuffle v6, v0, 0x0001020304050607101112131415161f
;;   v8 = simd.v128.bitselect v7, v0, v0
;;   ret v8
;; }
;;
;; function "loads"(i32) -> (v128) wasm entries block0 {
;; block0(v0: i32) pc 0x70:
;;   v1 = load.v128 128 v0 + 16 @0x73
;;   v2 = load.i64 64 v0 @0x79
;;   v3 = simd.i64x2.low v2
;;   v4 = simd.i32x4.extend_low_i16x8_u v3
;;   v5 = simd.i32x4.add v1, v4
;;   v6 = load.i32 u8 v0 @0x82
;;   v7 = simd.i8x16.splat v6
;;   v8 = simd.i32x4.add v5, v7
;;   v9 = load.i64 64 v0 @0x8b
;;   v10 = simd.i64x2.low v9
;;   v11 = simd.i32x4.add v8, v10
;;   v12 = vconst 0x00000000000000000000000000000000
;;   v13 = load.i32 u16 v0 @0xa6
;;   v14 = simd.i16x8.replace_lane v12, v13, 5
;;   v15 = simd.i32x4.add v11, v14
;;   ret v15
;; }
;;
;; function "stores"(i32, v128) -> () wasm entries block0 {
;; block0(v0: i32, v1: v128) pc 0xb0:
;;   store.v128 128 v0, v1 @0xb5
;;   v2 = simd.i32x4.extract_lane v1, 2
;;   store.i32 u32 v0 + 4, v2 @0xbd
;;   ret
;; }
;;
;; function "dot"(v128, v128) -> (i32) wasm entries block0 {
;; block0(v0: v128, v1: v128) pc 0xc4:
;;   v2 = simd.i32x4.dot_i16x8_s v0, v1
;;   v3 = simd.i32x4.extract_lane v2, 1
;;   ret v3
;; }
