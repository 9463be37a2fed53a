#include "rt.h"
/* bytecode VM: register-stack hybrid; program computes collatz-ish sums and an inner loop */
enum { HALT, PUSH, ADD, SUB, MUL, AND, SHR, LT, JZ, JMP, LDL, STL, DUP, POP, LDM, STM, XOR, EQ };
static uint32_t mem[4096];
static int32_t code[256];
static int cp;
static void e(int op) { code[cp++] = op; }
static void e1(int op, int a) { code[cp++] = op; code[cp++] = a; }
static uint64_t executed;
static NOINLINE uint32_t run(const int32_t *c) {
  uint32_t st[64], loc[16] = {0}; int sp = 0, pc = 0; uint64_t n = 0;
  for (;;) {
    n++;
    switch (c[pc++]) {
    case HALT: executed += n; return st[sp - 1];
    case PUSH: st[sp++] = c[pc++]; break;
    case ADD: sp--; st[sp - 1] += st[sp]; break;
    case SUB: sp--; st[sp - 1] -= st[sp]; break;
    case MUL: sp--; st[sp - 1] *= st[sp]; break;
    case AND: sp--; st[sp - 1] &= st[sp]; break;
    case XOR: sp--; st[sp - 1] ^= st[sp]; break;
    case SHR: sp--; st[sp - 1] >>= (st[sp] & 31); break;
    case LT: sp--; st[sp - 1] = st[sp - 1] < st[sp]; break;
    case EQ: sp--; st[sp - 1] = st[sp - 1] == st[sp]; break;
    case JZ: sp--; if (!st[sp]) pc = c[pc]; else pc++; break;
    case JMP: pc = c[pc]; break;
    case LDL: st[sp++] = loc[c[pc++]]; break;
    case STL: loc[c[pc++]] = st[--sp]; break;
    case DUP: st[sp] = st[sp - 1]; sp++; break;
    case POP: sp--; break;
    case LDM: st[sp - 1] = mem[st[sp - 1] & 4095]; break;
    case STM: sp -= 2; mem[st[sp] & 4095] = st[sp + 1]; break;
    }
  }
}
int main(void) {
  /* l0=i l1=x l2=acc l3=steps ; for i in 1..L: x=i; while x!=1 && steps<..: x = x&1 ? 3x+1 : x>>1 ; acc = acc*31 ^ steps; mem[i]+=acc */
  int L = (int)WORK(200000);
  e1(PUSH, 1); e1(STL, 0);
  int outer = cp; e1(LDL, 0); e1(PUSH, L); e(LT); e1(JZ, 0); int fx = cp - 1;
  e1(LDL, 0); e1(STL, 1); e1(PUSH, 0); e1(STL, 3);
  int inner = cp; e1(LDL, 1); e1(PUSH, 1); e(EQ); e1(JZ, 0); int a = cp - 1; e1(JMP, 0); int brk = cp - 1;
  code[a] = cp; e1(LDL, 1); e1(PUSH, 1); e(AND); e1(JZ, 0); int ev = cp - 1;
  e1(LDL, 1); e1(PUSH, 3); e(MUL); e1(PUSH, 1); e(ADD); e1(STL, 1); e1(JMP, 0); int j2 = cp - 1;
  code[ev] = cp; e1(LDL, 1); e1(PUSH, 1); e(SHR); e1(STL, 1);
  code[j2] = cp; e1(LDL, 3); e1(PUSH, 1); e(ADD); e1(STL, 3); e1(JMP, inner);
  code[brk] = cp; e1(LDL, 2); e1(PUSH, 31); e(MUL); e1(LDL, 3); e(XOR); e1(STL, 2);
  e1(LDL, 0); e1(LDL, 0); e(LDM); e1(LDL, 2); e(ADD); e(STM);
  e1(LDL, 0); e1(PUSH, 1); e(ADD); e1(STL, 0); e1(JMP, outer);
  code[fx] = cp; e1(LDL, 2); e(HALT);
  uint32_t r = run(code); uint64_t s = r; for (int i = 0; i < 4096; i++) s = s * 31 + mem[i];
  out("vmops", executed); out("vm", s); return 0;
}
