# t1 and t2 are set before a loop that calls in every round: both are stored once, before the loop, and
# loaded in it. t2 changes in the loop after the call: it is a parameter of the loop's head.
      addi t1, zero, 100
      addi t2, zero, 0
loop: jal ra, f
      addi t2, t2, 3
      bltu t2, t1, loop
      jalr zero, 0(s1)
f:    fence
      jalr zero, 0(ra)
# ---- lifted
# fn_00010000: entries 10000 1000c
#   10000..10008 falls through
#   10008..1000c call 10018
#   1000c..10014 branch 10008
#   10014..10018 indirect jump
# fn_00010018: entries 10018
#   10018..10020 return
#
# -- local
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block5 {
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
#   v18 = iconst.i32 100
#   v19 = iconst.i32 0
#   store_state x6, v18
#   store_state x7, v19
#   br block2
# block2 pc 0x10008:
#   meter 1 @0x10008 refund 1
#   v20 = iconst.i32 65548
#   store_state x1, v20
#   v21 = load_state x2
#   v22 = load_state x10
#   v23 = load_state x11
#   v24 = load_state x12
#   v25 = load_state x13
#   v26 = load_state x14
#   v27 = load_state x15
#   v28 = load_state x8
#   v29 = load_state x9
#   v30: i32, v31: i32, v32: i32, v33: i32, v34: i32, v35: i32, v36: i32, v37: i32, v38: i32, v39: i32 = call @f65560(v21, v22, v23, v24, v25, v26, v27, v28, v29) @0x10008
#   v40 = icmp.i32 ne v30, v20
#   store_state x2, v31
#   store_state x8, v38
#   store_state x9, v39
#   store_state x10, v32
#   store_state x11, v33
#   store_state x12, v34
#   store_state x13, v35
#   store_state x14, v36
#   store_state x15, v37
#   br_if v40, block6, block3 cold
# block3 pc 0x1000c:
#   meter 2 @0x1000c refund 2
#   v41 = iconst.i32 3
#   v42 = load_state x7
#   v43 = add.i32 v42, v41
#   v44 = load_state x6
#   v45 = icmp.i32 ult v43, v44
#   store_state x7, v43
#   br_if v45, block2, block4
# block4 pc 0x10014:
#   meter 1 @0x10014 refund 1
#   v46 = load_state x9
#   v47 = iconst.i32 3
#   v48 = and.i32 v46, v47
#   trap_if v48, 0 @0x10014 refund 1
#   v49 = load_state x2
#   v50 = load_state x10
#   v51 = load_state x11
#   v52 = load_state x12
#   v53 = load_state x13
#   v54 = load_state x14
#   v55 = load_state x15
#   v56 = load_state x8
#   tail_dispatch v46(v49, v50, v51, v52, v53, v54, v55, v56, v46) @0x10014
# block5(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) cold pc 0x1000c:
#   store_state x2, v9
#   store_state x8, v16
#   store_state x9, v17
#   store_state x10, v10
#   store_state x11, v11
#   store_state x12, v12
#   store_state x13, v13
#   store_state x14, v14
#   store_state x15, v15
#   br block3
# block6 cold pc 0x1000c:
#   ret v30, v31, v32, v33, v34, v35, v36, v37, v38, v39
# }
#
# function "fn_00010018"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10018:
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
# block1 pc 0x10018:
#   meter 2 @0x10018 refund 2
#   v9 = load_state x1
#   v10 = iconst.i32 3
#   v11 = and.i32 v9, v10
#   trap_if v11, 0 @0x1001c refund 1
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
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block5 {
# block0(v18: i32, v19: i32, v20: i32, v21: i32, v22: i32, v23: i32, v24: i32, v25: i32, v26: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v18, x8=v25, x9=v26, x10=v19, x11=v20, x12=v21, x13=v22, x14=v23, x15=v24]:
#   meter 2 @0x10000 refund 2
#   v36 = iconst.i32 100
#   v37 = iconst.i32 0
#   store_state x6, v36
#   store_state x7, v37
#   br block2(v18, v25, v26, v19, v20, v21, v22, v23, v24)
# block2(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10008 state[x2=v0, x8=v1, x9=v2, x10=v3, x11=v4, x12=v5, x13=v6, x14=v7, x15=v8]:
#   meter 1 @0x10008 refund 1
#   v38 = iconst.i32 65548
#   store_state x1, v38
#   v39: i32, v40: i32, v41: i32, v42: i32, v43: i32, v44: i32, v45: i32, v46: i32, v47: i32, v48: i32 = call @f65560(v0, v3, v4, v5, v6, v7, v8, v1, v2) @0x10008
#   v49 = icmp.i32 ne v39, v38
#   br_if v49, block6, block3(v40, v47, v48, v41, v42, v43, v44, v45, v46) cold
# block3(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) pc 0x1000c state[x2=v9, x8=v10, x9=v11, x10=v12, x11=v13, x12=v14, x13=v15, x14=v16, x15=v17]:
#   meter 2 @0x1000c refund 2
#   v50 = iconst.i32 3
#   v51 = load_state x7
#   v52 = add.i32 v51, v50
#   v53 = load_state x6
#   v54 = icmp.i32 ult v52, v53
#   store_state x7, v52
#   br_if v54, block2(v9, v10, v11, v12, v13, v14, v15, v16, v17), block4
# block4 pc 0x10014 state[x2=v9, x7=v52, x8=v10, x9=v11, x10=v12, x11=v13, x12=v14, x13=v15, x14=v16, x15=v17]:
#   meter 1 @0x10014 refund 1
#   v55 = iconst.i32 3
#   v56 = and.i32 v11, v55
#   trap_if v56, 0 @0x10014 refund 1
#   store_state x7, v52
#   tail_dispatch v11(v9, v12, v13, v14, v15, v16, v17, v10, v11) @0x10014
# block5(v27: i32, v28: i32, v29: i32, v30: i32, v31: i32, v32: i32, v33: i32, v34: i32, v35: i32) cold pc 0x1000c:
#   br block3(v27, v34, v35, v28, v29, v30, v31, v32, v33)
# block6 cold pc 0x1000c:
#   ret v39, v40, v41, v42, v43, v44, v45, v46, v47, v48
# }
#
# function "fn_00010018"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10018:
#   br block1
# block1 pc 0x10018 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 2 @0x10018 refund 2
#   v9 = load_state x1
#   v10 = iconst.i32 3
#   v11 = and.i32 v9, v10
#   trap_if v11, 0 @0x1001c refund 1
#   ret v9, v0, v1, v2, v3, v4, v5, v6, v7, v8
# }
