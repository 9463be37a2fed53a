# A jump whose table is not seen, to labels in data; one of them is a function of its own.
      jalr zero, 0(a0)
one:  jal ra, two
two:  jalr zero, 0(ra)
.data
.word one, two
# ---- lifted
# fn_00010000: entries 10000
#   10000..10004 switch 10004 10008
#   10004..10008 call 10008
# fn_00010008: entries 10008
#   10008..1000c return
#
# -- local
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10000:
#   store_state x2, v0
#   store_state x8, v7
#   store_state x9, v8
#   store_state x10, v1
#   store_state x11, v2
#   store_state x12, v3
#   store_state x13, v4
#   store_state x14, v5
#   store_state x15, v6
#   br block1
# block1 pc 0x10000:
#   meter 1 @0x10000 refund 1
#   v9 = load_state x10
#   v10 = iconst.i32 65540
#   v11 = iconst.i32 -65540
#   v12 = add.i32 v9, v11
#   v13 = iconst.i32 30
#   v14 = rotl.i32 v12, v13
#   br_table v14, [block4, block5, block3]
# block2 pc 0x10004:
#   meter 1 @0x10004 refund 1
#   v33 = iconst.i32 65544
#   store_state x1, v33
#   v34 = load_state x2
#   v35 = load_state x10
#   v36 = load_state x11
#   v37 = load_state x12
#   v38 = load_state x13
#   v39 = load_state x14
#   v40 = load_state x15
#   v41 = load_state x8
#   v42 = load_state x9
#   v43: i32, v44: i32, v45: i32, v46: i32, v47: i32, v48: i32, v49: i32, v50: i32, v51: i32, v52: i32 = call @f65544(v34, v35, v36, v37, v38, v39, v40, v41, v42) @0x10004
#   ret v43, v44, v45, v46, v47, v48, v49, v50, v51, v52
# block3 cold pc 0x10000:
#   v15 = iconst.i32 3
#   v16 = and.i32 v9, v15
#   trap_if v16, 0 @0x10000 refund 1
#   v17 = load_state x2
#   v18 = load_state x11
#   v19 = load_state x12
#   v20 = load_state x13
#   v21 = load_state x14
#   v22 = load_state x15
#   v23 = load_state x8
#   v24 = load_state x9
#   tail_dispatch v9(v17, v9, v18, v19, v20, v21, v22, v23, v24) @0x10000
# block4 pc 0x10004:
#   br block2
# block5 pc 0x10008:
#   v25 = load_state x2
#   v26 = load_state x11
#   v27 = load_state x12
#   v28 = load_state x13
#   v29 = load_state x14
#   v30 = load_state x15
#   v31 = load_state x8
#   v32 = load_state x9
#   tail_call @f65544(v25, v9, v26, v27, v28, v29, v30, v31, v32) @0x10000
# }
#
# function "fn_00010008"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10008:
#   store_state x2, v0
#   store_state x8, v7
#   store_state x9, v8
#   store_state x10, v1
#   store_state x11, v2
#   store_state x12, v3
#   store_state x13, v4
#   store_state x14, v5
#   store_state x15, v6
#   br block1
# block1 pc 0x10008:
#   meter 1 @0x10008 refund 1
#   v9 = load_state x1
#   v10 = iconst.i32 3
#   v11 = and.i32 v9, v10
#   trap_if v11, 0 @0x10008 refund 1
#   v12 = load_state x2
#   v13 = load_state x10
#   v14 = load_state x11
#   v15 = load_state x12
#   v16 = load_state x13
#   v17 = load_state x14
#   v18 = load_state x15
#   v19 = load_state x8
#   v20 = load_state x9
#   ret v9, v12, v13, v14, v15, v16, v17, v18, v19, v20
# }
#
# -- SSA
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 1 @0x10000 refund 1
#   v9 = iconst.i32 65540
#   v10 = iconst.i32 -65540
#   v11 = add.i32 v1, v10
#   v12 = iconst.i32 30
#   v13 = rotl.i32 v11, v12
#   br_table v13, [block4, block5, block3]
# block2 pc 0x10004 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 1 @0x10004 refund 1
#   v16 = iconst.i32 65544
#   store_state x1, v16
#   v17: i32, v18: i32, v19: i32, v20: i32, v21: i32, v22: i32, v23: i32, v24: i32, v25: i32, v26: i32 = call @f65544(v0, v1, v2, v3, v4, v5, v6, v7, v8) @0x10004
#   ret v17, v18, v19, v20, v21, v22, v23, v24, v25, v26
# block3 cold pc 0x10000:
#   v14 = iconst.i32 3
#   v15 = and.i32 v1, v14
#   defer_state x2, v0
#   defer_state x8, v7
#   defer_state x9, v8
#   defer_state x10, v1
#   defer_state x11, v2
#   defer_state x12, v3
#   defer_state x13, v4
#   defer_state x14, v5
#   defer_state x15, v6
#   trap_if v15, 0 @0x10000 refund 1
#   tail_dispatch v1(v0, v1, v2, v3, v4, v5, v6, v7, v8) @0x10000
# block4 pc 0x10004:
#   br block2
# block5 pc 0x10008:
#   tail_call @f65544(v0, v1, v2, v3, v4, v5, v6, v7, v8) @0x10000
# }
#
# function "fn_00010008"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10008:
#   br block1
# block1 pc 0x10008 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 1 @0x10008 refund 1
#   v9 = load_state x1
#   v10 = iconst.i32 3
#   v11 = and.i32 v9, v10
#   trap_if v11, 0 @0x10008 refund 1
#   ret v9, v0, v1, v2, v3, v4, v5, v6, v7, v8
# }
