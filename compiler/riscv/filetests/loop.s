# A loop: block parameters for what changes in it, and only for that.
      addi a1, zero, 0
loop: add a1, a1, a0
      add t2, t2, s5
      addi a0, a0, -1
      bne a0, zero, loop
      jalr zero, 0(ra)
# ---- lifted
# fn_00010000: entries 10000 10004
#   10000..10004 falls through
#   10004..10014 branch 10004
#   10014..10018 return
#
# -- local
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block4 {
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
#   v18 = iconst.i32 0
#   store_state x11, v18
#   br block2
# block2 pc 0x10004:
#   meter 4 @0x10004 refund 4
#   v19 = load_state x10
#   v20 = load_state x11
#   v21 = add.i32 v19, v20
#   v22 = load_state x21
#   v23 = load_state x7
#   v24 = add.i32 v22, v23
#   v25 = iconst.i32 -1
#   v26 = add.i32 v19, v25
#   v27 = iconst.i32 0
#   v28 = iconst.i32 1
#   v29 = icmp.i32 ne v19, v28
#   store_state x7, v24
#   store_state x10, v26
#   store_state x11, v21
#   br_if v29, block2, block3
# block3 pc 0x10014:
#   meter 1 @0x10014 refund 1
#   v30 = load_state x1
#   v31 = iconst.i32 3
#   v32 = and.i32 v30, v31
#   trap_if v32, 0 @0x10014 refund 1
#   v33 = load_state x2
#   v34 = load_state x10
#   v35 = load_state x11
#   v36 = load_state x12
#   v37 = load_state x13
#   v38 = load_state x14
#   v39 = load_state x15
#   v40 = load_state x8
#   v41 = load_state x9
#   ret v30, v33, v34, v35, v36, v37, v38, v39, v40, v41
# block4(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) cold pc 0x10004:
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
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block4 {
# block0(v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32, v18: i32, v19: i32, v20: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v12, x8=v19, x9=v20, x10=v13, x11=v14, x12=v15, x13=v16, x14=v17, x15=v18]:
#   meter 1 @0x10000 refund 1
#   v30 = iconst.i32 0
#   v31 = load_state x1
#   v32 = load_state x7
#   v33 = load_state x21
#   br block2(v31, v12, v32, v19, v20, v13, v30, v15, v16, v17, v18, v33)
# block2(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32, v9: i32, v10: i32, v11: i32) pc 0x10004 unread 0xf304 state[x2=v1, x7=v2, x8=v3, x9=v4, x10=v5, x11=v6, x12=v7, x13=v8, x14=v9, x15=v10]:
#   meter 4 @0x10004 refund 4
#   v34 = add.i32 v5, v6
#   v35 = add.i32 v2, v11
#   v36 = iconst.i32 -1
#   v37 = add.i32 v5, v36
#   v38 = iconst.i32 0
#   v39 = iconst.i32 1
#   v40 = icmp.i32 ne v5, v39
#   br_if v40, block2(v0, v1, v35, v3, v4, v37, v34, v7, v8, v9, v10, v11), block3
# block3 pc 0x10014 state[x2=v1, x7=v35, x8=v3, x9=v4, x10=v37, x11=v34, x12=v7, x13=v8, x14=v9, x15=v10]:
#   meter 1 @0x10014 refund 1
#   v41 = iconst.i32 3
#   v42 = and.i32 v0, v41
#   trap_if v42, 0 @0x10014 refund 1
#   store_state x7, v35
#   ret v0, v1, v37, v34, v7, v8, v9, v10, v3, v4
# block4(v21: i32, v22: i32, v23: i32, v24: i32, v25: i32, v26: i32, v27: i32, v28: i32, v29: i32) cold pc 0x10004:
#   v43 = load_state x1
#   v44 = load_state x7
#   v45 = load_state x21
#   br block2(v43, v21, v44, v28, v29, v22, v23, v24, v25, v26, v27, v45)
# }
