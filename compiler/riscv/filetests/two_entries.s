# A block whose address is in data is an entry of its own: registers that differ become parameters.
      addi t0, zero, 1
taken: add a0, t0, a0
      jalr zero, 0(ra)
.data
.word taken
# ---- lifted
# fn_00010000: entries 10000 10004
#   10000..10004 falls through
#   10004..1000c return
#
# -- local
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block3 {
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
#   v18 = iconst.i32 1
#   v19 = iconst.i32 0
#   store_state x5, v18
#   br block2
# block2 pc 0x10004:
#   meter 2 @0x10004 refund 2
#   v20 = load_state x10
#   v21 = load_state x5
#   v22 = add.i32 v20, v21
#   v23 = load_state x1
#   v24 = iconst.i32 3
#   v25 = and.i32 v23, v24
#   defer_state x10, v22
#   trap_if v25, 0 @0x10008 refund 1
#   v26 = load_state x2
#   v27 = load_state x11
#   v28 = load_state x12
#   v29 = load_state x13
#   v30 = load_state x14
#   v31 = load_state x15
#   v32 = load_state x8
#   v33 = load_state x9
#   ret v23, v26, v22, v27, v28, v29, v30, v31, v32, v33
# block3(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) cold pc 0x10004:
#   store_state x2, v9
#   store_state x8, v16
#   store_state x9, v17
#   store_state x10, v10
#   store_state x11, v11
#   store_state x12, v12
#   store_state x13, v13
#   store_state x14, v14
#   store_state x15, v15
#   br block2
# }
#
# -- SSA
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block3 {
# block0(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v9, x8=v16, x9=v17, x10=v10, x11=v11, x12=v12, x13=v13, x14=v14, x15=v15]:
#   meter 1 @0x10000 refund 1
#   v27 = iconst.i32 1
#   v28 = iconst.i32 0
#   store_state x5, v27
#   br block2(v9, v16, v17, v10, v11, v12, v13, v14, v15)
# block2(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10004 state[x2=v0, x8=v1, x9=v2, x10=v3, x11=v4, x12=v5, x13=v6, x14=v7, x15=v8]:
#   meter 2 @0x10004 refund 2
#   v29 = load_state x5
#   v30 = add.i32 v3, v29
#   v31 = load_state x1
#   v32 = iconst.i32 3
#   v33 = and.i32 v31, v32
#   defer_state x10, v30
#   trap_if v33, 0 @0x10008 refund 1
#   ret v31, v0, v30, v4, v5, v6, v7, v8, v1, v2
# block3(v18: i32, v19: i32, v20: i32, v21: i32, v22: i32, v23: i32, v24: i32, v25: i32, v26: i32) cold pc 0x10004:
#   br block2(v18, v25, v26, v19, v20, v21, v22, v23, v24)
# }
