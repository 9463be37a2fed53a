# A loop around a call: registers pass through VmContext.
loop: addi t1, t1, 1
      jal ra, f
      bne a0, t1, loop
      jalr zero, 0(s1)
f:    fence
      jalr zero, 0(ra)
# ---- lifted
# fn_00010000: entries 10000 10008
#   10000..10008 call 10010
#   10008..1000c branch 10000
#   1000c..10010 indirect jump
# fn_00010010: entries 10010
#   10010..10018 return
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
#   meter 2 @0x10000 refund 2
#   v18 = iconst.i32 1
#   v19 = load_state x6
#   v20 = add.i32 v19, v18
#   v21 = iconst.i32 65544
#   store_state x1, v21
#   store_state x6, v20
#   v22 = load_state x2
#   v23 = load_state x10
#   v24 = load_state x11
#   v25 = load_state x12
#   v26 = load_state x13
#   v27 = load_state x14
#   v28 = load_state x15
#   v29 = load_state x8
#   v30 = load_state x9
#   v31: i32, v32: i32, v33: i32, v34: i32, v35: i32, v36: i32, v37: i32, v38: i32, v39: i32, v40: i32 = call @f65552(v22, v23, v24, v25, v26, v27, v28, v29, v30) @0x10004
#   v41 = icmp.i32 ne v31, v21
#   store_state x2, v32
#   store_state x8, v39
#   store_state x9, v40
#   store_state x10, v33
#   store_state x11, v34
#   store_state x12, v35
#   store_state x13, v36
#   store_state x14, v37
#   store_state x15, v38
#   br_if v41, block5, block2 cold
# block2 pc 0x10008:
#   meter 1 @0x10008 refund 1
#   v42 = load_state x6
#   v43 = load_state x10
#   v44 = icmp.i32 ne v42, v43
#   br_if v44, block1, block3
# block3 pc 0x1000c:
#   meter 1 @0x1000c refund 1
#   v45 = load_state x9
#   v46 = iconst.i32 3
#   v47 = and.i32 v45, v46
#   trap_if v47, 0 @0x1000c refund 1
#   v48 = load_state x2
#   v49 = load_state x10
#   v50 = load_state x11
#   v51 = load_state x12
#   v52 = load_state x13
#   v53 = load_state x14
#   v54 = load_state x15
#   v55 = load_state x8
#   tail_dispatch v45(v48, v49, v50, v51, v52, v53, v54, v55, v45) @0x1000c
# block4(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) cold pc 0x10008:
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
# block5 cold pc 0x10008:
#   ret v31, v32, v33, v34, v35, v36, v37, v38, v39, v40
# }
#
# function "fn_00010010"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10010:
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
# block1 pc 0x10010:
#   meter 2 @0x10010 refund 2
#   v9 = load_state x1
#   v10 = iconst.i32 3
#   v11 = and.i32 v9, v10
#   trap_if v11, 0 @0x10014 refund 1
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
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block4 {
# block0(v18: i32, v19: i32, v20: i32, v21: i32, v22: i32, v23: i32, v24: i32, v25: i32, v26: i32) pc 0x10000:
#   br block1(v18, v25, v26, v19, v20, v21, v22, v23, v24)
# block1(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10000 state[x2=v0, x8=v1, x9=v2, x10=v3, x11=v4, x12=v5, x13=v6, x14=v7, x15=v8]:
#   meter 2 @0x10000 refund 2
#   v36 = iconst.i32 1
#   v37 = load_state x6
#   v38 = add.i32 v37, v36
#   v39 = iconst.i32 65544
#   store_state x1, v39
#   store_state x6, v38
#   v40: i32, v41: i32, v42: i32, v43: i32, v44: i32, v45: i32, v46: i32, v47: i32, v48: i32, v49: i32 = call @f65552(v0, v3, v4, v5, v6, v7, v8, v1, v2) @0x10004
#   v50 = icmp.i32 ne v40, v39
#   br_if v50, block5, block2(v41, v48, v49, v42, v43, v44, v45, v46, v47) cold
# block2(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) pc 0x10008 state[x2=v9, x8=v10, x9=v11, x10=v12, x11=v13, x12=v14, x13=v15, x14=v16, x15=v17]:
#   meter 1 @0x10008 refund 1
#   v51 = load_state x6
#   v52 = icmp.i32 ne v12, v51
#   br_if v52, block1(v9, v10, v11, v12, v13, v14, v15, v16, v17), block3
# block3 pc 0x1000c state[x2=v9, x8=v10, x9=v11, x10=v12, x11=v13, x12=v14, x13=v15, x14=v16, x15=v17]:
#   meter 1 @0x1000c refund 1
#   v53 = iconst.i32 3
#   v54 = and.i32 v11, v53
#   trap_if v54, 0 @0x1000c refund 1
#   tail_dispatch v11(v9, v12, v13, v14, v15, v16, v17, v10, v11) @0x1000c
# block4(v27: i32, v28: i32, v29: i32, v30: i32, v31: i32, v32: i32, v33: i32, v34: i32, v35: i32) cold pc 0x10008:
#   br block2(v27, v34, v35, v28, v29, v30, v31, v32, v33)
# block5 cold pc 0x10008:
#   ret v40, v41, v42, v43, v44, v45, v46, v47, v48, v49
# }
#
# function "fn_00010010"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10010:
#   br block1
# block1 pc 0x10010 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 2 @0x10010 refund 2
#   v9 = load_state x1
#   v10 = iconst.i32 3
#   v11 = and.i32 v9, v10
#   trap_if v11, 0 @0x10014 refund 1
#   ret v9, v0, v1, v2, v3, v4, v5, v6, v7, v8
# }
