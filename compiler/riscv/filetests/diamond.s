# Two ways that meet.
      addi t0, zero, 7
      beq a0, zero, else
      addi t0, zero, 8
      jal zero, join
else: addi t1, zero, 9
join: add a0, t0, t1
      jalr zero, 0(ra)
# ---- lifted
# fn_00010000: entries 10000
#   10000..10008 branch 10010
#   10008..10010 jump 10014
#   10010..10014 falls through
#   10014..1001c return
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
#   meter 2 @0x10000 refund 2
#   v9 = iconst.i32 7
#   v10 = iconst.i32 0
#   v11 = load_state x10
#   v12 = icmp.i32 eq v11, v10
#   store_state x5, v9
#   br_if v12, block2, block3
# block2 pc 0x10010:
#   meter 1 @0x10010 refund 1
#   v13 = iconst.i32 9
#   v14 = iconst.i32 0
#   store_state x6, v13
#   br block4
# block3 pc 0x10008:
#   meter 2 @0x10008 refund 2
#   v15 = iconst.i32 8
#   v16 = iconst.i32 0
#   store_state x5, v15
#   br block4
# block4 pc 0x10014:
#   meter 2 @0x10014 refund 2
#   v17 = load_state x6
#   v18 = load_state x5
#   v19 = add.i32 v17, v18
#   v20 = load_state x1
#   v21 = iconst.i32 3
#   v22 = and.i32 v20, v21
#   defer_state x10, v19
#   trap_if v22, 0 @0x10018 refund 1
#   v23 = load_state x2
#   v24 = load_state x11
#   v25 = load_state x12
#   v26 = load_state x13
#   v27 = load_state x14
#   v28 = load_state x15
#   v29 = load_state x8
#   v30 = load_state x9
#   ret v20, v23, v19, v24, v25, v26, v27, v28, v29, v30
# }
#
# -- SSA
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32, v9: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v1, x8=v8, x9=v9, x10=v2, x11=v3, x12=v4, x13=v5, x14=v6, x15=v7]:
#   meter 2 @0x10000 refund 2
#   v10 = iconst.i32 7
#   v11 = iconst.i32 0
#   v12 = icmp.i32 eq v2, v11
#   br_if v12, block2, block3
# block2 pc 0x10010 state[x2=v1, x5=v10, x8=v8, x9=v9, x10=v2, x11=v3, x12=v4, x13=v5, x14=v6, x15=v7]:
#   meter 1 @0x10010 refund 1
#   v13 = iconst.i32 9
#   v14 = iconst.i32 0
#   store_state x6, v13
#   br block4(v10)
# block3 pc 0x10008 state[x2=v1, x5=v10, x8=v8, x9=v9, x10=v2, x11=v3, x12=v4, x13=v5, x14=v6, x15=v7]:
#   meter 2 @0x10008 refund 2
#   v15 = iconst.i32 8
#   v16 = iconst.i32 0
#   br block4(v15)
# block4(v0: i32) pc 0x10014 state[x2=v1, x5=v0, x8=v8, x9=v9, x10=v2, x11=v3, x12=v4, x13=v5, x14=v6, x15=v7]:
#   meter 2 @0x10014 refund 2
#   v17 = load_state x6
#   v18 = add.i32 v0, v17
#   v19 = load_state x1
#   v20 = iconst.i32 3
#   v21 = and.i32 v19, v20
#   defer_state x10, v18
#   trap_if v21, 0 @0x10018 refund 1
#   store_state x5, v0
#   ret v19, v1, v18, v3, v4, v5, v6, v7, v8, v9
# }
