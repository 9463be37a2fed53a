/* Regular expressions, matched twice: by backtracking and by stepping through sets of NFA states;
 * the two must agree. Prints each line of standard input that matches, with the match in brackets.
 *
 *   regex [PATTERN]    without an argument the first line of standard input is the pattern
 *
 *                      . [a-z] [^a] * + ? | ( ) ^ $ and \ before any of them */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum op { CHAR, ANY, CLASS, SPLIT, JUMP, START, FINISH, MATCH };
struct insn {
  enum op op;
  int c;       /* CHAR */
  int x, y;    /* SPLIT (x first), JUMP */
  uint32_t set[8];
};
static struct insn program[1000];
static int used;
static const char *pattern;

static void bad(const char *what) {
  printf("bad pattern: %s\n", what);
  exit(2);
}
static int emit(enum op op) {
  if (used == 998) bad("too long");
  memset(&program[used], 0, sizeof program[used]);
  program[used].op = op;
  return used++;
}
/* Makes room for one instruction at `at`; jumps that point behind it move along. */
static void insert(int at) {
  emit(JUMP);
  memmove(&program[at + 1], &program[at], (size_t)(used - 1 - at) * sizeof *program);
  for (int i = at + 1; i < used; i++)
    if (program[i].op == SPLIT || program[i].op == JUMP) {
      if (program[i].x >= at) program[i].x++;
      if (program[i].y >= at) program[i].y++;
    }
}

static void alternatives(void);

static void class(void) {
  int i = emit(CLASS), negate = 0;
  if (*pattern == '^') negate = 1, pattern++;
  do {
    if (!*pattern) bad("[ without ]");
    unsigned char from = (unsigned char)*pattern++, to = from;
    if (*pattern == '-' && pattern[1] && pattern[1] != ']') to = (unsigned char)pattern[1], pattern += 2;
    for (int c = from; c <= to; c++) program[i].set[c >> 5] |= 1u << (c & 31);
  } while (*pattern != ']');
  pattern++;
  if (negate)
    for (int k = 0; k < 8; k++) program[i].set[k] = ~program[i].set[k];
}

static void atom(void) {
  switch (*pattern) {
    case '.': pattern++; emit(ANY); return;
    case '^': pattern++; emit(START); return;
    case '$': pattern++; emit(FINISH); return;
    case '[': pattern++; class(); return;
    case '(':
      pattern++;
      alternatives();
      if (*pattern++ != ')') bad("( without )");
      return;
    case '*': case '+': case '?': bad("nothing to repeat"); return;
    case '\\':
      if (!*++pattern) bad("\\ at the end"); /* falls through */
    default: program[emit(CHAR)].c = (unsigned char)*pattern++;
  }
}

static void repeats(void) {
  int from = used;
  atom();
  for (; *pattern == '*' || *pattern == '+' || *pattern == '?'; pattern++) {
    int end;
    switch (*pattern) {
      case '+':
        end = emit(SPLIT);
        program[end].x = from;
        program[end].y = end + 1;
        break;
      case '*':
        insert(from);
        end = emit(JUMP);
        program[end].x = from;
        program[from].op = SPLIT;
        program[from].x = from + 1;
        program[from].y = end + 1;
        break;
      case '?':
        insert(from);
        program[from].op = SPLIT;
        program[from].x = from + 1;
        program[from].y = used;
        break;
    }
  }
}

static void alternatives(void) {
  int from = used;
  while (*pattern && *pattern != '|' && *pattern != ')') repeats();
  if (*pattern == '|') {
    pattern++;
    insert(from);
    int jump = emit(JUMP);
    program[from].op = SPLIT;
    program[from].x = from + 1;
    program[from].y = used;
    alternatives();
    program[jump].x = used;
  }
}

static int accepts(const struct insn *p, int c) {
  switch (p->op) {
    case CHAR: return c == p->c;
    case ANY: return 1;
    case CLASS: return p->set[c >> 5] >> (c & 31) & 1;
    default: return 0;
  }
}

/* The end of a match that starts at s, or NULL; the first way that works, in order of preference. */
static const char *line_start;
static long steps;
static const char *backtrack(int pc, const char *s, int fuel) {
  for (;;) {
    steps++;
    if (fuel <= 0) return NULL;
    const struct insn *p = &program[pc];
    switch (p->op) {
      case MATCH: return s;
      case JUMP: pc = p->x; fuel--; continue;
      case START: if (s != line_start) return NULL; pc++; continue;
      case FINISH: if (*s) return NULL; pc++; continue;
      case SPLIT: {
        const char *r = backtrack(p->x, s, fuel - 1);
        if (r) return r;
        pc = p->y;
        fuel--;
        continue;
      }
      default:
        if (!*s || !accepts(p, (unsigned char)*s)) return NULL;
        s++, pc++, fuel = 200;
    }
  }
}

static int on_list[1000], stamp;
static void add(int *list, int *n, int pc, const char *s) {
  if (on_list[pc] == stamp) return;
  on_list[pc] = stamp;
  switch (program[pc].op) {
    case JUMP: add(list, n, program[pc].x, s); break;
    case SPLIT: add(list, n, program[pc].x, s); add(list, n, program[pc].y, s); break;
    case START: if (s == line_start) add(list, n, pc + 1, s); break;
    case FINISH: if (!*s) add(list, n, pc + 1, s); break;
    default: list[(*n)++] = pc;
  }
}
static const char *simulate(const char *s) {
  static int lists[2][1000];
  int n = 0, which = 0;
  const char *end = NULL;
  stamp++;
  add(lists[0], &n, 0, s);
  for (;; s++) {
    int m = 0;
    stamp++;
    for (int i = 0; i < n; i++) {
      const struct insn *p = &program[lists[which][i]];
      if (p->op == MATCH) { /* what comes later in the list is less preferred */
        end = s;
        break;
      }
      if (*s && accepts(p, (unsigned char)*s))
        add(lists[!which], &m, (int)(p - program) + 1, s + 1);
    }
    which = !which;
    n = m;
    if (n == 0) return end;
  }
}

int main(int argc, char **argv) {
  static char first[512];
  if (argc < 2) {
    int length = 0, ch;
    while ((ch = getchar()) != EOF && ch != '\n')
      if (length < 511) first[length++] = (char)ch;
  }
  pattern = argc < 2 ? first : argv[1];
  alternatives();
  if (*pattern) bad("unmatched )");
  emit(MATCH);
  char line[512];
  int n = 0, c, matched = 0, disagree = 0;
  do {
    c = getchar();
    if (c != '\n' && c != EOF) {
      if (n < 511) line[n++] = (char)c;
      continue;
    }
    if (c == EOF && n == 0) break;
    line[n] = 0;
    n = 0;
    line_start = line;
    for (const char *s = line;; s++) {
      const char *a = backtrack(0, s, 200), *b = simulate(s);
      if (a != b) disagree++;
      if (b) {
        printf("%.*s[%.*s]%s\n", (int)(s - line), line, (int)(b - s), s, b);
        matched++;
        break;
      }
      if (!*s) break;
    }
  } while (c != EOF);
  printf("%d instructions, %d lines match, %d disagreements, %ld steps\n", used, matched, disagree, steps);
  return matched ? 0 : 1;
}
