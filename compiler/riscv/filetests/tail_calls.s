# Jumps into other regions: by jal, by branch, by falling into one.
      jal t0, f
      beq a0, zero, f
      jal t0, g
      jal zero, f
f:    addi t1, t1, 1
g:    jalr zero, 0(t0)
# ---- lifted
# fn_00010000: entries 10000 10004 1000c
#   10000..10004 call 10010
#   10004..10008 branch 10010
#   10008..1000c call 10014
#   1000c..10010 jump 10010
# fn_00010010: entries 10010
#   10010..10014 falls through
# fn_00010014: entries 10014
#   10014..10018 return
#
# -- local
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block5, block6 {
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
#   v27 = iconst.i32 65540
#   store_state x5, v27
#   v28 = load_state x2
#   v29 = load_state x10
#   v30 = load_state x11
#   v31 = load_state x12
#   v32 = load_state x13
#   v33 = load_state x14
#   v34 = load_state x15
#   v35 = load_state x8
#   v36 = load_state x9
#   v37: i32, v38: i32, v39: i32, v40: i32, v41: i32, v42: i32, v43: i32, v44: i32, v45: i32, v46: i32 = call @f65552(v28, v29, v30, v31, v32, v33, v34, v35, v36) @0x10000
#   v47 = icmp.i32 ne v37, v27
#   store_state x2, v38
#   store_state x8, v45
#   store_state x9, v46
#   store_state x10, v39
#   store_state x11, v40
#   store_state x12, v41
#   store_state x13, v42
#   store_state x14, v43
#   store_state x15, v44
#   br_if v47, block7, block2 cold
# block2 pc 0x10004:
#   meter 1 @0x10004 refund 1
#   v48 = iconst.i32 0
#   v49 = load_state x10
#   v50 = icmp.i32 eq v49, v48
#   br_if v50, block8, block3
# block3 pc 0x10008:
#   meter 1 @0x10008 refund 1
#   v59 = iconst.i32 65548
#   store_state x5, v59
#   v60 = load_state x2
#   v61 = load_state x10
#   v62 = load_state x11
#   v63 = load_state x12
#   v64 = load_state x13
#   v65 = load_state x14
#   v66 = load_state x15
#   v67 = load_state x8
#   v68 = load_state x9
#   v69: i32, v70: i32, v71: i32, v72: i32, v73: i32, v74: i32, v75: i32, v76: i32, v77: i32, v78: i32 = call @f65556(v60, v61, v62, v63, v64, v65, v66, v67, v68) @0x10008
#   v79 = icmp.i32 ne v69, v59
#   store_state x2, v70
#   store_state x8, v77
#   store_state x9, v78
#   store_state x10, v71
#   store_state x11, v72
#   store_state x12, v73
#   store_state x13, v74
#   store_state x14, v75
#   store_state x15, v76
#   br_if v79, block9, block4 cold
# block4 pc 0x1000c:
#   meter 1 @0x1000c refund 1
#   v80 = load_state x2
#   v81 = load_state x10
#   v82 = load_state x11
#   v83 = load_state x12
#   v84 = load_state x13
#   v85 = load_state x14
#   v86 = load_state x15
#   v87 = load_state x8
#   v88 = load_state x9
#   tail_call @f65552(v80, v81, v82, v83, v84, v85, v86, v87, v88) @0x1000c
# block5(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) cold pc 0x10004:
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
# block6(v18: i32, v19: i32, v20: i32, v21: i32, v22: i32, v23: i32, v24: i32, v25: i32, v26: i32) cold pc 0x1000c:
#   store_state x2, v18
#   store_state x8, v25
#   store_state x9, v26
#   store_state x10, v19
#   store_state x11, v20
#   store_state x12, v21
#   store_state x13, v22
#   store_state x14, v23
#   store_state x15, v24
#   br block4
# block7 cold pc 0x10004:
#   ret v37, v38, v39, v40, v41, v42, v43, v44, v45, v46
# block8 pc 0x10010:
#   v51 = load_state x2
#   v52 = load_state x11
#   v53 = load_state x12
#   v54 = load_state x13
#   v55 = load_state x14
#   v56 = load_state x15
#   v57 = load_state x8
#   v58 = load_state x9
#   tail_call @f65552(v51, v49, v52, v53, v54, v55, v56, v57, v58) @0x10004
# block9 cold pc 0x1000c:
#   ret v69, v70, v71, v72, v73, v74, v75, v76, v77, v78
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
#   meter 1 @0x10010 refund 1
#   v9 = iconst.i32 1
#   v10 = load_state x6
#   v11 = add.i32 v10, v9
#   store_state x6, v11
#   v12 = load_state x2
#   v13 = load_state x10
#   v14 = load_state x11
#   v15 = load_state x12
#   v16 = load_state x13
#   v17 = load_state x14
#   v18 = load_state x15
#   v19 = load_state x8
#   v20 = load_state x9
#   tail_call @f65556(v12, v13, v14, v15, v16, v17, v18, v19, v20) @0x10010
# }
#
# function "fn_00010014"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10014:
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
# block1 pc 0x10014:
#   meter 1 @0x10014 refund 1
#   v9 = load_state x5
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
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block5, block6 {
# block0(v18: i32, v19: i32, v20: i32, v21: i32, v22: i32, v23: i32, v24: i32, v25: i32, v26: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v18, x8=v25, x9=v26, x10=v19, x11=v20, x12=v21, x13=v22, x14=v23, x15=v24]:
#   meter 1 @0x10000 refund 1
#   v45 = iconst.i32 65540
#   store_state x5, v45
#   v46: i32, v47: i32, v48: i32, v49: i32, v50: i32, v51: i32, v52: i32, v53: i32, v54: i32, v55: i32 = call @f65552(v18, v19, v20, v21, v22, v23, v24, v25, v26) @0x10000
#   v56 = icmp.i32 ne v46, v45
#   br_if v56, block7, block2(v47, v54, v55, v48, v49, v50, v51, v52, v53) cold
# block2(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10004 state[x2=v0, x8=v1, x9=v2, x10=v3, x11=v4, x12=v5, x13=v6, x14=v7, x15=v8]:
#   meter 1 @0x10004 refund 1
#   v57 = iconst.i32 0
#   v58 = icmp.i32 eq v3, v57
#   br_if v58, block8, block3
# block3 pc 0x10008 state[x2=v0, x8=v1, x9=v2, x10=v3, x11=v4, x12=v5, x13=v6, x14=v7, x15=v8]:
#   meter 1 @0x10008 refund 1
#   v59 = iconst.i32 65548
#   store_state x5, v59
#   v60: i32, v61: i32, v62: i32, v63: i32, v64: i32, v65: i32, v66: i32, v67: i32, v68: i32, v69: i32 = call @f65556(v0, v3, v4, v5, v6, v7, v8, v1, v2) @0x10008
#   v70 = icmp.i32 ne v60, v59
#   br_if v70, block9, block4(v61, v68, v69, v62, v63, v64, v65, v66, v67) cold
# block4(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) pc 0x1000c state[x2=v9, x8=v10, x9=v11, x10=v12, x11=v13, x12=v14, x13=v15, x14=v16, x15=v17]:
#   meter 1 @0x1000c refund 1
#   tail_call @f65552(v9, v12, v13, v14, v15, v16, v17, v10, v11) @0x1000c
# block5(v27: i32, v28: i32, v29: i32, v30: i32, v31: i32, v32: i32, v33: i32, v34: i32, v35: i32) cold pc 0x10004:
#   br block2(v27, v34, v35, v28, v29, v30, v31, v32, v33)
# block6(v36: i32, v37: i32, v38: i32, v39: i32, v40: i32, v41: i32, v42: i32, v43: i32, v44: i32) cold pc 0x1000c:
#   br block4(v36, v43, v44, v37, v38, v39, v40, v41, v42)
# block7 cold pc 0x10004:
#   ret v46, v47, v48, v49, v50, v51, v52, v53, v54, v55
# block8 pc 0x10010:
#   tail_call @f65552(v0, v3, v4, v5, v6, v7, v8, v1, v2) @0x10004
# block9 cold pc 0x1000c:
#   ret v60, v61, v62, v63, v64, v65, v66, v67, v68, v69
# }
#
# function "fn_00010010"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10010:
#   br block1
# block1 pc 0x10010 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 1 @0x10010 refund 1
#   v9 = iconst.i32 1
#   v10 = load_state x6
#   v11 = add.i32 v10, v9
#   store_state x6, v11
#   tail_call @f65556(v0, v1, v2, v3, v4, v5, v6, v7, v8) @0x10010
# }
#
# function "fn_00010014"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10014:
#   br block1
# block1 pc 0x10014 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 1 @0x10014 refund 1
#   v9 = load_state x5
#   v10 = iconst.i32 3
#   v11 = and.i32 v9, v10
#   trap_if v11, 0 @0x10014 refund 1
#   ret v9, v0, v1, v2, v3, v4, v5, v6, v7, v8
# }
